// Package openai drives any server with an OpenAI-compatible API: vLLM, SGLang,
// LM Studio, mlx-lm, llama-server and many more. Such an API has no life cycle:
// models are there or not, and nothing is loaded or taken away.
//
// Servers differ in which fields of a request they accept. Preparing a model
// sends one short request and leaves out what the server rejects; that is found
// out once and remembered. A field that is accepted need not be obeyed: most
// servers ignore what they do not know, so that "ignore_eos" was accepted says
// nothing of the length of answers.
package openai

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"exobench"
	"exobench/wire"
)

// Config says how a server is reached.
type Config struct {
	// URL is the server's base, with or without the /v1 at its end.
	URL string
	// APIKey, where not empty, is sent as a bearer token.
	APIKey string
	// Header is sent with every request.
	Header http.Header
	// Insecure accepts any TLS certificate when asking for the models.
	Insecure bool
	// Wire sends the chat completions.
	Wire *wire.Client
	// Timeout and Idle bound a request, as in wire.Call.
	Timeout, Idle time.Duration
}

// Target is a server with an OpenAI-compatible API.
type Target struct {
	config Config
	base   string // up to and with /v1
	header http.Header
	http   *http.Client
	models []string
	// extras are the optional fields that the server takes; nil until tried.
	extras *extras
}

const (
	listTime  = 10 * time.Second
	listLimit = 16 << 20
)

// Dial asks the server which models it has.
func Dial(ctx context.Context, c Config) (*Target, error) {
	base, err := baseURL(c.URL)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: c.Insecure}
	t := &Target{config: c, base: base, header: c.Header.Clone(), http: &http.Client{Transport: transport}}
	if t.header == nil {
		t.header = http.Header{}
	}
	if c.APIKey != "" {
		t.header.Set("Authorization", "Bearer "+c.APIKey)
	}
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	t.models, err = t.list(ctx)
	return t, err
}

func baseURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is no URL of a server: give one such as http://127.0.0.1:8000", raw)
	}
	base := strings.TrimRight(u.String(), "/")
	if !strings.HasSuffix(base, "/v1") {
		base += "/v1"
	}
	return base, nil
}

func (t *Target) list(ctx context.Context) ([]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base+"/models", nil)
	if err != nil {
		return nil, err
	}
	request.Header = t.header.Clone()
	response, err := t.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s: %w", t.config.URL, short(err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, listLimit))
	if err != nil {
		return nil, fmt.Errorf("no whole answer from %s/models: %w", t.base, err)
	}
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("%s refuses the API key (HTTP %d): name the environment variable that holds it with --api-key-env", t.config.URL, response.StatusCode)
	default:
		return nil, fmt.Errorf("%s/models answers HTTP %d: is an OpenAI-compatible server there?", t.base, response.StatusCode)
	}
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || list.Data == nil {
		return nil, fmt.Errorf("%s/models does not answer with a list of models: is an OpenAI-compatible server there?", t.base)
	}
	ids := make([]string, len(list.Data))
	for i, m := range list.Data {
		ids[i] = m.ID
	}
	return ids, nil
}

// short leaves out the method and URL that net/http puts before an error.
func short(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// Models returns the ids of the server's models.
func (t *Target) Models() []string { return slices.Clone(t.models) }

// Resolve returns the model of that id, or the first of the known ids that the
// server has.
func (t *Target) Resolve(name string, known []string) (exobench.Model, bool) {
	for _, id := range append([]string{name}, known...) {
		for _, have := range t.models {
			if strings.EqualFold(have, id) {
				return exobench.Model{Name: name, ID: have}, true
			}
		}
	}
	return exobench.Model{}, false
}

// Prepare finds out which optional fields the server takes, by a request for
// one token, which also has servers that load models on demand load this one.
func (t *Target) Prepare(ctx context.Context, m exobench.Model, report func(exobench.LoadEvent)) (exobench.Deployment, error) {
	d := exobench.Deployment{Model: m}
	if err := t.probe(ctx, d, report); err != nil {
		return exobench.Deployment{}, err
	}
	report(exobench.LoadEvent{Stage: exobench.StageReady, Detail: "the server loads models by itself"})
	return d, nil
}

// Release has nothing to do.
func (t *Target) Release(context.Context, exobench.Deployment, func(exobench.LoadEvent)) error {
	return nil
}

// Do sends one chat completion.
func (t *Target) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	extras := allExtras
	if t.extras != nil {
		extras = *t.extras
	}
	return t.send(ctx, d, r, extras)
}

func (t *Target) send(ctx context.Context, d exobench.Deployment, r exobench.Request, e extras) exobench.Record {
	return t.config.Wire.Do(ctx, wire.Call{
		URL:     t.base + "/chat/completions",
		Header:  t.header,
		Body:    body(d.Model, r, e),
		At:      r.Scheduled,
		Timeout: t.config.Timeout,
		Idle:    t.config.Idle,
	})
}
