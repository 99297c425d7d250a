package llamacpp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestDialWaitsWhileTheServerLoads(t *testing.T) {
	t.Parallel()
	d := &double{}
	d.loading.Store(true)
	url := d.serve(t)
	time.AfterFunc(100*time.Millisecond, func() { d.loading.Store(false) })
	target := dial(t, Config{URL: url + "/v1/", Slots: 2})
	if d.loading.Load() {
		t.Error("Dial did not wait")
	}
	want := exobench.Engine{Name: "llamacpp", Version: "b11669-Debian", URL: url, CacheSwitch: true, IgnoresEOS: true}
	if got := target.Info(); !reflect.DeepEqual(got, want) {
		t.Errorf("Info: got %+v, want %+v", got, want)
	}
	server := Server{
		Version: "b11669-Debian", ModelPath: "/models/Tiny.Q8_0.gguf", Models: []string{"Tiny.Q8_0.gguf", "other"},
		Slots: 2, Context: 2048, Parameters: 3279104, Quantisation: "Q8_0", Size: 3490816,
	}
	if got := target.Server(); !reflect.DeepEqual(got, server) {
		t.Errorf("Server: got %+v, want %+v", got, server)
	}
	if notices := target.Notices(); notices != nil {
		t.Errorf("Notices: got %q, want none", notices)
	}
}

func TestDialSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	page := func(status int, text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			w.Write([]byte(text))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for _, c := range []struct{ name, url, want string }{
		{"nothing listens", "http://127.0.0.1:1", "no answer from http://127.0.0.1:1: "},
		{"a server of another kind", page(404, "no such page"), "is not a llama-server (its /props is not one's)"},
		{"a server that answers everything", page(200, `{"status":"ok"}`), "is not a llama-server (its /props is not one's)"},
		{"a gateway whose server is down", page(503, "Service Unavailable"), "is not a llama-server"},
		{"an API key is asked for", (&double{key: "secret"}).serve(t), "refuses the API key (HTTP 401)"},
		{"a router", (&double{answers: map[string]string{"/props": `{"role":"router","model_path":"none"}`}}).serve(t), "is a router"},
		{"no model", (&double{answers: map[string]string{"/v1/models": `{"data":[]}`}}).serve(t), "its /v1/models"},
		{"no URL", "localhost:8080", "is no URL of a server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Dial(t.Context(), Config{URL: c.url, Wire: newWire(t)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestDialStopsWaitingWhenToldTo(t *testing.T) {
	t.Parallel()
	d := &double{}
	d.loading.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, Config{URL: d.serve(t), Wire: newWire(t)}); err == nil || ctx.Err() == nil {
		t.Errorf("got %v before the context ended, want its error", err)
	}
}

func TestAServerThatRunsIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := &double{key: "secret"}
	target := dial(t, Config{URL: d.serve(t), APIKey: "secret", Slots: 3})
	if notices := target.Notices(); len(notices) != 1 || !strings.Contains(notices[0], "2 slots for 3 requests") {
		t.Errorf("Notices: got %q, want one on 2 slots for 3 requests", notices)
	}
	var got events
	m, err := target.Resolve("tiny.q8_0", nil)
	if err != nil {
		t.Fatal(err)
	}
	deployment, err := target.Prepare(t.Context(), m, got.report)
	if err != nil || deployment.Created || deployment.Model != m {
		t.Fatalf("Prepare: got %+v, %v", deployment, err)
	}
	if record := target.Do(t.Context(), deployment, ask("hello", 3)); record.Outcome != exobench.OK {
		t.Errorf("got %s: %s, want ok", record.Outcome, record.Error)
	}
	if err := target.Release(t.Context(), deployment, got.report); err != nil {
		t.Error(err)
	}
	if got.stages() != "ready" || target.PID() != 0 {
		t.Errorf("got stages %q, process %d, want only ready and no process", got.stages(), target.PID())
	}
	if record := target.Do(t.Context(), deployment, ask("hello", 3)); record.Outcome != exobench.OK {
		t.Errorf("after Release: got %s: %s, want ok", record.Outcome, record.Error)
	}
}

func TestRequestsAskForWhatThePlanWants(t *testing.T) {
	t.Parallel()
	d := &double{}
	target := dial(t, Config{URL: d.serve(t)})
	deployment := exobench.Deployment{Model: exobench.Model{ID: "Tiny.Q8_0.gguf"}}
	for _, c := range []struct {
		name               string
		ignoreEOS, warm    bool
		ignored, fromCache any
	}{
		{name: "cold, exact", ignoreEOS: true, ignored: true, fromCache: false},
		{name: "warm, natural stop", warm: true, ignored: false, fromCache: true},
	} {
		r := ask("Explain.", 5)
		r.IgnoreEOS, r.WarmCache = c.ignoreEOS, c.warm
		record := target.Do(t.Context(), deployment, r)
		if record.Outcome != exobench.OK || *record.OutputTokens != 5 || record.TokensFrom != exobench.FromUsage ||
			record.Server == nil || *record.Server.DecodeTPS != 50 || *record.CachedTokens != 0 {
			t.Errorf("%s: got record %+v", c.name, record)
		}
		want := map[string]any{
			"model":          "Tiny.Q8_0.gguf",
			"messages":       []any{map[string]any{"role": "user", "content": "Explain."}},
			"stream":         true,
			"stream_options": map[string]any{"include_usage": true},
			"max_tokens":     5.0,
			"temperature":    0.0,
			"seed":           7.0,
			"ignore_eos":     c.ignored,
			"cache_prompt":   c.fromCache,
		}
		var got map[string]any
		if err := json.Unmarshal(d.asked(), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got body %v, want %v", c.name, got, want)
		}
	}
}

func TestRequestsThatGoWrong(t *testing.T) {
	t.Parallel()
	do := func(d *double, r exobench.Request) exobench.Record {
		return dial(t, Config{URL: d.serve(t)}).Do(t.Context(), exobench.Deployment{}, r)
	}
	record := do(&double{limit: 10}, ask("a prompt that is too long", 5))
	if record.Outcome != exobench.HTTPError || record.HTTPStatus != 400 || !strings.Contains(record.Error, "exceeds the available context size (10 tokens)") {
		t.Errorf("a prompt too long: got %s %d %q", record.Outcome, record.HTTPStatus, record.Error)
	}
	record = do(&double{words: 3}, ask("hello", 5))
	if record.Outcome != exobench.Short {
		t.Errorf("3 tokens where 5 must come: got %s, want short", record.Outcome)
	}
	natural := ask("hello", 5)
	natural.IgnoreEOS = false
	record = do(&double{words: 3}, natural)
	if record.Outcome != exobench.OK {
		t.Errorf("3 tokens where at most 5 may come: got %s %s, want ok", record.Outcome, record.Error)
	}
}

func TestResolveIsStrict(t *testing.T) {
	t.Parallel()
	target := dial(t, Config{URL: (&double{}).serve(t)})
	for _, c := range []struct {
		name  string
		known []string
		want  string
	}{
		{name: "Tiny.Q8_0.gguf", want: "Tiny.Q8_0"},
		{name: "tiny.q8_0", want: "tiny.q8_0"},
		{name: "/models/Tiny.Q8_0.gguf", want: "Tiny.Q8_0"},
		{name: "other", want: "other"},
		{name: "tiny-1b", known: []string{"none", "Tiny.Q8_0"}, want: "tiny-1b"},
		{name: "tiny"},
		{name: "Q8_0"},
		{name: ""},
	} {
		m, err := target.Resolve(c.name, c.known)
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), "it has Tiny.Q8_0.gguf, other") {
				t.Errorf("%q: got %+v, %v, want an error that says what the server has", c.name, m, err)
			}
			continue
		}
		if want := (exobench.Model{Name: c.want, ID: "Tiny.Q8_0.gguf"}); err != nil || m != want {
			t.Errorf("%q: got %+v, %v, want %+v", c.name, m, err, want)
		}
	}
}
