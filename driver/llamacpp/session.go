package llamacpp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"exobench"
	"exobench/child"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/wire"
)

// session is the time in which one server runs.
type session struct {
	client *api.Client
	header http.Header
	// process is nil where the server was running already.
	process *child.Process
	server  Server
	// open ends with the session, and the requests to the server with it.
	open     context.Context
	end      context.CancelFunc
	requests sync.WaitGroup
}

func newSession(c *api.Client, header http.Header, s Server, p *child.Process) *session {
	open, end := context.WithCancel(context.Background())
	return &session{client: c, header: header, server: s, process: p, open: open, end: end}
}

// stopPatience is how long a server is waited for after a SIGTERM.
const stopPatience = 3 * time.Second

// close cancels the requests, and ends the server where exobench started it. It
// says what was unusual about that.
func (s *session) close(patience time.Duration) (unusual string, err error) {
	s.end()
	s.requests.Wait()
	s.client.Close()
	switch {
	case s.process == nil:
		return "", nil
	case !s.process.Running():
		return endError(s.process).Error(), nil
	}
	return s.process.Stop(patience)
}

// do sends one chat completion. The caller has added it to the requests.
func (s *session) do(ctx context.Context, env driver.Env, m exobench.Model, r exobench.Request) exobench.Record {
	defer s.requests.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.open, cancel)()
	call := wire.Call{
		URL: s.client.URL("/v1/chat/completions"), Header: s.header, Body: body(m, r), At: r.Scheduled,
		Timeout: time.Duration(env.Plan.Timeout), Idle: time.Duration(env.Plan.IdleTimeout),
	}
	if r.IgnoreEOS {
		call.Exact = r.MaxTokens
	}
	record := env.Wire.Do(ctx, call)
	switch record.Outcome {
	case exobench.ConnectError, exobench.Truncated:
		if err := s.fate(); err != nil {
			record.Error += ": " + err.Error()
		}
	}
	return record
}

// fateTime is how long a process may take to be gone once its connections are.
const fateTime = 300 * time.Millisecond

// fate returns why a connection to the server broke, where that is because the
// server ended by itself.
func (s *session) fate() error {
	if s.process == nil || !s.process.Gone(fateTime) {
		return nil
	}
	return endError(s.process)
}

func body(m exobench.Model, r exobench.Request) []byte {
	return api.Encode(struct {
		api.Chat
		StreamOptions map[string]bool `json:"stream_options"`
		MaxTokens     exobench.Tokens `json:"max_tokens"`
		Temperature   float64         `json:"temperature"`
		Seed          uint32          `json:"seed"` // no more is read
		IgnoreEOS     bool            `json:"ignore_eos"`
		CachePrompt   bool            `json:"cache_prompt"`
	}{
		Chat:          api.Ask(m.ID, r.Prompt.Text),
		StreamOptions: map[string]bool{"include_usage": true},
		MaxTokens:     r.MaxTokens,
		Seed:          uint32(r.Seed),
		IgnoreEOS:     r.IgnoreEOS,
		CachePrompt:   r.WarmCache,
	})
}
