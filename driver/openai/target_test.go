package openai

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"exobench"
	"exobench/wire"
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

func dial(t *testing.T, s *server, change func(*Config)) *Target {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	c := Config{URL: web.URL, Wire: wire.NewClient(wire.Config{Clock: exobench.NewClock()})}
	if change != nil {
		change(&c)
	}
	target, err := Dial(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return target
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
		{"an old server without stream_options", []string{"ignore_eos", "stream_options"}, 4, []string{"seed"}},
		{"a server that takes none", []string{"ignore_eos", "stream_options", "seed"}, 5, nil},
	} {
		s := &server{refuses: c.refuses}
		target := dial(t, s, nil)
		var details []string
		d, err := target.Prepare(t.Context(), exobench.Model{ID: "Org/Model"}, func(e exobench.LoadEvent) { details = append(details, e.Detail) })
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
		if _, err := target.Prepare(t.Context(), exobench.Model{ID: "other"}, func(exobench.LoadEvent) {}); err != nil || len(s.sent()) != c.probes+1 {
			t.Errorf("%s: the second model was probed again", c.name)
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
	target := dial(t, &server{refuses: []string{"model"}}, nil)
	_, err := target.Prepare(t.Context(), exobench.Model{ID: "Org/Model"}, func(exobench.LoadEvent) {})
	if err == nil || !strings.Contains(err.Error(), "rejects a plain chat request") {
		t.Errorf("error %v", err)
	}
}

func TestKeyAndHeadersGoWithEveryRequest(t *testing.T) {
	s := &server{}
	target := dial(t, s, func(c *Config) {
		c.APIKey, c.Header = "secret", http.Header{"X-Team": {"bench"}}
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
	target := dial(t, &server{}, nil)
	for _, c := range []struct {
		name  string
		known []string
		want  string
	}{
		{"org/model", nil, "Org/Model"},
		{"short", []string{"absent", "org/model", "other"}, "Org/Model"},
		{"short", []string{"absent"}, ""},
	} {
		m, ok := target.Resolve(c.name, c.known)
		if ok != (c.want != "") || m.ID != c.want || ok && m.Name != c.name {
			t.Errorf("%s known as %v: %+v, %v, want %q", c.name, c.known, m, ok, c.want)
		}
	}
}

func TestWhatIsNoOpenAIServerIsRefused(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{200, "<html>", "OpenAI-compatible"},
		{200, `{"models":[]}`, "OpenAI-compatible"},
		{404, "", "HTTP 404"},
		{401, `{"error":"no"}`, "--api-key-env"},
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		_, err := Dial(t.Context(), Config{URL: web.URL})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d %q: error %v, want one with %q", c.status, c.body, err, c.want)
		}
		web.Close()
	}
}
