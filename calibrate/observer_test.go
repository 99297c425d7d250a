package calibrate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/reference"
	"exobench/run"
	"exobench/wire"
)

// plain is an engine whose model is always there. It asks as a driver would.
type plain struct {
	driver.Engine
	url      string
	wire     *wire.Client
	released atomic.Int64
}

func (p *plain) Info() exobench.Engine { return exobench.Engine{Name: "plain", Driver: "openai"} }

func (p *plain) Prepare(_ context.Context, m exobench.Model, _ string, _ func(exobench.StageEvent)) (exobench.Deployment, error) {
	return exobench.Deployment{Model: m, Created: true}, nil
}

func (p *plain) Release(context.Context, exobench.Deployment, func(exobench.StageEvent)) error {
	p.released.Add(1)
	return nil
}

func (p *plain) Sensors() []driver.Sensor    { return nil }
func (p *plain) Notices() []string           { return nil }
func (p *plain) Alive(context.Context) error { return nil }

func (p *plain) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	body, _ := json.Marshal(map[string]any{
		"model": d.Model.ID, "stream": true, "max_tokens": r.MaxTokens,
		"messages": []map[string]string{{"role": "user", "content": r.Prompt.Text}},
	})
	return p.wire.Do(ctx, wire.Call{URL: p.url, Body: body, Timeout: time.Minute})
}

// observe observes an engine behind a handler.
func observe(t *testing.T, handler http.Handler) (*Observer, *plain) {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	clock := exobench.NewClock()
	client := wire.NewClient(wire.Config{Clock: clock})
	t.Cleanup(client.Close)
	engine := &plain{url: web.URL + "/v1/chat/completions", wire: client}
	return &Observer{
		Engine: engine, Model: exobench.Model{Name: "reference", ID: "reference"}, Clock: clock,
		Endpoint: engine.url, Folder: t.TempDir(), Pairs: 2, Streams: 2, Requests: 4, Tokens: 10,
		Bare: func(ctx context.Context) *exec.Cmd {
			command := exec.CommandContext(ctx, os.Args[0])
			command.Env = append(os.Environ(), bareChild+"=1")
			return command
		},
	}, engine
}

// A server may close a connection just when it is used again, as llama-server does.
func TestTheBareClientAsksOnceMoreWhereAnIdleConnectionWasClosed(t *testing.T) {
	var asked atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 2 { // on the connection of the first
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				c.Close()
			}
			return
		}
		io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"w\"}}]}\n\n")
	}))
	defer web.Close()
	work := bareWork{URL: web.URL, Streams: 1, Requests: [][]byte{[]byte(`{}`), []byte(`{}`)}}
	if _, err := work.run(t.Context()); err != nil || asked.Load() != 3 {
		t.Errorf("%v after %d requests, want 3", err, asked.Load())
	}
}

func TestTheObserverHasBothClientsDoTheSameWorkInTurn(t *testing.T) {
	server, err := reference.New(reference.Config{TTFT: time.Millisecond, Interval: time.Millisecond, Tokens: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	var order []string
	prompts := map[string]int{}
	o, engine := observe(t, http.HandlerFunc(nil))
	lock := make(chan struct{}, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var asked struct {
			Messages []struct{ Content string }
			Tokens   int `json:"max_tokens"`
			Extra    int
		}
		if err := json.Unmarshal(body, &asked); err != nil || asked.Tokens != 10 {
			t.Errorf("asked with %s", body)
		}
		lock <- struct{}{}
		who := "run"
		if asked.Extra == 7 {
			who = "bare"
		}
		if len(order) == 0 || order[len(order)-1] != who {
			order = append(order, who)
		}
		prompts[asked.Messages[0].Content]++
		<-lock
		r.Body = io.NopCloser(bytes.NewReader(body))
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	engine.url, o.Endpoint = web.URL+"/v1/chat/completions", web.URL+"/v1/chat/completions"
	o.Body = map[string]any{"extra": 7}
	pairs, opened, ended := 0, 0, 0
	o.Progress = func(n int, ratio float64) { pairs = n }
	o.Sensors = func(*run.Config) func() {
		if opened++; opened != ended+1 {
			t.Error("sensors of a run are opened while those of another one are open")
		}
		return func() { ended++ }
	}
	result, err := o.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if opened != o.Pairs+1 || ended != opened { // one run does not count
		t.Errorf("sensors were opened %d times and closed %d times in %d pairs", opened, ended, o.Pairs)
	}
	// A pair that warms up, and two whose order changes.
	if want := []string{"bare", "run", "bare", "run"}; !reflect.DeepEqual(order, want) || pairs != 2 || engine.released.Load() != 1 {
		t.Errorf("rounds of %q in turn, %d pairs told, released %d times", order, pairs, engine.released.Load())
	}
	if len(prompts) != 3*2*4 {
		t.Errorf("%d prompts differ, of 24", len(prompts))
	}
	if len(result.Ratios) != 2 || result.Ratio <= 0 || result.Told || result.Low != 0 ||
		result.BareRate <= 0 || result.Rate <= 0 || result.CPU <= 0 || result.BareCPU <= 0 || result.Streams != 2 || result.Engine != "openai" {
		t.Errorf("the result is %+v", result)
	}
	if journals, _ := filepath.Glob(filepath.Join(o.Folder, "*.jsonl")); len(journals) != 3 {
		t.Errorf("%d journals, want one for each round of a run", len(journals))
	}
}

// telling is an engine that says how fast it was; each answer is slower than the
// one before.
func telling(form string) http.Handler {
	var answers atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 5 {
			io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n")
		}
		fmt.Fprintf(w, form, 100-answers.Add(1))
		io.WriteString(w, "data: [DONE]\n\n")
	})
}

func TestTheObserverTakesTheEnginesWordForItsSpeed(t *testing.T) {
	for _, form := range []string{
		"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}],\"timings\":{\"predicted_n\":5,\"predicted_per_second\":%d}}\n\n",
		"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n: generation_stats {\"prompt_tps\":1,\"generation_tps\":%d,\"generation_tokens\":5,\"prompt_tokens\":3}\n\n",
	} {
		o, _ := observe(t, telling(form))
		o.Pairs, o.Streams, o.Requests = 1, 1, 1
		result, err := o.Measure(t.Context())
		// Two rounds warm up, then it says 97 to the run and 96 to the bare client.
		if err != nil || !result.Told || result.Rate != 97 || result.BareRate != 96 || result.Ratio != 97.0/96 {
			t.Errorf("%q: %+v, %v", form, result, err)
		}
	}
}

func TestTheObserverSaysWhatWentWrong(t *testing.T) {
	refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no such model", http.StatusNotFound) })
	o, engine := observe(t, refusing)
	if _, err := o.Measure(t.Context()); err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "no such model") {
		t.Errorf("an engine that refuses the bare client: %v", err)
	}
	if engine.released.Load() != 1 {
		t.Error("the model stays")
	}
	o, engine = observe(t, telling("%d"))
	engine.url = "http://127.0.0.1:1"
	if _, err := o.Measure(t.Context()); err == nil || !strings.Contains(err.Error(), "connect_error") {
		t.Errorf("an engine that exobench does not reach: %v", err)
	}
	if _, err := (&Observer{Streams: 2, Requests: 1}).Measure(t.Context()); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three problems: %v", err)
	}
}

func TestConcludeTakesMediansOfThePairs(t *testing.T) {
	o := Observer{Engine: &plain{}}
	var pairs []pair
	for i := range 10 {
		pairs = append(pairs, pair{
			bare: seen{Wall: time.Second, Tokens: 100, Events: 50, CPU: time.Millisecond},
			run:  seen{Wall: time.Second, Tokens: 91 + i, Events: 50, CPU: 2 * time.Millisecond, Told: 5},
		})
	}
	r := o.conclude(pairs)
	if r.Told || r.Ratio < 0.954999 || r.Ratio > 0.955001 || r.Low < 0.91 || r.Low > r.Ratio || r.High < r.Ratio || r.High > 1 {
		t.Errorf("%+v", r)
	}
	if r.BareCPU != 20*time.Millisecond || r.CPU != 40*time.Millisecond || r.BareRate != 100 || r.Rate < 95.499 || r.Rate > 95.501 {
		t.Errorf("%+v", r)
	}
}
