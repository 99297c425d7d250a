package llamacpp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/drivertest"
)

func TestOpenWaitsWhileTheServerLoads(t *testing.T) {
	t.Parallel()
	d := &double{}
	d.loading.Store(true)
	url := d.serve(t)
	go func() {
		d.waitAsked(1)
		d.loading.Store(false)
	}()
	e := attach(t, url+"/v1/")
	if d.loading.Load() {
		t.Error("Open did not wait")
	}
	want := exobench.Engine{Name: "llamacpp", Driver: "llamacpp", Version: "b11669-Debian", URL: url, CacheSwitch: true, IgnoresEOS: true}
	if got := e.Info(); !reflect.DeepEqual(got, want) {
		t.Errorf("Info: got %+v, want %+v", got, want)
	}
	server := Server{
		Version: "b11669-Debian", ModelPath: "/models/Tiny.Q8_0.gguf", Models: []string{"Tiny.Q8_0.gguf", "other"},
		Slots: 2, Context: 2048, Parameters: 3279104, Quantisation: "Q8_0", Size: 3490816,
	}
	if got := e.session.server; !reflect.DeepEqual(got, server) {
		t.Errorf("server: got %+v, want %+v", got, server)
	}
	if notices := drivertest.Notices(e); len(notices) != 0 {
		t.Errorf("Notices: got %q, want none", notices)
	}
	if sensors := e.Sensors(); len(sensors) != 1 || sensors[0].Name() != "processes" {
		t.Errorf("sensors: got %v, want that of the process that listens, our own", sensors)
	}
}

func TestOpenSaysWhatIsWrongWithAServer(t *testing.T) {
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
		{"nothing listens", "http://127.0.0.1:1", "http://127.0.0.1:1/health: connection refused"},
		{"a server of another kind", page(404, "no such page"), "is not a llama-server (its /props is not one's)"},
		{"a server that answers everything", page(200, `{"status":"ok"}`), "is not a llama-server (its /props is not one's)"},
		{"a gateway whose server is down", page(503, "Service Unavailable"), "is not a llama-server"},
		{"an API key is asked for", (&double{key: "secret"}).serve(t), "HTTP 401: Invalid API Key; where it wants an API key"},
		{"a router", (&double{answers: map[string]string{"/props": `{"role":"router","model_path":"none"}`}}).serve(t), "is a router"},
		{"no model", (&double{answers: map[string]string{"/v1/models": `{"data":[]}`}}).serve(t), "its /v1/models"},
		{"no URL", "localhost:8080", "--url localhost:8080: it must be like"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "llamacpp", URL: c.url}, testEnv(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestOpenStopsWaitingWhenToldTo(t *testing.T) {
	t.Parallel()
	d := &double{}
	d.loading.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	url := d.serve(t)
	go func() {
		d.waitAsked(1)
		cancel()
	}()
	if _, err := (Driver{}).Open(ctx, exobench.EngineSpec{Name: "llamacpp", URL: url}, testEnv(t)); err == nil || ctx.Err() == nil {
		t.Errorf("got %v before the context ended, want its error", err)
	}
}

func TestWhatIsForAServerToStartIsRefusedWhereOneRuns(t *testing.T) {
	t.Parallel()
	for _, options := range []map[string]string{{"synthetic": "true"}, {"engine-args": "-ngl 99"}, {"llama-server": "/bin/true"}, {"speed": "9"}, {"without": "speed"}, {"api-key-env": "NO_SUCH_VARIABLE"}} {
		_, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "llamacpp", URL: (&double{}).serve(t), Options: options}, testEnv(t))
		if _, usage := errors.AsType[driver.UsageError](err); !usage {
			t.Errorf("%v: got %v, want a UsageError", options, err)
		}
	}
}

func TestASlotLessThanThePlanMayHaveUnderWayIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		traffic exobench.Traffic
		stop    exobench.Stop
		want    string
	}{
		{"as many requests as slots", exobench.Traffic{Concurrency: 2}, exobench.Stop{Repeat: 9}, ""},
		{"a closed loop", exobench.Traffic{Concurrency: 3}, exobench.Stop{Repeat: 9}, "2 slots, and the plan may have requests under way up to 3: those beyond the slots wait in the server's queue, and that is in their times"},
		{"an open loop", exobench.Traffic{Rate: 5}, exobench.Stop{Requests: 9}, "up to 9: those beyond the slots wait in the server's queue, and that is in their times; --max-under-way bounds them"},
		{"an open loop without end", exobench.Traffic{Rate: 5}, exobench.Stop{Duration: exobench.Duration(time.Hour)}, "without bound: "},
		{"an open loop that is bounded", exobench.Traffic{Rate: 5, MaxUnderWay: 2}, exobench.Stop{Requests: 9}, ""},
	} {
		env := testEnv(t)
		env.Plan.Traffic, env.Plan.Stop = []exobench.Traffic{c.traffic}, c.stop
		notices := strings.Join(drivertest.Notices(open(t, exobench.EngineSpec{Name: "llamacpp", URL: (&double{}).serve(t)}, env)), "\n")
		if (notices == "") != (c.want == "") || !strings.Contains(notices, c.want) {
			t.Errorf("%s: got %q, want %q in it", c.name, notices, c.want)
		}
	}
}

func TestAServerThatRunsIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := &double{key: "secret"}
	env := testEnv(t)
	env.Getenv = func(string) string { return "secret" }
	target := open(t, exobench.EngineSpec{Name: "llamacpp", URL: d.serve(t), Options: map[string]string{"api-key-env": "KEY"}}, env)
	var got events
	m, err := target.Resolve(t.Context(), "tiny.q8_0")
	if err != nil {
		t.Fatal(err)
	}
	deployment, err := target.Prepare(t.Context(), m, "", got.report)
	if err != nil || deployment.Created || deployment.Model != m || deployment.PID != os.Getpid() {
		t.Fatalf("Prepare: got %+v, %v", deployment, err)
	}
	if record := target.Do(t.Context(), deployment, ask("hello", 3)); record.Outcome != exobench.OK {
		t.Errorf("got %s: %s, want ok", record.Outcome, record.Error)
	}
	if err := target.Release(t.Context(), deployment, got.report); err != nil {
		t.Error(err)
	}
	if got.stages() != "ready" {
		t.Errorf("got stages %q, want only ready", got.stages())
	}
	if err := target.Alive(t.Context()); err != nil {
		t.Error(err)
	}
	if record := target.Do(t.Context(), deployment, ask("hello", 3)); record.Outcome != exobench.OK {
		t.Errorf("after Release: got %s: %s, want ok", record.Outcome, record.Error)
	}
}

func TestRequestsAskForWhatThePlanWants(t *testing.T) {
	t.Parallel()
	d := &double{}
	target := attach(t, d.serve(t))
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

func TestFieldsAreLeftOutByHand(t *testing.T) {
	t.Parallel()
	for without, lost := range map[string][]string{
		"seed,temperature": {"seed", "temperature"},
		"ignore_eos":       {"ignore_eos"},
		"cache_prompt":     {"cache_prompt"},
		"max_tokens":       {"ignore_eos", "max_tokens"},
	} {
		d := &double{words: 3}
		spec := exobench.EngineSpec{Name: "llamacpp", URL: d.serve(t), Options: map[string]string{"without": without}}
		e := open(t, spec, testEnv(t))
		// An answer that is short is one where its length could not be asked for.
		exact := !slices.Contains(lost, "ignore_eos")
		if r := e.Do(t.Context(), exobench.Deployment{}, ask("hello", 5)); (r.Outcome == exobench.Short) != exact {
			t.Errorf("%s: %s %s", without, r.Outcome, r.Error)
		}
		var body map[string]any
		if err := json.Unmarshal(d.asked(), &body); err != nil {
			t.Fatal(err)
		}
		for _, field := range fields {
			if _, sent := body[field]; sent == slices.Contains(lost, field) {
				t.Errorf("%s: %s sent: %v", without, field, sent)
			}
		}
		info := e.Info()
		if info.IgnoresEOS != exact || info.CacheSwitch != (without != "cache_prompt") {
			t.Errorf("%s: info %+v", without, info)
		}
		if notices := strings.Join(e.Notices(), "\n"); !strings.Contains(notices, "as --without says") {
			t.Errorf("%s: notices %q", without, notices)
		}
	}
}

func TestRequestsThatGoWrong(t *testing.T) {
	t.Parallel()
	do := func(d *double, r exobench.Request) exobench.Record {
		return attach(t, d.serve(t)).Do(t.Context(), exobench.Deployment{}, r)
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
	target := attach(t, (&double{}).serve(t))
	target.env.Catalogue = catalogueOf(t, "- name: tiny-1b\n  ids: {llamacpp: [none, Tiny.Q8_0], exo: [org/tiny-1b]}\n")
	for _, c := range []struct{ name, want string }{
		{name: "Tiny.Q8_0.gguf", want: "Tiny.Q8_0"},
		{name: "tiny.q8_0", want: "tiny.q8_0"},
		{name: "/models/Tiny.Q8_0.gguf", want: "Tiny.Q8_0"},
		{name: "other", want: "other"},
		{name: "tiny-1b", want: "tiny-1b"},
		{name: "org/tiny-1b", want: "tiny-1b"},
		{name: "tiny"},
		{name: "Q8_0"},
		{name: ""},
	} {
		m, err := target.Resolve(t.Context(), c.name)
		if c.want == "" {
			if _, usage := errors.AsType[driver.UsageError](err); !usage || !strings.Contains(err.Error(), "it has Tiny.Q8_0.gguf, other") {
				t.Errorf("%q: got %+v, %v, want an error that says what the server has", c.name, m, err)
			}
			continue
		}
		if want := (exobench.Model{Name: c.want, ID: "Tiny.Q8_0.gguf"}); err != nil || m != want {
			t.Errorf("%q: got %+v, %v, want %+v", c.name, m, err, want)
		}
	}
}

func TestAServerIsFoundAndItsModelOffered(t *testing.T) {
	t.Parallel()
	url := (&double{}).serve(t)
	env := testEnv(t)
	want := []driver.Found{{Engine: "llamacpp", Version: "b11669-Debian", URL: url, Loaded: []string{"Tiny.Q8_0.gguf", "other"}, Models: 2, Detail: "2 slots"}}
	if got := (Driver{}).Find(t.Context(), url, env); !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
	if got := (Driver{}).Find(t.Context(), "http://127.0.0.1:1", env); got != nil {
		t.Errorf("found %+v where nothing listens", got)
	}
	env.Catalogue = catalogueOf(t, "- name: tiny-1b\n  ids: {llamacpp: [Tiny.Q8_0]}\n")
	spec := exobench.EngineSpec{URL: url, Options: map[string]string{"llama-server": os.Args[0], "quant": "q8_0"}}
	offers, err := Driver{}.Offers(t.Context(), spec, env)
	if err != nil || len(offers) < 2 {
		t.Fatalf("got %+v, %v", offers, err)
	}
	first := offers[0]
	if first.Model != "tiny-1b" || first.ID != "Tiny.Q8_0.gguf" || first.Size != 3490816 || !*first.Loaded || !*first.Downloaded || !*first.Fits {
		t.Errorf("the server's model: got %+v", first)
	}
	for _, o := range offers[1:] {
		if o.ID != "--synthetic --quant q8_0" || o.Size < 1<<28 || o.Downloaded != nil || *o.Loaded || o.Fits == nil {
			t.Errorf("of random weights: got %+v", o)
		}
	}
	spec.URL = "http://127.0.0.1:1"
	if _, err := (Driver{}).Offers(t.Context(), spec, env); err == nil {
		t.Error("got offers of a server that does not answer")
	}
}

// catalogueOf returns the catalogue with more models.
func catalogueOf(t *testing.T, text string) *catalogue.Catalogue {
	t.Helper()
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := catalogue.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheDriverKeepsToTheContract(t *testing.T) {
	t.Parallel()
	drivertest.Driver(t, Driver{})
	spec := exobench.EngineSpec{Name: "llamacpp", Variant: "b", URL: (&double{}).serve(t)}
	drivertest.Engine(t, Driver{}, spec, open(t, spec, testEnv(t)))
	spec.URL, spec.Options = "", map[string]string{"llama-server": os.Args[0]}
	drivertest.Engine(t, Driver{}, spec, open(t, spec, testEnv(t)))
}
