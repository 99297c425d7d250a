package ollama

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/drivertest"
)

const tiny = "tiny:latest"

func TestOpenSaysWhatIsWrong(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	answering := func(status int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	for _, c := range []struct{ name, url, want string }{
		{"nothing listens", "http://" + listener.Addr().String(), "is Ollama running there?"},
		{"another server", answering(404, "not found"), "not as an Ollama does"},
		{"a JSON server that is none", answering(200, `{"status":"ok"}`), "gives no version"},
		{"a page", answering(200, `<html>`), "not as an Ollama does"},
		{"a gateway that wants a key", answering(401, `{}`), "--api-key-env"},
		{"no URL", "11434", "--url 11434: it must be like http://127.0.0.1:"},
	} {
		_, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "ollama", URL: c.url}, testEnv(t, ""))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want %q in it", c.name, err, c.want)
		}
	}
}

func TestTheDriverKeepsToTheContract(t *testing.T) {
	drivertest.Driver(t, Driver{})
	drivertest.Engine(t, Driver{}, exobench.EngineSpec{Name: "ollama"}, open(t, &double{models: []string{tiny}}))
}

func TestInfoSaysWhatOllamaCannotDo(t *testing.T) {
	d := &double{models: []string{tiny}}
	target := open(t, d)
	info := target.Info()
	if info.Name != "ollama" || info.Driver != "ollama" || info.Version != "0.17.4" || !info.LifeCycle || info.CacheSwitch || info.IgnoresEOS {
		t.Errorf("info %+v", info)
	}
}

func TestResolve(t *testing.T) {
	d := &double{models: []string{"llama3.2:1b", tiny, "hf.co/org/Some-GGUF:Q8_0"}}
	target := open(t, d)
	target.env = testEnv(t, "- name: second\n  ids: {ollama: [none, tiny], exo: [org/second]}\n- name: absent\n  ids: {ollama: ['mistral:7b']}\n")
	for _, c := range []struct{ name, id, short string }{
		{"llama3.2:1b", "llama3.2:1b", "llama3.2:1b"},
		{"tiny", tiny, "tiny"}, // the tag that Ollama would take
		{"TINY", tiny, "TINY"},
		{"second", tiny, "second"}, // the first known one that is there
		{"org/second", tiny, "second"},
		{"hf.co/org/some-gguf:q8_0", "hf.co/org/Some-GGUF:Q8_0", "hf.co/org/some-gguf:q8_0"},
	} {
		m, err := target.Resolve(t.Context(), c.name)
		if err != nil || m != (exobench.Model{Name: c.short, ID: c.id}) {
			t.Errorf("%s: %+v, error %v; want %s as %s", c.name, m, err, c.id, c.short)
		}
	}
	_, err := target.Resolve(t.Context(), "absent")
	for _, want := range []string{"does not have absent", "--pull fetches mistral:7b", "llama3.2:1b, tiny:latest"} {
		if _, usage := errors.AsType[driver.UsageError](err); !usage || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want a UsageError with %q", err, want)
		}
	}
	target.mayPull = true
	for name, want := range map[string]string{"absent": "mistral:7b", "phi4": "phi4:latest"} {
		if m, err := target.Resolve(t.Context(), name); err != nil || m.ID != want {
			t.Errorf("%s with --pull: %+v, error %v; want %s", name, m, err, want)
		}
	}
}

func TestOfTwoNamesThatDifferInCaseTheExactOneIsMeant(t *testing.T) {
	target := open(t, &double{models: []string{"ORG/M:latest", "org/m:latest"}, loaded: []string{"ORG/M:latest", "org/m:latest"}}, "reuse")
	for _, name := range []string{"ORG/M:latest", "org/m:latest"} {
		if m, err := target.Resolve(t.Context(), name); err != nil || m.ID != name {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
		all, err := target.loaded(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if found, others := find(all, name); found.Name != name || len(others) != 1 || others[0] == name {
			t.Errorf("%s: loaded %+v, beside %q", name, found, others)
		}
	}
}

func TestAURLOfItsOwnAPIIsThatOfTheServer(t *testing.T) {
	url := (&double{models: []string{tiny}}).start(t)
	for _, more := range []string{"/", "/api", "/api/", "/api/chat", "/v1", "/v1/chat/completions", "/api/tags?a=b"} {
		e, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "ollama", URL: url + more}, testEnv(t, ""))
		if err != nil {
			t.Errorf("%s: %v", more, err)
			continue
		}
		r := e.Do(t.Context(), exobench.Deployment{Model: model(tiny)}, exobench.Request{MaxTokens: 3})
		if r.Outcome != exobench.OK || e.Info().URL != url {
			t.Errorf("%s: %s %s at %s", more, r.Outcome, r.Error, e.Info().URL)
		}
		e.Close()
	}
}

func TestAServerIsFoundAndItsModelsOffered(t *testing.T) {
	url := (&double{models: []string{tiny, "own:1b"}, loaded: []string{tiny}}).start(t)
	env := testEnv(t, "- name: second\n  parameters: 1600\n  ids: {ollama: [none, tiny]}\n- name: absent\n  parameters: 1600\n  ids: {ollama: ['absent:1b']}\n")
	want := []driver.Found{{Engine: "ollama", Version: "0.17.4", URL: url, Loaded: []string{tiny}, Models: 2}}
	if got := (Driver{}).Find(t.Context(), url, env); !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
	offers, err := Driver{}.Offers(t.Context(), exobench.EngineSpec{URL: url}, env)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []driver.Offer{
		{Model: "second", ID: tiny, Size: 5000, Downloaded: new(true), Loaded: new(true), Fits: new(true), Why: "loaded"},
		{Model: "absent", ID: "absent:1b", Size: 900, Estimated: true, Downloaded: new(false), Loaded: new(false), Fits: new(true)},
		{Model: "own:1b", ID: "own:1b", Size: 5000, Downloaded: new(true), Loaded: new(false), Fits: new(true)},
	} {
		i := slices.IndexFunc(offers, func(o driver.Offer) bool { return o.Model == want.Model })
		if i < 0 {
			t.Errorf("no offer of %s among %+v", want.Model, offers)
			continue
		}
		got := offers[i]
		if got.Free <= 0 {
			t.Errorf("no memory is free for %s", want.Model)
		}
		want.Free = got.Free
		if want.Engine = "ollama"; want.Why == "" {
			want.Why = got.Why
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestWhatAServerHasIsUnknownWhereItDoesNotAnswer(t *testing.T) {
	env := testEnv(t, "")
	if got := (Driver{}).Find(t.Context(), "http://127.0.0.1:1", env); got != nil {
		t.Errorf("found %+v", got)
	}
	if _, err := (Driver{}).Offers(t.Context(), exobench.EngineSpec{URL: "http://127.0.0.1:1"}, env); err == nil {
		t.Error("got offers of a server that was named and does not answer")
	}
	for _, o := range offersOf(env, nil, nil, 0) {
		if o.Downloaded != nil || o.Loaded != nil || o.Fits != nil {
			t.Errorf("got %+v, want nothing known", o)
		}
	}
}

func model(id string) exobench.Model { return exobench.Model{Name: "m", ID: id} }

func TestPrepareLoadsWithAnEmptyRequestAndReleaseUnloads(t *testing.T) {
	d := &double{models: []string{tiny, "other:latest"}, loaded: []string{"other:latest"}}
	target := open(t, d)
	var seen events
	deployment, err := target.Prepare(t.Context(), model(tiny), "", seen.add)
	if err != nil || !deployment.Created {
		t.Fatalf("deployment %+v, error %v", deployment, err)
	}
	if seen.stages() != "resolve place load ready" {
		t.Errorf("stages %s", seen.stages())
	}
	if detail := seen.last().Detail; detail != "11.3 MiB by Ollama's reckoning, in main memory, context 4096; loaded beside it: other:latest" {
		t.Errorf("detail %q", detail)
	}
	want := `{"model":"tiny:latest","messages":[],"stream":false,"shift":false,"keep_alive":"30m","options":{}}`
	if bodies := d.posted("/api/chat"); len(bodies) != 1 || bodies[0] != want {
		t.Errorf("sent %v; want %s", bodies, want)
	}
	seen = nil
	if err := target.Release(t.Context(), deployment, seen.add); err != nil || seen.stages() != "release released" {
		t.Errorf("release: error %v, stages %s", err, seen.stages())
	}
	if left := d.inMemory(); !slices.Equal(left, []string{"other:latest"}) {
		t.Errorf("loaded after the release: %v", left)
	}
}

func TestAModelThatIsLoadedAlreadyIsUnloadedFirst(t *testing.T) {
	d := &double{models: []string{tiny}, loaded: []string{tiny}}
	target := open(t, d)
	var seen events
	deployment, err := target.Prepare(t.Context(), model(tiny), "", seen.add)
	if err != nil || !deployment.Created {
		t.Fatalf("deployment %+v, error %v", deployment, err)
	}
	if bodies := d.posted("/api/chat"); len(bodies) != 2 || !strings.Contains(bodies[0], `"keep_alive":0`) {
		t.Errorf("sent %v; want an unload, then a load", bodies)
	}
	if !strings.Contains(seen[1].Detail, "so that its memory and its load can be measured") || seen[1].Stage != exobench.StageResolve {
		t.Errorf("events %+v", seen)
	}
}

func TestAModelThatStaysLoadedIsAnError(t *testing.T) {
	d := &double{models: []string{tiny}, loaded: []string{tiny}, sticky: true}
	target := open(t, d)
	target.times.release = 30 * time.Millisecond
	_, err := target.Prepare(t.Context(), model(tiny), "", new(events).add)
	if err == nil || !strings.Contains(err.Error(), "is still loaded 30ms after") {
		t.Errorf("error %v", err)
	}
}

func TestReuseMeasuresWhatIsThereAndLeavesIt(t *testing.T) {
	d := &double{models: []string{tiny}, loaded: []string{tiny}}
	target := open(t, d, "reuse")
	var seen events
	deployment, err := target.Prepare(t.Context(), model(tiny), "", seen.add)
	if err != nil || deployment.Created || seen.stages() != "resolve ready" || !strings.HasPrefix(seen.last().Detail, "loaded before this run: ") {
		t.Fatalf("deployment %+v, error %v, events %+v", deployment, err, seen)
	}
	target.Do(t.Context(), deployment, exobench.Request{MaxTokens: 3})
	if body := d.posted("/api/chat")[0]; strings.Contains(body, "keep_alive") || strings.Contains(body, "shift") || strings.Contains(body, "num_ctx") {
		t.Errorf("sent %s, which can make Ollama load the model anew", body)
	}
	if err := target.Release(t.Context(), deployment, seen.add); err != nil || len(d.inMemory()) != 1 {
		t.Errorf("release: error %v, loaded %v", err, d.inMemory())
	}
}

func TestAFailedLoadSaysWhyAndLeavesNothing(t *testing.T) {
	d := &double{models: []string{tiny}, fail: map[string]string{"/api/chat": "model requires more system memory (40.0 GiB) than is available (20.0 GiB)"}}
	target := open(t, d)
	var seen events
	_, err := target.Prepare(t.Context(), model(tiny), "", seen.add)
	if err == nil || !strings.HasPrefix(err.Error(), "load tiny:latest: ") || !strings.Contains(err.Error(), "/api/chat: HTTP 500: model requires more system memory") {
		t.Errorf("error %v", err)
	}
	if seen.stages() != "resolve place load" {
		t.Errorf("stages %s", seen.stages())
	}
	if bodies := d.posted("/api/chat"); len(bodies) != 2 || !strings.Contains(bodies[1], `"keep_alive":0`) {
		t.Errorf("sent %v; want an unload after the failure", bodies)
	}
}

func TestAnInterruptedLoadIsTakenBack(t *testing.T) {
	d := &double{models: []string{tiny}, slow: make(chan struct{})}
	defer close(d.slow)
	target := open(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := target.Prepare(ctx, model(tiny), "", func(e exobench.StageEvent) {
		if e.Stage == exobench.StageLoad {
			time.AfterFunc(20*time.Millisecond, cancel)
		}
	})
	if err == nil {
		t.Fatal("no error")
	}
	bodies := d.posted("/api/chat")
	if last := bodies[len(bodies)-1]; !strings.Contains(last, `"keep_alive":0`) {
		t.Errorf("sent %v; want an unload at the end", bodies)
	}
}

func TestALoadIsBounded(t *testing.T) {
	d := &double{models: []string{tiny}, slow: make(chan struct{})}
	defer close(d.slow)
	target := open(t, d)
	target.times.load = 20 * time.Millisecond
	if _, err := target.Prepare(t.Context(), model(tiny), "", new(events).add); err == nil || !strings.Contains(err.Error(), "not done in 20ms") {
		t.Errorf("error %v", err)
	}
}

func TestALoadThatDoesNotShowIsRefused(t *testing.T) {
	// Two tags of the same weights share one runner, listed under the other tag.
	d := &double{models: []string{tiny}, loaded: []string{"same-weights:latest"}, dark: true}
	target := open(t, d)
	if _, err := target.Prepare(t.Context(), model(tiny), "", new(events).add); err == nil || !strings.Contains(err.Error(), "it lists same-weights:latest") {
		t.Errorf("error %v", err)
	}
}

func TestAModelThatRunsElsewhereIsRefused(t *testing.T) {
	d := &double{models: []string{"big:cloud"}, remote: "big:cloud"}
	target := open(t, d)
	if _, err := target.Prepare(t.Context(), model("big:cloud"), "", new(events).add); err == nil || !strings.Contains(err.Error(), "not on this server") {
		t.Errorf("error %v", err)
	}
}

const pullStream = `{"status":"pulling manifest"}
{"status":"pulling aabb","digest":"sha256:aabb","total":1000}
{"status":"pulling aabb","digest":"sha256:aabb","total":1000,"completed":400}
{"status":"pulling aabb","digest":"sha256:aabb","total":1000,"completed":1000}
{"status":"pulling ccdd","digest":"sha256:ccdd","total":24,"completed":24}
{"status":"verifying sha256 digest"}
{"status":"writing manifest"}
{"status":"success"}
`

func TestAMissingModelIsPulledWhereThatIsAllowed(t *testing.T) {
	d := &double{pull: pullStream}
	target := open(t, d, "pull")
	m, err := target.Resolve(t.Context(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	var seen events
	if _, err := target.Prepare(t.Context(), m, "", seen.add); err != nil {
		t.Fatal(err)
	}
	if seen.stages() != "resolve place download load ready" {
		t.Errorf("stages %s", seen.stages())
	}
	var most exobench.StageEvent
	for _, e := range seen {
		if e.Stage == exobench.StageDownload {
			most = e
		}
	}
	if most.Downloaded != 1024 || most.DownloadTotal != 1024 || most.DownloadRate <= 0 {
		t.Errorf("the last news of the download: %+v", most)
	}
	if bodies := d.posted("/api/pull"); len(bodies) != 1 || bodies[0] != `{"model":"tiny:latest","stream":true}` {
		t.Errorf("sent %v", bodies)
	}
}

func TestAPullThatFailsSaysWhy(t *testing.T) {
	for _, c := range []struct{ pull, want string }{
		{`{"status":"pulling manifest"}` + "\n" + `{"error":"pull model manifest: file does not exist"}` + "\n", "download tiny:latest: pull model manifest: file does not exist"},
		{`{"status":"pulling manifest"}` + "\n", "before its end"},
		{"oops\n", "read its progress"},
	} {
		d := &double{pull: c.pull}
		target := open(t, d, "pull")
		if _, err := target.Prepare(t.Context(), model(tiny), "", new(events).add); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v; want %q in it", err, c.want)
		}
	}
}

func TestADownloadCountsWhatWasThereAsNoSpeed(t *testing.T) {
	var seen events
	d := &download{layers: map[string]*pulled{}, begun: time.Now().Add(-2 * time.Second), report: seen.add}
	d.take(pulled{Status: "pulling a", Digest: "a", Total: 5000, Completed: 5000})
	if e := seen.last(); e.Downloaded != 5000 || e.DownloadRate != 0 {
		t.Errorf("a layer from before: %+v", e)
	}
	d.reported = time.Time{}
	d.take(pulled{Status: "pulling b", Digest: "b", Total: 800})
	d.reported = time.Time{}
	d.take(pulled{Status: "pulling b", Digest: "b", Total: 800, Completed: 400})
	if e := seen.last(); e.Downloaded != 5400 || e.DownloadTotal != 5800 || e.DownloadRate < 150 || e.DownloadRate > 200 {
		t.Errorf("400 bytes in 2 s: %+v", e)
	}
	if d.take(pulled{Status: "pulling b", Digest: "b", Total: 800, Completed: 400}) {
		t.Error("the same line again counts as news")
	}
}

func TestDoSendsTheSameRunnerOptionsAsTheLoad(t *testing.T) {
	d := &double{models: []string{tiny}}
	target := open(t, d)
	record := target.Do(t.Context(), exobench.Deployment{Model: model(tiny), Created: true}, exobench.Request{
		Prompt: exobench.Prompt{Text: "Why?"}, MaxTokens: 7, Seed: 1<<40 + 5, Temperature: 0.25, IgnoreEOS: true,
	})
	if record.Outcome != exobench.OK || *record.OutputTokens != 3 || *record.PromptTokens != 9 || record.FinishReason != "length" {
		t.Errorf("record %+v", record)
	}
	body := d.posted("/api/chat")[0]
	want := `{"model":"tiny:latest","messages":[{"role":"user","content":"Why?"}],"stream":true,"truncate":false,"shift":false,"keep_alive":"30m","options":{"num_predict":7,"temperature":0.25,"seed":5}}`
	if body != want {
		t.Errorf("sent %s\nwant %s", body, want)
	}
}

func TestTheCacheOfOllama030IsUsedWhereItIsMeasured(t *testing.T) {
	for _, c := range []struct {
		version string
		cache   exobench.CachePolicy
		shift   string
	}{
		{"0.30.0", exobench.WarmCache, `"shift":true`},
		{"0.30.0", exobench.ColdCache, `"shift":false`},
		{"0.34.0", exobench.WarmCache, `"shift":false`},
		{"0.3.0", exobench.WarmCache, `"shift":false`},
	} {
		d := &double{models: []string{tiny}}
		target := open(t, d)
		target.version, target.env.Plan.Workload.Cache = c.version, c.cache
		deployment, err := target.Prepare(t.Context(), model(tiny), "", new(events).add)
		if err != nil {
			t.Fatal(err)
		}
		target.Do(t.Context(), deployment, exobench.Request{MaxTokens: 3})
		// Another shift than that of the load would have Ollama load it anew.
		if sent := d.posted("/api/chat"); len(sent) != 2 || !strings.Contains(sent[0], c.shift) || !strings.Contains(sent[1], c.shift) {
			t.Errorf("%s, %s: sent %q; want %s in both", c.version, c.cache, sent, c.shift)
		}
	}
}

func TestAShortAnswerIsNoFailure(t *testing.T) {
	// Ollama cannot ignore the end of sequence, so IgnoreEOS asks for nothing.
	d := &double{models: []string{tiny}}
	target := open(t, d)
	record := target.Do(t.Context(), exobench.Deployment{Model: model(tiny)}, exobench.Request{MaxTokens: 100, IgnoreEOS: true})
	if record.Outcome != exobench.OK {
		t.Errorf("outcome %s %s", record.Outcome, record.Error)
	}
}

func TestLoadedSaysWhereAModelIs(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{`{"size":1073741824,"size_vram":1073741824,"context_length":8192}`, "1.00 GiB by Ollama's reckoning, on GPUs, context 8192"},
		{`{"size":1073741824,"size_vram":536870912}`, "1.00 GiB by Ollama's reckoning, 50 % of it in what it counts as GPU memory"},
		{`{"size":1073741824}`, "1.00 GiB by Ollama's reckoning, in main memory"},
	} {
		var l loaded
		if err := json.Unmarshal([]byte(c.json), &l); err != nil || l.String() != c.want {
			t.Errorf("%s: %q, error %v; want %q", c.json, l.String(), err, c.want)
		}
	}
}
