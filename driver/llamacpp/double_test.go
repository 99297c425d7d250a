package llamacpp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"exobench"
	"exobench/wire"
)

// The test binary plays two programs beside the tests: llama-server when it is
// run with llama-server's arguments, and an exobench to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "--version":
			fmt.Fprintln(os.Stderr, "version: 0.7.0 (build 11669, commit Debian)")
			return
		case "-m":
			playServer(os.Args[1:])
			return
		case "exobench":
			playExobench(os.Args[2:])
			return
		}
	}
	// Else the race detector holds up the end of each of them for a second.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// double plays llama-server's HTTP API. Its fields are set before it serves.
type double struct {
	model   string
	slots   int
	loading atomic.Bool
	key     string
	// words is how many tokens an answer has where fewer than asked for.
	words int
	// limit is the longest prompt in bytes.
	limit int
	// onChat is called in mid-answer.
	onChat func(*http.Request)
	// answers override what a path gives.
	answers map[string]string

	mu   sync.Mutex
	body []byte // of the latest chat completion
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, kind, message string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"code":%d,"message":%q,"type":%q}}`, status, message, kind)
	}
	if answer, ok := d.answers[r.URL.Path]; ok {
		io.WriteString(w, answer)
		return
	}
	switch {
	case d.loading.Load():
		fail(503, "unavailable_error", "Loading model")
	case r.URL.Path == "/health":
		io.WriteString(w, `{"status":"ok"}`)
	case d.key != "" && r.Header.Get("Authorization") != "Bearer "+d.key:
		fail(401, "authentication_error", "Invalid API Key")
	case r.URL.Path == "/props":
		fmt.Fprintf(w, `{"default_generation_settings":{"n_ctx":2048},"total_slots":%d,"model_ftype":"Q8_0","model_path":%q,"build_info":"b11669-Debian"}`, d.slots, d.model)
	case r.URL.Path == "/v1/models":
		name := filepath.Base(d.model)
		fmt.Fprintf(w, `{"object":"list","data":[{"id":%q,"aliases":[%q,"other"],"meta":{"n_params":3279104,"size":3490816,"ftype":"Q8_0"}}]}`, name, name)
	case r.URL.Path == "/v1/chat/completions":
		d.chat(w, r, fail)
	default:
		fail(404, "not_found_error", "File Not Found")
	}
}

// asked returns the latest chat completion's body.
func (d *double) asked() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.body
}

func (d *double) chat(w http.ResponseWriter, r *http.Request, fail func(int, string, string)) {
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	d.body = body
	d.mu.Unlock()
	var ask struct {
		Messages  []struct{ Content string }
		MaxTokens int `json:"max_tokens"`
	}
	if json.Unmarshal(body, &ask) != nil || len(ask.Messages) != 1 {
		fail(400, "invalid_request_error", "bad request")
		return
	}
	if n := len(ask.Messages[0].Content); d.limit > 0 && n > d.limit {
		fail(400, "exceed_context_size_error", fmt.Sprintf("request (%d tokens) exceeds the available context size (%d tokens), try increasing it", n, d.limit))
		return
	}
	n := ask.MaxTokens
	if d.words > 0 {
		n = min(n, d.words)
	}
	event := func(text string) {
		fmt.Fprintf(w, "data: %s\n\n", text)
		w.(http.Flusher).Flush()
	}
	event(`{"choices":[{"delta":{"role":"assistant","content":null}}]}`)
	for i := range n {
		if i == 1 && d.onChat != nil {
			d.onChat(r)
		}
		event(`{"choices":[{"delta":{"content":"x"}}]}`)
	}
	event(`{"choices":[{"delta":{},"finish_reason":"length"}]}`)
	event(fmt.Sprintf(`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":%d,"prompt_tokens_details":{"cached_tokens":0}},"timings":{"cache_n":0,"prompt_n":9,"prompt_per_second":90,"predicted_n":%d,"predicted_per_second":50}}`, n, n))
	event("[DONE]")
}

// serve makes the double answer over a real socket in this process.
func (d *double) serve(t *testing.T) (url string) {
	t.Helper()
	if d.slots == 0 {
		d.slots = 2
	}
	if d.model == "" {
		d.model = "/models/Tiny.Q8_0.gguf"
	}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return server.URL
}

// playServer is llama-server as a process. How it misbehaves stands after
// --fake, with commas between.
func playServer(args []string) {
	value := func(name string) string {
		if i := slices.Index(args, name); i >= 0 {
			return args[i+1]
		}
		return ""
	}
	does := func(what string) bool { return slices.Contains(strings.Split(value("--fake"), ","), what) }

	terms := make(chan os.Signal, 8)
	signal.Notify(terms, syscall.SIGTERM)
	d := &double{model: value("-m"), slots: 2}
	d.loading.Store(true)
	if does("crash") {
		d.onChat = func(*http.Request) {
			fmt.Fprintln(os.Stderr, "0.01.000.000 E ggml.c:123: GGML_ASSERT(a != b) failed")
			os.Exit(3)
		}
	}
	if does("endless") {
		d.onChat = func(r *http.Request) { <-r.Context().Done() }
	}
	fmt.Fprintf(os.Stderr, "0.00.025.269 I srv    load_model: loading model '%s'\n", d.model)
	l, err := net.Listen("tcp", net.JoinHostPort(value("--host"), value("--port")))
	if err != nil {
		fmt.Fprintln(os.Stderr, "couldn't bind HTTP server socket")
		os.Exit(1)
	}
	go http.Serve(l, d)
	if does("fail") {
		fmt.Fprint(os.Stderr, "0.00.013.983 E llama_model_load: error loading model: tensor 'blk.2.attn_output.weight' data is not within the file bounds\n"+
			"0.00.014.027 E srv    load_model: failed to load model, 'tiny.gguf'\n0.00.014.406 E srv  llama_server: exiting due to model loading error\n")
		os.Exit(1)
	}
	if does("never") {
		select {}
	}
	if does("slow") {
		fmt.Fprint(os.Stderr, strings.Repeat(".", 40))
		time.Sleep(150 * time.Millisecond)
		fmt.Fprintln(os.Stderr, "\nwarming up the model with an empty run")
		time.Sleep(150 * time.Millisecond)
	}
	d.loading.Store(false)
	<-terms
	switch {
	case does("deaf"):
		select {}
	case does("twice"):
		<-terms
	}
}

// playExobench starts a server, says where it is, and waits to be killed.
func playExobench(args []string) {
	t, err := Dial(context.Background(), Config{
		ModelPath: args[0], ServerPath: args[1], Args: args[2:], Wire: wire.NewClient(wire.Config{Clock: exobench.NewClock()}),
	})
	if err == nil {
		fmt.Println(t.Info().URL)
		_, err = t.Prepare(context.Background(), exobench.Model{ID: "m"}, func(exobench.LoadEvent) {})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	select {}
}

// fakeModel is a file that looks like a model from outside.
func fakeModel(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny.gguf")
	if err := os.WriteFile(path, []byte("GGUF\x03\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newWire(t *testing.T) *wire.Client {
	c := wire.NewClient(wire.Config{Clock: exobench.NewClock()})
	t.Cleanup(c.Close)
	return c
}

func dial(t *testing.T, c Config) *Target {
	t.Helper()
	if c.Wire == nil {
		c.Wire = newWire(t)
	}
	target, err := Dial(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	return target
}

// fake is a target whose server is a double in a process of its own.
func fake(t *testing.T, how string) *Target {
	t.Helper()
	target := dial(t, Config{ModelPath: fakeModel(t), ServerPath: os.Args[0], Args: []string{"--fake", how}})
	target.patience = 200 * time.Millisecond
	return target
}

// events collects what Prepare and Release report.
type events struct {
	mu  sync.Mutex
	all []exobench.LoadEvent
}

func (e *events) report(event exobench.LoadEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

// stages are the stages in order, each once where it was reported on end.
func (e *events) stages() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var names []string
	for _, event := range e.all {
		names = append(names, string(event.Stage))
	}
	return strings.Join(slices.Compact(names), " ")
}

func (e *events) last() exobench.LoadEvent {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all[len(e.all)-1]
}

func ask(text string, tokens exobench.Tokens) exobench.Request {
	return exobench.Request{Prompt: exobench.Prompt{ID: "p", Text: text}, MaxTokens: tokens, IgnoreEOS: true, Seed: 1<<40 + 7}
}

// waitGone fails the test if something listens at the URL for long.
func waitGone(t *testing.T, url string) {
	t.Helper()
	address := strings.TrimPrefix(url, "http://")
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		c.Close()
	}
	t.Errorf("a server still listens at %s", url)
}

// waitUp waits until something listens at the URL.
func waitUp(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
			c.Close()
			return
		}
	}
	t.Fatalf("nothing listens at %s", url)
}

// occupy takes an address until the test ends.
func occupy(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}
