package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"exobench"
	"exobench/run"
	"exobench/target/openai"
)

// openaiKey returns the API key that the flags name.
func (c connector) openaiKey() (string, error) {
	switch name, path := c.flags.apiKeyEnv, c.flags.apiKeyFile; {
	case name != "" && path != "":
		return "", usageError{errors.New("--api-key-env and --api-key-file name two API keys: give one of them")}
	case name != "":
		key := c.getenv(name)
		if key == "" {
			return "", usageError{fmt.Errorf("--api-key-env %s: that environment variable is not set", name)}
		}
		return key, nil
	case path != "":
		text, err := os.ReadFile(path)
		if err != nil {
			return "", usageError{fmt.Errorf("--api-key-file: %w", err)}
		}
		return strings.TrimSpace(string(text)), nil
	}
	return "", nil
}

// headers takes the values of --header, "Name: value" each.
func (c connector) headers() (http.Header, error) {
	h := http.Header{}
	for _, line := range c.flags.headers {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, usageError{fmt.Errorf("--header %q: it must be like \"Name: value\"", line)}
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h, nil
}

func (c connector) openai(ctx context.Context) (bench, error) {
	url := c.urls["openai"]
	if url == "" {
		return bench{}, usageError{errors.New("--engine openai needs --url, such as --url http://127.0.0.1:8000")}
	}
	key, err := c.openaiKey()
	if err != nil {
		return bench{}, err
	}
	headers, err := c.headers()
	if err != nil {
		return bench{}, err
	}
	t, err := openai.Dial(ctx, openai.Config{
		URL: url, APIKey: key, Header: headers, Insecure: c.flags.insecure,
		Wire: c.wire, Timeout: c.flags.timeout, Idle: c.flags.idleTimeout,
	})
	if err != nil {
		return bench{}, err
	}
	b := bench{Bench: run.Bench{Engine: exobench.Engine{Name: "openai", URL: url}, Target: t}}
	b.Memory, b.Engine.PID, b.notices = listenerMemory(ctx, url)
	b.notices = append(b.notices, "an OpenAI-compatible server has no life cycle: loads are not timed, and memory is that of a server that may hold the model already")
	b.resolve = func(_ context.Context, name string) (exobench.Model, error) {
		known, _ := c.find(name)
		m, ok := t.Resolve(name, known.IDs["openai"])
		if !ok {
			return m, usageError{fmt.Errorf("%s has no model %q: it has %s", url, name, listed(t.Models()))}
		}
		return m, nil
	}
	return b, nil
}
