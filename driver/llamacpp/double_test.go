package llamacpp

import (
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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
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

	// asks counts the times that it was asked whether it is loading.
	asks atomic.Int64

	mu   sync.Mutex
	body []byte // of the latest chat completion
}

// waitAsked waits until the server was asked n more times whether it is loading.
func (d *double) waitAsked(n int64) {
	for until := d.asks.Load() + n; d.asks.Load() < until; {
		time.Sleep(time.Millisecond)
	}
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
	if r.URL.Path == "/health" {
		d.asks.Add(1)
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
	slots, _ := strconv.Atoi(value("-np"))
	d := &double{model: value("-m"), slots: slots}
	d.loading.Store(true)
	if does("crash") {
		d.onChat = func(*http.Request) {
			fmt.Fprintln(os.Stderr, "0.01.000.000 E ggml.c:123: GGML_ASSERT(a != b) failed")
			os.Exit(3)
		}
	}
	if does("starve") {
		d.onChat = func(*http.Request) { // as the kernel does with what takes too much memory
			fmt.Fprintln(os.Stderr, "0.01.000.000 I slot launch_slot_: processing task")
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
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
		d.waitAsked(3)
		fmt.Fprintln(os.Stderr, "\nwarming up the model with an empty run")
		d.waitAsked(3)
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

// playExobench starts a server, says what Prepare says, and waits to be killed.
func playExobench(args []string) {
	ctx := context.Background()
	e, err := Driver{}.Open(ctx, specOf(args[0], strings.Join(args[2:], " ")), newEnv(wire.NewClient(wire.Config{Clock: exobench.NewClock()})))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := e.Resolve(ctx, args[1])
	if err == nil {
		_, err = e.Prepare(ctx, m, "", func(event exobench.StageEvent) { fmt.Println(event.Stage, event.Detail) })
	}
	if err != nil {
		fmt.Println(err)
		return
	}
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

// specOf is an engine that is started with the program and the arguments.
func specOf(program, args string) exobench.EngineSpec {
	return exobench.EngineSpec{Name: "llamacpp", Options: map[string]string{"llama-server": program, "engine-args": args}}
}

// oneAtATime is a plan of one small request at a time.
var oneAtATime = exobench.Plan{
	Traffic:  []exobench.Traffic{{Concurrency: 1}},
	Workload: exobench.Workload{MaxTokens: 64, Cache: exobench.ColdCache},
	Stop:     exobench.Stop{Repeat: 1},
}

func newEnv(client *wire.Client) driver.Env {
	models, err := catalogue.Load("")
	if err != nil {
		panic(err) // the program that exobench plays has no test to fail
	}
	return driver.Env{Wire: client, Catalogue: models, Plan: oneAtATime, Getenv: os.Getenv}
}

func testEnv(t *testing.T) driver.Env {
	c := wire.NewClient(wire.Config{Clock: exobench.NewClock()})
	t.Cleanup(c.Close)
	return newEnv(c)
}

// open opens an engine that is closed with the test.
func open(t *testing.T, spec exobench.EngineSpec, env driver.Env) driver.Engine {
	t.Helper()
	e, err := Driver{}.Open(t.Context(), spec, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// attach opens the server at the URL.
func attach(t *testing.T, url string) *attached {
	t.Helper()
	return open(t, exobench.EngineSpec{Name: "llamacpp", URL: url}, testEnv(t)).(*attached)
}

// fake is an engine whose server is a double in a process of its own, and the
// one model that it has.
func fake(t *testing.T, how string) (*started, exobench.Model) {
	t.Helper()
	return fakeFor(t, how, oneAtATime)
}

// fakeFor is a fake for a plan.
func fakeFor(t *testing.T, how string, p exobench.Plan) (*started, exobench.Model) {
	t.Helper()
	env := testEnv(t)
	env.Plan = p
	e := open(t, specOf(os.Args[0], "--fake "+how+","), env).(*started)
	if how == "twice" || how == "deaf" { // others may be slow to get a core, and are to be waited for
		e.patience = 200 * time.Millisecond
	}
	m, err := e.Resolve(t.Context(), fakeModel(t))
	if err != nil {
		t.Fatal(err)
	}
	return e, m
}

// url returns where the server listens that was started last, by the arguments
// that it was started with.
func (e *events) url() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return urlOf(e.all[0].Detail)
}

// urlOf returns the URL of a server with these arguments.
func urlOf(arguments string) string {
	_, port, _ := strings.Cut(arguments, "--port ")
	port, _, _ = strings.Cut(port, " ")
	return "http://127.0.0.1:" + port
}

// events collects what Prepare and Release report.
type events struct {
	mu  sync.Mutex
	all []exobench.StageEvent
}

func (e *events) report(event exobench.StageEvent) {
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

func (e *events) last() exobench.StageEvent {
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
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
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
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
			c.Close()
			return
		}
	}
	t.Fatalf("nothing listens at %s", url)
}
