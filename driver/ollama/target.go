package ollama

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"exobench"
)

// Target is an Ollama server.
type Target struct {
	config  Config
	version string
	models  []listed
}

// listed is a model that the server has.
type listed struct {
	Name string `json:"name"`
	// RemoteHost is set for a model that only looks as if it were here.
	RemoteHost string `json:"remote_host"`
	Digest     string `json:"digest"`
}

// Dial makes sure that an Ollama answers, and asks which models it has.
func Dial(ctx context.Context, c Config) (*Target, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	t := &Target{config: c.withDefaults()}
	var about struct {
		Version string `json:"version"`
	}
	err := t.call(ctx, callTime, http.MethodGet, "/api/version", nil, &about)
	if _, answered := asRefusal(err); answered || err == nil && about.Version == "" {
		return nil, fmt.Errorf("%s answers, but not as an Ollama does: /api/version gives no version", t.config.URL)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: is Ollama running there? start it with `ollama serve`, or give its address with --url", err)
	}
	t.version = about.Version
	return t, t.list(ctx)
}

func (t *Target) list(ctx context.Context) error {
	var answer struct {
		Models []listed `json:"models"`
	}
	if err := t.call(ctx, callTime, http.MethodGet, "/api/tags", nil, &answer); err != nil {
		return fmt.Errorf("list Ollama's models: %w", err)
	}
	t.models = answer.Models
	return nil
}

// Info describes the server. Answers can be shorter than asked.
func (t *Target) Info() exobench.Engine {
	return exobench.Engine{
		Name: "ollama", Version: t.version, URL: t.config.URL,
		LifeCycle: true, CacheSwitch: false, IgnoresEOS: false,
	}
}

// Models returns the names of the server's models, tags included.
func (t *Target) Models() []string {
	names := make([]string, len(t.models))
	for i, m := range t.models {
		names[i] = m.Name
	}
	return names
}

// Resolve returns the model of that name, with or without its tag, or the
// first of the known ids that the server has. With Config.Pull, a model that it
// does not have is the first known id, or the name as it is; Prepare fetches it.
func (t *Target) Resolve(name string, known []string) (exobench.Model, error) {
	for _, id := range append([]string{name}, known...) {
		if m, ok := t.have(id); ok {
			return exobench.Model{Name: name, ID: m.Name}, nil
		}
	}
	wanted := append(slices.Clone(known), name)[0]
	if t.config.Pull {
		return exobench.Model{Name: name, ID: tagged(wanted)}, nil
	}
	there := "it has none"
	if len(t.models) > 0 {
		there = "it has " + strings.Join(t.Models(), ", ")
	}
	return exobench.Model{}, fmt.Errorf("Ollama does not have %s: --pull fetches %s; %s", name, tagged(wanted), there)
}

func (t *Target) have(id string) (listed, bool) {
	for _, m := range t.models {
		if strings.EqualFold(m.Name, tagged(id)) {
			return m, true
		}
	}
	return listed{}, false
}

// tagged adds the tag that Ollama takes where none is given.
func tagged(id string) string {
	if strings.Contains(id[strings.LastIndex(id, "/")+1:], ":") {
		return id
	}
	return id + ":latest"
}
