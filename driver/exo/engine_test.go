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
	"exobench/driver/drivertest"
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
			ErrNotExo, "HTTP 200 from the server nginx: an HTML page"},
		{"some API", routes("uvicorn", map[string]string{"else": `{"detail":"Not Found"}`}), ErrNotExo, "HTTP 404 from the server uvicorn: Not Found"},
		{"an object where exo writes a string", routes("", map[string]string{"/node_id": `{"node_id":"x"}`}), ErrNotExo, "HTTP 200"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(row.handler)
			defer server.Close()
			_, err := Driver{}.Open(context.Background(), exobench.EngineSpec{Name: "exo", URL: server.URL}, drivertest.Env(t))
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
	quick := config{url: address, env: drivertest.Env(t), pace: usualPace}
	quick.pace.probe = 200 * time.Millisecond

	_, err = dial(context.Background(), quick) // accepts and says nothing
	wantError(t, err, address, "no answer within 200ms")
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v is not ErrUnreachable", err)
	}
	listener.Close()
	_, err = dial(context.Background(), quick)
	wantError(t, err, address, "is unreachable: connection refused")
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v is not ErrUnreachable", err)
	}
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
	nodes := d.dial(d.quick()).nodes
	want := clusterNode{id: "n1", name: "studio-1", chip: "Apple M3 Ultra", memory: 16 * gib, available: 8 * gib}
	wantEqual(t, "nodes", nodes, []clusterNode{want})

	d.answers["GET /state/nodeMemory"] = func(w http.ResponseWriter) { io.WriteString(w, "{}") }
	config := d.quick()
	config.pace.ready = 20 * time.Millisecond
	_, err := dial(context.Background(), config)
	wantError(t, err, "knows no node")
}

func TestReleaseDeletesWaitsAndMindsNoCancel(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	engine := d.dial(d.quick())
	deployment, err := engine.Prepare(context.Background(), tiny, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	seen := &recorder{}
	if err := engine.Release(cancelled, deployment, seen.add); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "stages", seen.stages(), []exobench.Stage{exobench.StageRelease, exobench.StageReleased})
	wantEqual(t, "instances left", d.running(), []string{})
	if err := engine.Release(cancelled, deployment, nil); err != nil {
		t.Errorf("an instance that is gone already: %v", err)
	}
}

func TestReleaseFailsWhenTheInstanceStays(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	config := d.quick()
	config.pace.release = 300 * time.Millisecond
	engine := d.dial(config)
	deployment, err := engine.Prepare(context.Background(), tiny, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.undeletable = true
	d.mu.Unlock()
	err = engine.Release(context.Background(), deployment, nil)
	wantError(t, err, "release: ", "instance i-1 is still there 300ms after")
}

func TestARunnerThatExoForgetsIsReportedAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	config := d.quick()
	config.children = func(context.Context, int) ([]int, error) { return nil, errors.New("it runs elsewhere") }
	engine := d.dial(config)
	deployment, err := engine.Prepare(context.Background(), tiny, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	d.answers["GET /state/runners/i-1-r0"] = func(w http.ResponseWriter) { io.WriteString(w, `{"RunnerShuttingDown":{}}`) }
	seen := &recorder{}
	if err := engine.Release(context.Background(), deployment, seen.add); err != nil {
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
	engine := d.dial(d.quick())
	d.server.Close()
	err := engine.Release(context.Background(), exobench.Deployment{Model: tiny, Instance: "i-1", Created: true}, nil)
	wantError(t, err, "no longer listens")
}

func TestCancelIsContentWithARequestThatEnded(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	engine := d.dial(d.quick())
	if err := engine.cancel(context.Background(), "c/1"); err != nil {
		t.Error(err)
	}
}

func TestAnEmptyReasonPhraseIsAStatusLikeAnother(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	engine := d.dial(d.quick())
	d.answers["POST /v1/cancel/c-1"] = func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 503 \r\nServer: hypercorn-h11\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
	wantError(t, engine.cancel(context.Background(), "c-1"), "cancel request c-1", "HTTP 503: service unavailable")
}
