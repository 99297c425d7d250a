package llamacpp

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"exobench"
	"exobench/wire"
)

// Target is one llama-server. It is safe for concurrent use.
type Target struct {
	config Config
	// program is the one to start; empty where the server runs already.
	program string
	// patience is how long a server is waited for after a SIGTERM.
	patience time.Duration

	mu      sync.Mutex
	url     string
	server  Server
	session *session // nil while no server runs
}

const stopPatience = 3 * time.Second

// Dial looks whether the server can be measured. One that runs already is
// waited for while it loads its model, and asked what it is. For one that is to
// be started only the program and the file are looked at; the program is run
// once, for its version.
func Dial(ctx context.Context, c Config) (*Target, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	t := &Target{config: c, patience: stopPatience}
	look := t.findServer
	if c.starts() {
		look = t.findParts
	}
	if err := look(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// findServer finds a server that runs already.
func (t *Target) findServer(ctx context.Context) (err error) {
	if t.url, err = baseURL(t.config.URL); err != nil {
		return err
	}
	t.session = newSession(t.api(), nil)
	t.server, err = t.find(ctx, func() {})
	return err
}

// findParts finds what a server is started from.
func (t *Target) findParts(ctx context.Context) (err error) {
	if t.program, err = FindProgram(t.config.ServerPath); err != nil {
		return err
	}
	if err = checkModel(t.config.ModelPath); err != nil {
		return err
	}
	version, err := programVersion(ctx, t.program)
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	t.url = localURL(port)
	t.server = Server{Version: version, ModelPath: t.config.ModelPath, Models: []string{modelName(t.config.ModelPath)}}
	return nil
}

func (t *Target) api() api { return newAPI(t.url, t.config.APIKey, t.config.Insecure) }

// Info returns the engine as the header of a run tells of it. A server that is
// not started yet has no process.
func (t *Target) Info() exobench.Engine {
	t.mu.Lock()
	defer t.mu.Unlock()
	return exobench.Engine{
		Name: "llamacpp", Version: t.server.Version, URL: t.url,
		LifeCycle: t.config.starts(), CacheSwitch: true, IgnoresEOS: true, PID: t.pid(),
	}
}

// Server returns what the server says of itself. Of one that is not started yet
// only the version, the path and the name of the model are known.
func (t *Target) Server() Server {
	t.mu.Lock()
	defer t.mu.Unlock()
	server := t.server
	server.Models = slices.Clone(server.Models)
	return server
}

// PID returns the process that exobench started, 0 while there is none: before
// Prepare, after Release, when the server ended by itself, and where it was
// running already. The memory of a server that does not run is none, so that
// all that it takes later is the model's.
func (t *Target) PID() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pid()
}

func (t *Target) pid() int {
	if t.session == nil || t.session.process == nil || !t.session.process.running() {
		return 0
	}
	return t.session.process.pid
}

// Models returns the names by which the server calls its model.
func (t *Target) Models() []string { return t.Server().Models }

// Resolve returns the server's model if the name, or one of the known ids, is
// what the server calls it, or the name of its file with or without folder and
// ending. The error says what the server has.
func (t *Target) Resolve(name string, known []string) (exobench.Model, error) {
	server := t.Server()
	id := server.Models[0]
	for _, asked := range append([]string{name}, known...) {
		for _, have := range append(slices.Clone(server.Models), server.ModelPath) {
			if slices.ContainsFunc([]string{have, filepath.Base(have), modelName(have)}, func(called string) bool {
				return asked != "" && strings.EqualFold(asked, called)
			}) {
				return exobench.Model{Name: modelName(name), ID: id}, nil
			}
		}
	}
	return exobench.Model{}, fmt.Errorf("llama-server has no model %q: it has %s", name, strings.Join(server.Models, ", "))
}

// Notices says what is to be known of measuring this server.
func (t *Target) Notices() []string {
	if server := t.Server(); server.Slots > 0 && server.Slots < t.config.slots() {
		return []string{fmt.Sprintf("llama-server has %s for %d requests at once: the others wait inside the server, and that is in their times",
			counted(server.Slots, "slot"), t.config.slots())}
	}
	return nil
}

// Do sends one chat completion.
func (t *Target) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	t.mu.Lock()
	s := t.session
	if s == nil {
		t.mu.Unlock()
		return exobench.Record{Outcome: exobench.ConnectError, Error: "llama-server does not run"}
	}
	s.requests.Add(1)
	t.mu.Unlock()
	defer s.requests.Done()

	ctx, cancel := s.bound(ctx)
	defer cancel()
	call := wire.Call{
		URL: s.api.base + "/v1/chat/completions", Header: s.api.header, Body: body(d.Model, r),
		At: r.Scheduled, Timeout: t.config.Timeout, Idle: t.config.Idle,
	}
	if r.IgnoreEOS {
		call.Exact = r.MaxTokens
	}
	record := t.config.Wire.Do(ctx, call)
	switch record.Outcome {
	case exobench.ConnectError, exobench.Truncated:
		if err := s.fate(); err != nil {
			record.Error += ": " + err.Error()
		}
	}
	return record
}

func body(m exobench.Model, r exobench.Request) []byte {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	text, err := json.Marshal(struct {
		Model         string          `json:"model"`
		Messages      []message       `json:"messages"`
		Stream        bool            `json:"stream"`
		StreamOptions map[string]bool `json:"stream_options"`
		MaxTokens     exobench.Tokens `json:"max_tokens"`
		Temperature   float64         `json:"temperature"`
		Seed          uint32          `json:"seed"` // no more is read
		IgnoreEOS     bool            `json:"ignore_eos"`
		CachePrompt   bool            `json:"cache_prompt"`
	}{
		Model:         m.ID,
		Messages:      []message{{Role: "user", Content: r.Prompt.Text}},
		Stream:        true,
		StreamOptions: map[string]bool{"include_usage": true},
		MaxTokens:     r.MaxTokens,
		Seed:          uint32(r.Seed),
		IgnoreEOS:     r.IgnoreEOS,
		CachePrompt:   r.WarmCache,
	})
	if err != nil {
		panic("llamacpp: a request body of plain values cannot fail to encode: " + err.Error())
	}
	return text
}

// Release ends a server that Prepare started, and waits until it is gone.
func (t *Target) Release(_ context.Context, d exobench.Deployment, report func(exobench.LoadEvent)) error {
	if !d.Created {
		return nil
	}
	report(exobench.LoadEvent{Stage: exobench.StageRelease})
	took, err := t.end()
	if err != nil {
		return err
	}
	report(exobench.LoadEvent{Stage: exobench.StageReleased, Detail: took})
	return nil
}

// Close ends a server that Prepare started and Release did not take away. A
// server that was running already runs on.
func (t *Target) Close() error {
	if !t.config.starts() {
		return nil
	}
	_, err := t.end()
	return err
}

// end ends the server that was started, if one runs. It says what was unusual.
func (t *Target) end() (unusual string, err error) {
	t.mu.Lock()
	s := t.session
	t.session = nil
	t.mu.Unlock()
	if s == nil {
		return "", nil
	}
	close(s.closing)
	s.requests.Wait()
	if !s.process.running() {
		return s.process.endError().Error(), nil
	}
	return s.process.stop(t.patience)
}

// session is the time in which one server runs.
type session struct {
	api api
	// process is nil where the server was running already.
	process  *process
	closing  chan struct{}
	requests sync.WaitGroup
}

func newSession(a api, p *process) *session {
	return &session{api: a, process: p, closing: make(chan struct{})}
}

// bound returns a context that ends with the session too.
func (s *session) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// fateTime is how long a process may take to be gone once its connections are.
const fateTime = 300 * time.Millisecond

// fate returns why a connection to the server broke, where that is because the
// server ended by itself.
func (s *session) fate() error {
	if s.process == nil || !s.process.gone(fateTime) {
		return nil
	}
	return s.process.endError()
}

func localURL(port int) string {
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// freePort returns a port of the loopback interface on which nothing listens.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
