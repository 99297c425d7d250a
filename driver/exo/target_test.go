package exo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestDialTellsWhatItFoundInThePlaceOfAnExo(t *testing.T) {
	t.Parallel()
	routes := func(server string, answers map[string]string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", server)
			body, ok := answers[r.URL.Path]
			if !ok {
				w.WriteHeader(404)
				body = answers["else"]
			}
			io.WriteString(w, body)
		})
	}
	for _, row := range []struct {
		claim   string
		handler http.Handler
		is      error
		says    string
	}{
		{"a legacy exo", routes("Python/3.12 aiohttp/3.10", map[string]string{"/healthcheck": `{"status": "ok"}`, "else": "404: Not Found"}),
			ErrLegacy, "(it answers /healthcheck): name it with --engine exo-legacy"},
		{"a llama-server", routes("llama.cpp", map[string]string{"else": `{"error":{"code":404}}`}), ErrNotExo, "a llama-server"},
		{"an Ollama", routes("", map[string]string{"/": "Ollama is running", "else": "404 page not found"}), ErrNotExo, "an Ollama (GET /node_id gives HTTP 404)"},
		{"a web page for everything", routes("nginx", map[string]string{"/node_id": "<!DOCTYPE html><html>", "/healthcheck": "<html>"}),
			ErrNotExo, "HTTP 200 from the server nginx, an HTML page"},
		{"some API", routes("uvicorn", map[string]string{"else": `{"detail":"Not Found"}`}), ErrNotExo, `HTTP 404 from the server uvicorn, "{\"detail\"`},
		{"an object where exo writes a string", routes("", map[string]string{"/node_id": `{"node_id":"x"}`}), ErrNotExo, "HTTP 200"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(row.handler)
			defer server.Close()
			_, err := Dial(context.Background(), Config{URL: server.URL})
			wantError(t, err, server.URL, row.says)
			if !errors.Is(err, row.is) {
				t.Errorf("error %v is not %v", err, row.is)
			}
		})
	}
}

func TestDialTellsWhyNothingAnswers(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	short := Default.pace
	short.probe = 200 * time.Millisecond

	_, err = Dial(context.Background(), Config{URL: address, pace: short}) // accepts and says nothing
	wantError(t, err, address, "no answer within 200ms")
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v is not ErrUnreachable", err)
	}
	listener.Close()
	_, err = Dial(context.Background(), Config{URL: address, pace: short})
	wantError(t, err, address, "connection refused")
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v is not ErrUnreachable", err)
	}
	_, err = Dial(context.Background(), Config{URL: "localhost:52415"})
	wantError(t, err, "--url")
}

func TestDialWaitsUntilExoKnowsItsNodes(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	looks := 0
	d.answers["GET /state/nodeMemory"] = func(w http.ResponseWriter) {
		if looks++; looks == 3 {
			delete(d.answers, "GET /state/nodeMemory")
		}
		io.WriteString(w, "{}")
	}
	nodes := d.dial(d.quick()).Nodes()
	want := Node{ID: "n1", Name: "studio-1", Chip: "Apple M3 Ultra", Memory: 16 * gib, Available: 8 * gib}
	wantEqual(t, "nodes", nodes, []Node{want})

	d.answers["GET /state/nodeMemory"] = func(w http.ResponseWriter) { io.WriteString(w, "{}") }
	config := d.quick()
	config.pace.ready = 20 * time.Millisecond
	_, err := Dial(context.Background(), config)
	wantError(t, err, "knows no node")
}

func TestValidateNamesTheFlagThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		config Config
		says   string
	}{
		{Config{Sharding: "Tensor"}, "--sharding Tensor can never be with --max-nodes 1"},
		{Config{InstanceMeta: "jaccl"}, "--instance-meta MlxJaccl can never be"},
		{Config{Sharding: "rows", MaxNodes: 2}, `--sharding is "rows"`},
		{Config{InstanceMeta: "nccl"}, `--instance-meta is "nccl"`},
		{Config{MinNodes: 2}, "--min-nodes is 2 and --max-nodes is 1"},
		{Config{MinNodes: -1}, "--min-nodes is -1"},
		{Config{Reuse: true, Replace: true}, "--reuse and --replace"},
		{Config{URL: "ftp://x"}, "--url"},
		{Config{LoadTimeout: -1}, "load time-out"},
	} {
		wantError(t, row.config.Validate(), row.says)
	}
	for _, good := range []Config{{}, {Sharding: "TENSOR", InstanceMeta: "Ring", MaxNodes: 2}, {URL: "https://node:1/"}} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

func TestReadMemoryCountsTheSameNodesBeforeAndAfterALoad(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	target := d.dial(d.quick())
	ctx := context.Background()
	check := func(want exobench.Bytes) {
		t.Helper()
		reading, err := target.ReadMemory(ctx)
		if err != nil || reading.Memory != want || reading.Source != exobench.FromNode {
			t.Errorf("reading %+v, %v; want %v", reading, err, want)
		}
	}
	nodes := func(change func()) {
		d.mu.Lock()
		defer d.mu.Unlock()
		change()
	}
	check(8 * gib)
	deployment, err := target.Prepare(ctx, tiny, nil)
	if err != nil {
		t.Fatal(err)
	}
	nodes(func() { d.nodes["n2"] = "studio-2" })
	check(8 * gib)
	nodes(func() { delete(d.nodes, "n1") })
	_, err = target.ReadMemory(ctx)
	wantError(t, err, "node studio-1 no longer reports")
	nodes(func() { d.nodes["n1"] = "studio-1" })
	if err := target.Release(ctx, deployment, nil); err != nil {
		t.Fatal(err)
	}
	check(16 * gib)
}

func TestReleaseDeletesWaitsAndMindsNoCancel(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	target := d.dial(d.quick())
	deployment, err := target.Prepare(context.Background(), tiny, nil)
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	seen := &recorder{}
	if err := target.Release(cancelled, deployment, seen.add); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "stages", seen.stages(), []exobench.Stage{exobench.StageRelease, exobench.StageReleased})
	wantEqual(t, "instances left", d.running(), []string{})
	if err := target.Release(cancelled, deployment, nil); err != nil {
		t.Errorf("an instance that is gone already: %v", err)
	}
}

func TestReleaseFailsWhenTheInstanceStays(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	config := d.quick()
	config.ReleaseTimeout = 300 * time.Millisecond
	target := d.dial(config)
	deployment, err := target.Prepare(context.Background(), tiny, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.undeletable = true
	d.mu.Unlock()
	err = target.Release(context.Background(), deployment, nil)
	wantError(t, err, "release "+tinyID, "instance i-1 is still there 300ms after")
}

func TestARunnerThatExoForgetsIsReportedAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	target := d.dial(d.quick())
	deployment, err := target.Prepare(context.Background(), tiny, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.answers["GET /state/runners/i-1-r0"] = func(w http.ResponseWriter) { io.WriteString(w, `{"RunnerShuttingDown":{}}`) }
	seen := &recorder{}
	if err := target.Release(context.Background(), deployment, seen.add); err != nil {
		t.Fatal(err)
	}
	last := seen.events[len(seen.events)-1]
	if last.Stage != exobench.StageReleased || !strings.Contains(last.Detail, "RunnerShuttingDown") {
		t.Errorf("last event %+v", last)
	}
}

func TestReleaseEndsAtOnceWhenExoIsGone(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	target := d.dial(d.quick())
	d.server.Close()
	err := target.Release(context.Background(), exobench.Deployment{Model: tiny, Instance: "i-1", Created: true}, nil)
	wantError(t, err, "no longer listens")
}

func TestCancelIsContentWithARequestThatEnded(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	target := d.dial(d.quick())
	if err := target.Cancel(context.Background(), "c/1"); err != nil {
		t.Error(err)
	}
}

func TestAnEmptyReasonPhraseIsAStatusLikeAnother(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	target := d.dial(d.quick())
	d.answers["POST /v1/cancel/c-1"] = func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 503 \r\nServer: hypercorn-h11\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
	wantError(t, target.Cancel(context.Background(), "c-1"), "cancel request c-1", "HTTP 503: service unavailable")
}

func TestProblemSpeaksAllShapesOfErrors(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error":{"message":"Instance not found","type":"Not Found","param":null,"code":404}}`: "Instance not found",
		`{"error":"Unsupported model"}`: "Unsupported model",
		`{"detail":"Not Found"}`:        "Not Found",
		`{"detail":[{"type":"missing","loc":["body","model"],"msg":"Field required","input":{}},
			{"loc":["body",0],"msg":"no"}]}`: "body.model: Field required; body.0: no",
		"Internal Server Error\n":  "Internal Server Error",
		" <!doctype html><p>x</p>": "an HTML page",
		"":                         "not found",
		`{"error":{"message":"` + strings.Repeat("x", 400) + `"}}`: strings.Repeat("x", 300) + "…",
	} {
		if got := problem(404, []byte(body)); got != want {
			t.Errorf("problem(%q) = %q, want %q", body, got, want)
		}
	}
}
