package embedded

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"exobench/shape"
)

const (
	llamaID   = "mlx-community/Llama-tiny-4bit"
	mistralID = "mlx-community/Mistral-tiny-4bit"
)

var tiny = shape.Shape{Layers: 2, Hidden: 32, Heads: 4, KVHeads: 2, FFN: 64, Vocab: 301, Context: 4000, RopeBase: 10000}

func tinyConfig() Config {
	short := tiny
	short.Context = 300
	return Config{
		Models:  []Model{{ID: llamaID, Quantization: "4bit", BaseModel: "Llama Tiny", Shape: tiny}},
		Addable: []Model{{ID: mistralID, Quantization: "4bit", BaseModel: "Mistral Tiny", Shape: short}},
		Seed:    7, Workers: 1, NodeName: "box", Version: "1.2",
	}
}

// client talks to a server over a real socket.
type client struct {
	t      testing.TB
	server *Server
	url    string
}

func serve(t testing.TB, config Config) *client {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		s.Close()
		h.Close()
	})
	return &client{t, s, h.URL}
}

// serveReady has an instance of the Llama model that is ready.
func serveReady(t testing.TB, change func(*Config)) *client {
	t.Helper()
	config := tinyConfig()
	config.Preload = []string{llamaID}
	if change != nil {
		change(&config)
	}
	c := serve(t, config)
	c.waitReady()
	return c
}

// open sends a request and returns the response with its body unread.
func (c *client) open(ctx context.Context, method, path, body string) *http.Response {
	c.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (c *client) do(method, path, body string) (int, string) {
	c.t.Helper()
	resp := c.open(c.t.Context(), method, path, body)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, string(data)
}

// get decodes an answer of 200.
func (c *client) get(path string) any {
	c.t.Helper()
	status, body := c.do("GET", path, "")
	if status != http.StatusOK {
		c.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	return parse(c.t, body)
}

func parse(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// at follows keys and list indexes into a decoded value.
func at(t testing.TB, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			v = v.(map[string]any)[step]
		case int:
			v = v.([]any)[step]
		}
	}
	return v
}

// eventually polls until a condition holds.
func (c *client) eventually(what string, holds func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// runnerTags returns the tags of all runners' states, in no order.
func (c *client) runnerTags() []string {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	var tags []string
	for _, r := range c.server.runners {
		tags = append(tags, r.tag)
	}
	return tags
}

func (c *client) waitRunners(want ...string) {
	c.t.Helper()
	c.eventually("runners "+strings.Join(want, ","), func() bool {
		return strings.Join(c.runnerTags(), ",") == strings.Join(want, ",")
	})
}

func (c *client) waitReady() { c.t.Helper(); c.waitRunners("RunnerReady") }

// commands counts the completions that run or wait.
func (c *client) commands() int {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return len(c.server.commands)
}

// create makes an instance of a model that the node has a card for, and returns
// it as it was previewed.
func (c *client) create(model string) any {
	c.t.Helper()
	instance := at(c.t, c.get("/instance/previews?model_id="+model), "previews", 0, "instance")
	posted := string(encode(map[string]any{"instance": instance}))
	if status, body := c.do("POST", "/instance", posted); status != http.StatusOK {
		c.t.Fatalf("POST /instance: %d %s", status, body)
	}
	return instance
}

// onlyInstance returns the id of the single instance.
func (c *client) onlyInstance() string {
	c.t.Helper()
	all := c.get("/state/instances").(map[string]any)
	if len(all) != 1 {
		c.t.Fatalf("%d instances, want 1", len(all))
	}
	for id := range all {
		return id
	}
	return ""
}

// ask returns the body of a request; more is appended to its fields.
func ask(model, content string, more string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"` + content + `"}]` + more + `}`
}

// wireEvent is one event of a stream as read from the wire: a comment or data.
type wireEvent struct {
	comment string
	data    string
}

// readEvents reads the events of a response until it ends.
func readEvents(t testing.TB, body io.Reader) []wireEvent {
	t.Helper()
	var all []wireEvent
	r := bufio.NewReader(body)
	for {
		e, ok := nextEvent(t, r)
		if !ok {
			return all
		}
		all = append(all, e)
	}
}

// nextEvent reads one event: exactly one line and an empty one.
func nextEvent(t testing.TB, r *bufio.Reader) (wireEvent, bool) {
	t.Helper()
	line, err := r.ReadString('\n')
	if err == io.EOF && line == "" {
		return wireEvent{}, false
	}
	if err != nil {
		t.Fatalf("stream: %v after %q", err, line)
	}
	if end, err := r.ReadString('\n'); end != "\n" {
		t.Fatalf("%q is followed by %q (%v), want an empty line", line, end, err)
	}
	line = strings.TrimSuffix(line, "\n")
	if c, ok := strings.CutPrefix(line, ": "); ok {
		return wireEvent{comment: c}, true
	}
	d, ok := strings.CutPrefix(line, "data: ")
	if !ok {
		t.Fatalf("line %q is neither comment nor data", line)
	}
	return wireEvent{data: d}, true
}

// complete streams a request to its end and returns its text, which must be
// framed by [DONE].
func (c *client) complete(path, body string) string {
	c.t.Helper()
	resp := c.open(c.t.Context(), "POST", path, body)
	all := readEvents(c.t, resp.Body)
	if len(all) == 0 || all[len(all)-1].data != "[DONE]" {
		c.t.Fatalf("stream of %s ends with %v, want [DONE]", body, all[max(0, len(all)-2):])
	}
	var text bytes.Buffer
	for _, e := range all[:len(all)-1] {
		if e.data != "" {
			text.WriteString(at(c.t, parse(c.t, e.data), "choices", 0, "delta", "content").(string))
		}
	}
	return text.String()
}
