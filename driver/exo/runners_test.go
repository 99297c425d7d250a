package exo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"exobench"
)

const (
	readyRunner   = `{"RunnerReady":{"prefillServerPort":null}}`
	runningRunner = `{"RunnerRunning":{}}`
)

// answer is a whole answer of one token.
func answer(w http.ResponseWriter) {
	fmt.Fprint(w, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],"+
		"\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n\n"+
		": generation_stats {\"prompt_tps\":5,\"generation_tps\":0,\"prompt_tokens\":1,\"generation_tokens\":1,\"peak_memory_usage\":{\"in_bytes\":1073741824}}\n\ndata: [DONE]\n\n")
}

// serving is an engine with a model that is ready, on the double.
func (d *double) serving() (*Engine, exobench.Deployment) {
	d.t.Helper()
	d.walk = d.ready("i-1")
	e := d.dial(d.quick())
	deployment, err := e.Prepare(d.t.Context(), tiny, "", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.answers["POST /bench/chat/completions"] = answer
	d.look(e, exobench.Loaded)
	return e, deployment
}

// look has the engine look at the runners once, and returns what exo did for others.
func (d *double) look(e *Engine, m exobench.Moment) exobench.Values {
	d.t.Helper()
	samples, err := sensor(e, "runners").Read(d.t.Context(), m)
	if err != nil || len(samples) != 1 {
		d.t.Fatalf("samples %v, %v", samples, err)
	}
	return samples[0].Values
}

func (d *double) ask(e *Engine, deployment exobench.Deployment) exobench.Record {
	return e.Do(d.t.Context(), deployment, exobench.Request{Prompt: exobench.Prompt{Text: "hi"}, MaxTokens: 1, IgnoreEOS: true})
}

func TestARequestDuringWhichARunnerIsRestartedIsMarked(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why string
		// during are the looks while the request is under way, after after it.
		during []string
		want   exobench.Outcome
		says   string
	}{
		{"nothing happens", []string{runningRunner, runningRunner}, exobench.OK, ""},
		{"a state that no exo has had", []string{`{"RunnerSpeculating":{}}`}, exobench.OK, ""},
		{"it fails and is loaded again", []string{runningRunner, `{"RunnerFailed":{"errorMessage":"killed"}}`, `{"RunnerLoading":{}}`, runningRunner},
			exobench.Restarted, "runner i-1-r0 was RunnerFailed while it was under way"},
		{"it warms up", []string{`{"RunnerWarmingUp":{}}`}, exobench.Restarted, "RunnerWarmingUp"},
		{"it is gone and its instance stays", []string{"", readyRunner}, exobench.Restarted, "runner i-1-r0 was gone"},
	} {
		d := newDouble(t)
		e, deployment := d.serving()
		d.answers["POST /bench/chat/completions"] = func(w http.ResponseWriter) {
			d.mu.Unlock() // exo serves other calls meanwhile
			defer d.mu.Lock()
			for _, state := range row.during {
				d.mu.Lock()
				if d.runners["i-1-r0"] = state; state == "" {
					delete(d.runners, "i-1-r0")
				}
				d.mu.Unlock()
				d.look(e, exobench.During)
			}
			answer(w)
		}
		r := d.ask(e, deployment)
		seen := observed(e)
		if r.Outcome != row.want || !strings.Contains(r.Error, row.says) || (seen != "") != (row.says != "") {
			t.Errorf("%s: outcome %s, error %q, observed %q", row.why, r.Outcome, r.Error, seen)
		}
		// The next one is as any other.
		d.mu.Lock()
		d.runners["i-1-r0"] = readyRunner
		d.answers["POST /bench/chat/completions"] = answer
		d.mu.Unlock()
		r = d.ask(e, deployment)
		d.look(e, exobench.During)
		if last := d.ask(e, deployment); r.Outcome != exobench.OK || last.Outcome != exobench.OK || r.Error != "" {
			t.Errorf("%s: the next ones end %s, %q, and %s", row.why, r.Outcome, r.Error, last.Outcome)
		}
		if seen := observed(e); seen != "" {
			t.Errorf("%s: told again: %q", row.why, seen)
		}
	}
}

func TestOtherRunnersOfTheSameInstanceAreAChange(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	e, deployment := d.serving()
	d.answers["POST /bench/chat/completions"] = func(w http.ResponseWriter) {
		d.mu.Unlock()
		defer d.mu.Lock()
		d.mu.Lock()
		d.instances["i-1"] = []byte(strings.ReplaceAll(string(onNode("i-1", tinyID)), "i-1-r0", "i-1-r9"))
		d.runners["i-1-r9"] = runningRunner
		d.mu.Unlock()
		d.look(e, exobench.During)
		answer(w)
	}
	if r := d.ask(e, deployment); r.Outcome != exobench.Restarted || !strings.Contains(r.Error, "got other runners") {
		t.Errorf("outcome %s, %q", r.Outcome, r.Error)
	}
	d.answers["POST /bench/chat/completions"] = answer
	if r := d.ask(e, deployment); r.Outcome != exobench.OK {
		t.Errorf("the next one ends %s, %q", r.Outcome, r.Error)
	}
}

// generation is a task of exo's that answers a request.
func generation(instance, command, status string) string {
	return fmt.Sprintf(`{"TextGeneration":{"taskId":"t","taskStatus":%q,"instanceId":%q,"commandId":%q,"taskParams":{"input":[]}}}`, status, instance, command)
}

func TestWhatElseExoDoesIsTold(t *testing.T) {
	t.Parallel()
	other := func(state string) func(d *double) {
		return func(d *double) {
			d.instances["x"] = onNode("x", "org/other")
			d.runners["x-r0"] = state
		}
	}
	for _, row := range []struct {
		why string
		// then comes before the first look, now before the second, at m.
		then, now func(d *double)
		m         exobench.Moment
		// requests and atWork are what the second look shows.
		requests, atWork float64
		want             string
	}{
		{"nothing", nil, nil, exobench.After, 0, 0, ""},
		{"entries of runners that are gone stay", nil, func(d *double) { d.runners["old"] = `{"RunnerShuttingDown":{}}` }, exobench.After, 0, 0, ""},
		{"another instance is there, and idle", other(readyRunner), nil, exobench.After, 0, 0, "exo also runs org/other (instance x)"},
		{"another instance answers", other(readyRunner), other(runningRunner), exobench.During, 0, 1, "exo also runs org/other (instance x)"},
		{"another instance is loaded", nil, other(`{"RunnerLoading":{"layersLoaded":1,"totalLayers":16}}`), exobench.During, 0, 1, "exo also runs org/other (instance x)"},
		{"another instance is taken away", other(readyRunner), other(`{"RunnerShuttingDown":{}}`), exobench.During, 0, 1, ""},
		{"another's entry goes", other(readyRunner), func(d *double) { delete(d.runners, "x-r0") }, exobench.During, 0, 1, ""},
		{"another instance answers between looks", other(readyRunner), func(d *double) {
			d.tasks = map[string]string{"1": generation("x", "c-1", "Running"), "2": generation("x", "c-2", "Complete")}
		}, exobench.After, 0, 1, ""},
		{"a request of somebody else's", nil, func(d *double) {
			d.tasks = map[string]string{
				"1": generation("i-1", "c-1", "Running"), "2": generation("i-1", "c-2", "Pending"), "3": generation("i-1", "c-3", "Complete"),
				"4": `{"LoadModel":{"taskId":"4","taskStatus":"Running","instanceId":"i-1"}}`, "5": `[]`,
			}
		}, exobench.After, 2, 0, ""},
		{"another instance of the model", nil, func(d *double) { d.instances["x"] = onNode("x", tinyID) }, exobench.Loaded, 0, 0, "exo has 2 instances of this model and spreads requests over them"},
		{"the instance is deleted", nil, func(d *double) { delete(d.instances, "i-1") }, exobench.During, 0, 0, "exo no longer has instance i-1"},
	} {
		d := newDouble(t)
		e, _ := d.serving()
		var last exobench.Values
		for _, step := range []func(d *double){row.then, row.now} {
			d.mu.Lock()
			if step != nil {
				step(d)
			}
			d.mu.Unlock()
			last = d.look(e, row.m)
		}
		if n, _ := last.Get(exobench.OthersAtWork); n != row.atWork {
			t.Errorf("%s: %v others at work, want %v", row.why, n, row.atWork)
		}
		if n, _ := last.Get(exobench.OthersRequests); n != row.requests {
			t.Errorf("%s: %v requests of others, want %v", row.why, n, row.requests)
		}
		d.look(e, row.m)
		if seen := observed(e); !strings.Contains(seen, row.want) || row.why == "nothing" && seen != "" || strings.Count(seen, "org/other") > 1 {
			t.Errorf("%s: observed %q, want %q", row.why, seen, row.want)
		}
	}
}

func TestOurOwnRequestsAreNotThoseOfOthers(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	e, deployment := d.serving()
	requests := func() float64 {
		n, _ := d.look(e, exobench.After).Get(exobench.OthersRequests)
		return n
	}
	d.answers["POST /bench/chat/completions"] = func(w http.ResponseWriter) {
		d.mu.Unlock()
		defer d.mu.Lock()
		d.set(generation("i-1", "c", "Running"))
		if n := requests(); n != 0 {
			t.Errorf("while one of ours is under way: %v of others", n)
		}
		d.set(generation("i-1", "c", "Running"), generation("i-1", "foreign", "Running"))
		if n := requests(); n != 1 {
			t.Errorf("while one of each is under way: %v of others", n)
		}
		d.set(generation("i-1", "c", "Running"))
		answer(w)
	}
	if r := d.ask(e, deployment); r.ServerID != "c" {
		t.Fatalf("the request's id is %q", r.ServerID)
	}
	if n := requests(); n != 0 { // exo still lists it
		t.Errorf("after ours: %v of others", n)
	}
	d.answers["POST /bench/chat/completions"] = failing(500, "Internal Server Error")
	d.ask(e, deployment)
	d.set(generation("i-1", "unnamed", "Running"))
	if n := requests(); n != 0 {
		t.Errorf("after one of ours without an id: %v of others", n)
	}
}

// set sets the tasks.
func (d *double) set(tasks ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tasks = map[string]string{}
	for i, task := range tasks {
		d.tasks[fmt.Sprint(i)] = task
	}
}

func TestWhatOthersDoDuringTheLoadIsSeen(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.runners["x-r0"] = readyRunner
	d.walk = append([]func(){d.runner("x-r0", runningRunner)}, d.ready("i-1")...)
	e := d.dial(d.quick())
	deployment, err := e.Prepare(t.Context(), tiny, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := d.look(e, exobench.Loaded).Get(exobench.OthersAtWork); n != 1 {
		t.Errorf("%v others at work", n)
	}
	// What was measured before is none of somebody else's.
	if err := e.Release(t.Context(), deployment, nil); err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.previews = []string{previews(preview1("i-2", tinyID))}
	d.walk = append([]func(){d.runner("i-1-r0", `{"RunnerReady":{}}`)}, d.ready("i-2")...)
	d.mu.Unlock()
	if _, err := e.Prepare(t.Context(), tiny, "", nil); err != nil {
		t.Fatal(err)
	}
	if n, _ := d.look(e, exobench.Loaded).Get(exobench.OthersAtWork); n != 0 {
		t.Errorf("%v others at work, of which one is ours", n)
	}
}

func TestALookCostsExoNoMoreThanItSaves(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	e, _ := d.serving()
	asked := 0
	d.answers["GET /state/nodeSystem"] = func(w http.ResponseWriter) { asked++; fmt.Fprint(w, "{}") }
	for _, m := range []exobench.Moment{exobench.Before, exobench.During, exobench.During} {
		if _, err := sensor(e, "nodes").Read(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 1 {
		t.Errorf("an exo without sensors was asked for them %d times", asked)
	}
	asked = 0
	d.answers["GET /state/tasks"] = func(w http.ResponseWriter) { asked++; fmt.Fprint(w, "{}") }
	for range 9 {
		d.look(e, exobench.During)
	}
	if asked != 3 {
		t.Errorf("exo was asked for its tasks at %d of 9 looks", asked)
	}
}

func TestPeaksOfMemoryAreThoseThatExoMeant(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	e, deployment := d.serving()
	if r := d.ask(e, deployment); r.Server == nil || *r.Server.PeakMemory != 1e9 || r.Server.PrefixCache != "" {
		t.Errorf("record %+v", r.Server)
	}
	e.config.identity.Driver = "embedded"
	if r := d.ask(e, deployment); *r.Server.PeakMemory != 1<<30 {
		t.Errorf("of what is no exo: %v", *r.Server.PeakMemory)
	}
}

func TestABaseWithV1IsExosToo(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	config := d.quick()
	for _, end := range []string{"/v1", "/v1/", "/"} {
		config.url = d.server.URL + end
		e := d.dial(config)
		if e.api.Base() != d.server.URL || !strings.HasSuffix(e.chatURL(exobench.Request{}), "/v1/chat/completions") || strings.Contains(e.chatURL(exobench.Request{}), "/v1/v1") {
			t.Errorf("%s: base %s, chats go to %s", end, e.api.Base(), e.chatURL(exobench.Request{}))
		}
	}
}

func TestExoAsForksAndOpenChangesHaveIt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		change func(d *double, c *config)
		// fails is what the error of the load says; empty where it must not fail.
		fails string
		// told is in what is told of the load, noted in what is observed.
		told, noted string
	}{
		{"JSON is compressed, with an ETag", func(d *double, _ *config) { d.gzip = true }, "", "", ""},
		{"Linux tells of its GPU", func(d *double, _ *config) {
			d.sensors = map[string]string{"n1": `{"gpuUsage":0.5,"temp":60,"sysPower":null,"vramUsed":{"inBytes":5},"newField":[1]}`}
		}, "", "", ""},
		{"two instances of the model take turns", func(d *double, _ *config) {
			d.onCreate = func(id string, raw json.RawMessage) {
				d.instances[id], d.instances["twin"] = raw, onNode("twin", tinyID)
			}
		}, "", "", "exo has 2 instances of this model and spreads requests over them"},
		{"the first command is lost", func(d *double, c *config) {
			c.pace.appear = 200 * time.Millisecond
			d.walk = nil
			d.onCreate = func(string, json.RawMessage) {
				d.onCreate = func(id string, raw json.RawMessage) { d.instances[id], d.walk = raw, d.ready(id) }
			}
		}, "", "asking again", ""},
		{"no instance ever appears", func(d *double, c *config) {
			c.pace.appear = 500 * time.Millisecond
			d.onCreate = func(string, json.RawMessage) {}
		}, "exo took the command, but no instance showed up within 500ms", "asking again", ""},
		{"a runner goes and the instance stays", func(d *double, c *config) {
			c.pace.gone = 50 * time.Millisecond
			d.walk = []func(){d.runner("i-1-r0", `{"RunnerLoading":{"layersLoaded":1,"totalLayers":16}}`), func() { delete(d.runners, "i-1-r0") }}
		}, "its runner i-1-r0 has been gone for 50ms, and its instance stays", "", ""},
		{"a runner is gone for a moment", func(d *double, c *config) {
			d.walk = append([]func(){d.runner("i-1-r0", `{"RunnerIdle":{}}`), func() { delete(d.runners, "i-1-r0") }, func() {}}, d.ready("i-1")...)
		}, "", "", ""},
		{"parts of the state are not there", func(d *double, _ *config) {
			for _, path := range []string{"topology", "nodeSystem", "downloads/n1"} {
				d.answers["GET /state/"+path] = failing(404, "unable to find path")
			}
		}, "", "", ""},
	} {
		d := newDouble(t)
		d.walk = d.ready("i-1")
		config := d.quick()
		row.change(d, &config)
		e := d.dial(config)
		seen, err := d.clear(e)
		if err == nil {
			_, err = e.Prepare(t.Context(), tiny, "", seen.add)
		}
		if row.fails != "" {
			wantError(t, err, row.fails)
			wantEqual(t, row.why+": instances left", d.running(), []string{})
		} else if err != nil {
			t.Errorf("%s: %v", row.why, err)
		} else if _, err := sensor(e, "nodes").Read(t.Context(), exobench.Loaded); err != nil {
			t.Errorf("%s: %v", row.why, err)
		} else {
			d.look(e, exobench.Loaded)
		}
		told := ""
		for _, ev := range seen.events {
			told += ev.Detail
		}
		if noted := observed(e); !strings.Contains(told, row.told) || !strings.Contains(noted, row.noted) || row.noted == "" && noted != "" {
			t.Errorf("%s: told %q, observed %q", row.why, told, noted)
		}
	}
}
