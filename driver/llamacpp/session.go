package llamacpp

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"exobench"
	"exobench/child"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/internal/panics"
	"exobench/wire"
)

// session is the time in which one server runs.
type session struct {
	client *api.Client
	header http.Header
	// process is nil where the server was running already.
	process *child.Process
	server  Server
	// without are the fields that requests leave out.
	without []string
	// open ends with the session, and the requests to the server with it.
	open     context.Context
	end      context.CancelFunc
	requests sync.WaitGroup
}

func newSession(c *api.Client, header http.Header, s Server, p *child.Process, without []string) *session {
	open, end := context.WithCancel(context.Background())
	return &session{client: c, header: header, server: s, process: p, without: without, open: open, end: end}
}

// sends reports whether requests have the field.
func (s *session) sends(field string) bool { return sent(s.without, field) }

// sent reports whether a request without those fields has this one.
func sent(without []string, field string) bool {
	limitless := field == api.IgnoreEOS && slices.Contains(without, api.MaxTokens)
	return !limitless && !slices.Contains(without, field)
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
	defer context.AfterFunc(s.open, panics.Caught(cancel))()
	body := completion(m, r, s.without)
	call := wire.Call{
		URL: s.client.URL("/v1/chat/completions"), Header: s.header, Body: api.Encode(body), At: r.Scheduled,
		Timeout: time.Duration(env.Plan.Timeout), Idle: time.Duration(env.Plan.IdleTimeout),
	}
	if body.IgnoreEOS != nil && *body.IgnoreEOS {
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

// fields are those that a llama-server can do without.
var fields = []string{api.Temperature, api.Seed, api.IgnoreEOS, api.CachePrompt, api.StreamUsage, api.MaxTokens}

// completion is a chat that is measured.
func completion(m exobench.Model, r exobench.Request, without []string) api.Completion {
	c := api.Complete(m.ID, r)
	c.Seed = new(uint64(uint32(r.Seed))) // no more is read
	c.IgnoreEOS, c.CachePrompt = new(r.IgnoreEOS), new(r.WarmCache)
	c.LeaveOut(without...)
	return c
}
