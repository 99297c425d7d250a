package exolegacy

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench"
	"exobench/driver/drivertest"
	"exobench/internal/rawserver"
)

// double is a scripted exo 0.0.x: it answers each request on a raw socket with
// the bytes that its script has for the path.
type double struct {
	mu sync.Mutex
	// answers holds what a path is answered with; a path that is not there is
	// not found. Of several, each request takes the first and leaves the last.
	answers map[string][]string
	// wait delays the answer of a path: exo sends headers after the prefill.
	wait map[string]time.Duration
	// sent are the bodies of the chats.
	sent []string
}

func (d *double) start(t *testing.T) string {
	t.Helper()
	return "http://" + rawserver.Start(t, d.serve)
}

func (d *double) serve(c *net.TCPConn) {
	defer c.Close()
	request, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	body, _ := io.ReadAll(request.Body)
	time.Sleep(d.wait[request.URL.Path])
	io.WriteString(c, d.answer(request, string(body)))
}

func (d *double) answer(request *http.Request, body string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if request.Method == http.MethodPost {
		d.sent = append(d.sent, body)
	}
	left := d.answers[request.URL.Path]
	if len(left) == 0 {
		return object(404, "404: Not Found")
	}
	if len(left) > 1 {
		d.answers[request.URL.Path] = left[1:]
	}
	return left[0]
}

func (d *double) asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sent)
}

func object(code int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d \r\nContent-Type: application/json; charset=utf-8\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", code, len(body), body)
}

// stream makes a chunked event stream of its events, as aiohttp sends it.
func stream(events ...string) string { return open(events...) + "0\r\n\r\n" }

// open is a stream that has not ended.
func open(events ...string) string {
	var b strings.Builder
	b.WriteString("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, e := range events {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(e), e)
	}
	return b.String()
}

// said is an event of exo 0.0.15: the text stands in message and in delta.
func said(model, text, finish string) string {
	reason := "null"
	if finish != "" {
		reason = fmt.Sprintf("%q", finish)
	}
	return fmt.Sprintf(`data: {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": %q, "system_fingerprint": "exo_0.0.1", "choices": [{"index": 0, "message": {"role": "assistant", "content": %q}, "logprobs": null, "finish_reason": %s, "delta": {"role": "assistant", "content": %[2]q}}]}`+"\n\n", model, text, reason)
}

const (
	llama   = "llama-3.2-1b"
	chatURL = "/v1/chat/completions"
)

// tinygradNode is an exo that lists three models and can run two.
func tinygradNode() *double {
	return &double{wait: map[string]time.Duration{}, answers: map[string][]string{
		"/healthcheck":          {object(200, `{"status": "ok"}`)},
		"/v1/models":            {object(200, `{"object": "list", "data": [{"id": "llama-3.2-1b", "object": "model", "owned_by": "exo", "ready": true}, {"id": "llama-3.2-1b-8bit"}, {"id": "qwen-2.5-7b"}]}`)},
		"/initial_models":       {object(200, `{"llama-3.2-1b": {"name": "Llama 3.2 1B", "downloaded": null, "loading": true}, "llama-3.2-1b-8bit": {"name": null}}`)},
		"/modelpool":            {stream(`data: {"other": {"downloaded": true, "total_size": 5, "total_downloaded": 5}}`+"\n\n", `data: {"llama-3.2-1b": {"downloaded": true, "download_percentage": 100, "total_size": 7, "total_downloaded": 7}}`+"\n\n", "data: [DONE]\n\n")},
		"/v1/download/progress": {object(200, `{}`)},
		chatURL:                 {stream(said(llama, "O", ""), said(llama, "K", ""), said(llama, "<|eot_id|>", "stop"))},
	}}
}

// reach returns the engine that the double is, with the waits of quick where p
// has none.
func reach(t *testing.T, d *double, p pace) *engine {
	t.Helper()
	e, err := dial(t.Context(), exobench.EngineSpec{Name: "exo-legacy", URL: d.start(t)}, drivertest.Env(t), quick(p))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// quick shortens the waits that p leaves open.
func quick(p pace) pace {
	return pace{
		load: cmp.Or(p.load, usualPace.load), download: cmp.Or(p.download, usualPace.download),
		look: cmp.Or(p.look, usualPace.look), poll: 2 * time.Millisecond,
	}
}

// events collects stage events.
type events []exobench.StageEvent

func (e *events) add(one exobench.StageEvent) { *e = append(*e, one) }

func (e events) stages() string {
	var all []string
	for _, one := range e {
		all = append(all, string(one.Stage))
	}
	return strings.Join(slices.Compact(all), " ")
}

// of returns the first event of a stage.
func (e events) of(stage exobench.Stage) exobench.StageEvent {
	i := slices.IndexFunc(e, func(one exobench.StageEvent) bool { return one.Stage == stage })
	if i < 0 {
		return exobench.StageEvent{}
	}
	return e[i]
}

func underWay(model string, done, total int) string {
	text, _ := json.Marshal(map[string]any{"node": map[string]any{
		"shard":  map[string]any{"model_id": model, "start_layer": 0, "end_layer": 15, "n_layers": 16},
		"status": "in_progress", "downloaded_bytes": done, "total_bytes": total, "overall_speed": 50,
	}})
	return object(200, string(text))
}
