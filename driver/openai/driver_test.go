package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/drivertest"
)

// server is an OpenAI-compatible server that rejects requests with any of the
// fields in refuses, in the words of a strict one, and keeps the bodies.
type server struct {
	refuses []string

	mu      sync.Mutex
	bodies  []map[string]any
	headers []http.Header
}

// sent returns the bodies so far.
func (s *server) sent() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bodies)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.headers = append(s.headers, r.Header)
	if r.URL.Path == "/v1/models" {
		io.WriteString(w, `{"object":"list","data":[{"id":"Org/Model"},{"id":"other"}]}`)
		return
	}
	var body map[string]any
	json.NewDecoder(r.Body).Decode(&body)
	s.bodies = append(s.bodies, body)
	for _, field := range s.refuses {
		if _, sent := body[field]; sent {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"message":"Unrecognized request argument supplied: %s"}}`, field)
			return
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
}

func open(t *testing.T, s *server, change func(*exobench.EngineSpec, *driver.Env)) driver.Engine {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	spec, env := exobench.EngineSpec{Name: "openai", URL: web.URL, Options: map[string]string{}}, testEnv(t)
	if change != nil {
		change(&spec, &env)
	}
	e, err := Driver{}.Open(t.Context(), spec, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// testEnv has the catalogue, and in it a model that is known by several ids.
func testEnv(t *testing.T) driver.Env {
	t.Helper()
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte("- name: short\n  ids: {openai: [absent, org/model, other], exo: [mlx/short]}\n- name: none\n  ids: {openai: [absent]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := drivertest.Env(t)
	var err error
	if env.Catalogue, err = catalogue.Load(path); err != nil {
		t.Fatal(err)
	}
	env.Getenv = func(string) string { return "secret" }
	return env
}

var request = exobench.Request{Prompt: exobench.Prompt{Text: "hi"}, MaxTokens: 5, Seed: 7, IgnoreEOS: true}

func TestFieldsThatTheServerRejectsAreLeftOutFromThenOn(t *testing.T) {
	for _, c := range []struct {
		name    string
		refuses []string
		probes  int
		sent    []string
	}{
		{"a server that takes all", nil, 1, []string{"ignore_eos", "stream_options", "seed"}},
		{"a strict server without ignore_eos", []string{"ignore_eos"}, 2, []string{"stream_options", "seed"}},
		{"an old server without stream_options", []string{"ignore_eos", "stream_options"}, 3, []string{"seed"}},
		{"a server that takes none", []string{"ignore_eos", "stream_options", "seed"}, 4, nil},
	} {
		s := &server{refuses: c.refuses}
		target := open(t, s, nil)
		var details []string
		d, err := target.Prepare(t.Context(), exobench.Model{ID: "Org/Model"}, "", func(e exobench.StageEvent) { details = append(details, e.Detail) })
		if err != nil || len(s.sent()) != c.probes {
			t.Errorf("%s: %d probes, %v; want %d", c.name, len(s.sent()), err, c.probes)
			continue
		}
		if told := strings.Contains(strings.Join(details, " "), "which the server rejects"); told != (len(c.refuses) > 0) {
			t.Errorf("%s: details %q", c.name, details)
		}
		if r := target.Do(t.Context(), d, request); r.Outcome != exobench.OK {
			t.Errorf("%s: %s %s", c.name, r.Outcome, r.Error)
		}
		if _, err := target.Prepare(t.Context(), exobench.Model{ID: "other"}, "", func(exobench.StageEvent) {}); err != nil || len(s.sent()) != c.probes+2 {
			t.Errorf("%s: %d requests; want one for the second model, in the form that the first found", c.name, len(s.sent()))
		}
		bodies := s.sent()
		last := bodies[len(bodies)-1]
		for _, field := range []string{"ignore_eos", "stream_options", "seed"} {
			_, sent := last[field]
			if want := strings.Contains(strings.Join(c.sent, " "), field); sent != want {
				t.Errorf("%s: %s sent: %v, want %v", c.name, field, sent, want)
			}
		}
	}
}

func TestAServerThatRejectsAPlainRequestIsAnError(t *testing.T) {
	target := open(t, &server{refuses: []string{"model"}}, nil)
	_, err := target.Prepare(t.Context(), exobench.Model{ID: "Org/Model"}, "", func(exobench.StageEvent) {})
	if err == nil || !strings.Contains(err.Error(), "rejects a plain chat request") {
		t.Errorf("error %v", err)
	}
}

func TestKeyAndHeadersGoWithEveryRequest(t *testing.T) {
	s := &server{}
	target := open(t, s, func(spec *exobench.EngineSpec, env *driver.Env) {
		spec.Options["api-key-env"], env.Header = "KEY", http.Header{"X-Team": {"bench"}}
	})
	target.Do(t.Context(), exobench.Deployment{Model: exobench.Model{ID: "other"}}, request)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, h := range s.headers {
		if h.Get("Authorization") != "Bearer secret" || h.Get("X-Team") != "bench" {
			t.Errorf("request %d has headers %v", i, h)
		}
	}
	if len(s.headers) != 2 {
		t.Errorf("%d requests, want the list of models and one completion", len(s.headers))
	}
}

func TestAModelIsFoundByItsIdOrOneThatIsKnownForIt(t *testing.T) {
	target := open(t, &server{}, nil)
	for name, want := range map[string]exobench.Model{
		"org/model": {Name: "org/model", ID: "Org/Model"},
		"short":     {Name: "short", ID: "Org/Model"},
		"mlx/short": {Name: "short", ID: "Org/Model"},
		"none":      {},
		"nothing":   {},
	} {
		m, err := target.Resolve(t.Context(), name)
		if m != want {
			t.Errorf("%s: got %+v, want %+v", name, m, want)
		}
		if _, usage := errors.AsType[driver.UsageError](err); usage != (want.ID == "") || usage && !strings.Contains(err.Error(), "it has Org/Model, other") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestTheDriverKeepsToTheContract(t *testing.T) {
	drivertest.Driver(t, Driver{})
	drivertest.Engine(t, Driver{}, exobench.EngineSpec{Name: "openai"}, open(t, &server{}, nil))
}

func TestAServerIsDescribedFoundAndItsModelsOffered(t *testing.T) {
	web := httptest.NewServer(&server{})
	defer web.Close()
	env := testEnv(t)
	want := []driver.Found{{Engine: "openai", URL: web.URL, Models: 2, Detail: "has Org/Model, other"}}
	if got := (Driver{}).Find(t.Context(), web.URL, env); !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
	if got := (Driver{}).Find(t.Context(), "http://127.0.0.1:1", env); got != nil {
		t.Errorf("found %+v where nothing listens", got)
	}
	offers, err := Driver{}.Offers(t.Context(), exobench.EngineSpec{URL: web.URL}, env)
	wanted := []driver.Offer{
		{Model: "short", Engine: "openai", ID: "Org/Model", Downloaded: new(true), Why: "unknown"},
		{Model: "short", Engine: "openai", ID: "other", Downloaded: new(true), Why: "unknown"},
	}
	if err != nil || !reflect.DeepEqual(offers, wanted) {
		t.Errorf("offers %+v, %v; want %+v", offers, err, wanted)
	}
	e, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "openai", Variant: "b", URL: web.URL}, env)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if info := e.Info(); !reflect.DeepEqual(info, exobench.Engine{Name: "openai b", Driver: "openai", URL: web.URL}) {
		t.Errorf("info %+v", info)
	}
	if len(e.Sensors()) != 1 || len(drivertest.Notices(e)) != 1 || !strings.Contains(drivertest.Notices(e)[0], "no life cycle") {
		t.Errorf("sensors %v, notices %q", e.Sensors(), e.Notices())
	}
	if err := e.Alive(t.Context()); err != nil {
		t.Error(err)
	}
	web.Close()
	if err := e.Alive(t.Context()); err == nil {
		t.Error("it is alive after its end")
	}
}

func TestWhatIsNoOpenAIServerIsRefused(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{200, "<html>", "OpenAI-compatible"},
		{502, "", "HTTP 502"},
		{101, "", "HTTP 101 where an answer was due"},
		{401, `{"error":"no"}`, "--api-key-env"},
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		_, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "openai", URL: web.URL}, testEnv(t))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d %q: error %v, want one with %q", c.status, c.body, err, c.want)
		}
		web.Close()
	}
}

func TestMistakesOfTheSpecAreUsageErrors(t *testing.T) {
	for _, spec := range []exobench.EngineSpec{
		{Name: "openai"},
		{Name: "openai", URL: "127.0.0.1:8000"},
		{Name: "openai", URL: "http://127.0.0.1:1", Options: map[string]string{"pull": "true"}},
		{Name: "openai", URL: "http://127.0.0.1:1", Options: map[string]string{"api-key-file": "/none"}},
	} {
		_, err := Driver{}.Open(t.Context(), spec, testEnv(t))
		if _, usage := errors.AsType[driver.UsageError](err); !usage {
			t.Errorf("%+v: got %v, want a UsageError", spec, err)
		}
	}
}
