package wire

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

// pipeListener is a listener whose connections are in-memory pipes, so that a
// client, a server and net/http between them run on virtual time.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	l.conns <- far
	return near, nil
}

// inBubble runs the test on virtual time, with a client of a server whose
// answers script writes; flush sends what was written so far.
func inBubble(t *testing.T, script func(w io.Writer, flush func()), test func(t *testing.T, c *Client)) {
	synctest.Test(t, func(t *testing.T) {
		listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			script(w, w.(http.Flusher).Flush)
		})}
		served := make(chan struct{})
		go func() { server.Serve(listener); close(served) }()
		client := NewClient(Config{Clock: exobench.NewClock(), Dial: listener.dial})
		test(t, client)
		time.Sleep(3 * time.Hour) // of virtual time, in which sleeping handlers end
		client.Close()
		server.Close()
		<-served
	})
}

const ms = time.Millisecond

func content(text string) string {
	return `data: {"id":"7","choices":[{"index":0,"delta":{"role":"assistant","content":` + strconv.Quote(text) + `}}]}` + "\n\n"
}

const (
	roleOnly  = `data: {"id":"7","choices":[{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}]}` + "\n\n"
	reasoning = `data: {"id":"7","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"hm"}}]}` + "\n\n"
	finish    = `data: {"id":"7","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}` + "\n\n"
	usageOnly = `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":0}}}` + "\n\n"
	terminate = "data: [DONE]\n\n"
)

func TestEveryInstantIsWhenItsEventArrived(t *testing.T) {
	script := func(w io.Writer, flush func()) {
		at := func(wait time.Duration, text string) {
			time.Sleep(wait)
			io.WriteString(w, text)
			flush()
		}
		at(5*ms, ": keep-alive\n\n")   // 5: headers
		at(95*ms, roleOnly)            // 100
		at(600*ms, reasoning)          // 700
		at(30*ms, content(""))         // 730: no output
		at(30*ms, content("é"))        // 760
		at(30*ms, content(" b"))       // 790
		at(10*ms, finish)              // 800
		at(50*ms, usageOnly+terminate) // 850
	}
	inBubble(t, script, func(t *testing.T, c *Client) {
		r := c.Do(t.Context(), Call{URL: "http://engine/v1", Body: []byte("{}")})
		if r.Outcome != exobench.OK {
			t.Fatalf("outcome %s: %s", r.Outcome, r.Error)
		}
		for _, check := range []struct {
			name string
			at   exobench.Instant
			want time.Duration
		}{
			{"headers", r.Headers, 5 * ms},
			{"first chunk: the role-only one", r.FirstChunk, 100 * ms},
			{"first token: reasoning counts", r.FirstToken, 700 * ms},
			{"first answer: reasoning does not count", r.FirstAnswer, 760 * ms},
			{"last token: not the finish chunk", r.LastToken, 790 * ms},
			{"done: the finish chunk, not usage or [DONE]", r.Done, 800 * ms},
			{"ended", r.Ended, 850 * ms},
		} {
			if got := check.at.Sub(r.Sent); got != check.want {
				t.Errorf("%s: %v after sent, want %v", check.name, got, check.want)
			}
		}
		var gaps []time.Duration
		for _, chunk := range r.Chunks {
			gaps = append(gaps, chunk.At.Sub(r.Sent))
		}
		if len(gaps) != 3 || gaps[0] != 700*ms || gaps[1] != 760*ms || gaps[2] != 790*ms {
			t.Errorf("chunks at %v, want 700, 760 and 790 ms", gaps)
		}
		if r.Chunks[1].Bytes != len("é") {
			t.Errorf("second chunk has %d bytes, want 2", r.Chunks[1].Bytes)
		}
		if *r.OutputTokens != 4 || r.TokensFrom != exobench.FromUsage || *r.PromptTokens != 9 || *r.CachedTokens != 0 {
			t.Errorf("tokens %v from %s, prompt %v, cached %v", *r.OutputTokens, r.TokensFrom, *r.PromptTokens, *r.CachedTokens)
		}
	})
}

func TestAnEventSplitOverReadsHasTheInstantOfItsLastByte(t *testing.T) {
	event := content("日本")
	cut := len(event) - 8 // inside the last character's bytes or the closing braces
	script := func(w io.Writer, flush func()) {
		io.WriteString(w, content("a"))
		flush()
		time.Sleep(10 * ms)
		for i := range len(event) { // every byte in a read of its own
			if i >= cut {
				time.Sleep(ms)
			}
			io.WriteString(w, event[i:i+1])
			flush()
		}
		io.WriteString(w, finish+terminate)
	}
	inBubble(t, script, func(t *testing.T, c *Client) {
		r := c.Do(t.Context(), Call{URL: "http://engine/v1"})
		// The line's newline is the last byte but one: the event ends there.
		want := 10*ms + 7*ms
		if r.Outcome != exobench.OK || r.LastToken.Sub(r.Sent) != want || r.Chunks[1].Bytes != len("日本") {
			t.Errorf("outcome %s %s, last token %v, want %v; chunks %v", r.Outcome, r.Error, r.LastToken.Sub(r.Sent), want, r.Chunks)
		}
	})
}

func TestKeepAlivesDoNotHoldOffTheIdleTimeoutAndPrefillNewsDoes(t *testing.T) {
	for _, c := range []struct {
		name, comment string
		want          exobench.Outcome
		after         time.Duration
	}{
		{"keep-alives only", ": keep-alive\n\n", exobench.IdleTimeout, 60 * time.Second},
		{"prefill progress", `: prefill_progress {"PrefillProgressChunk":{"processed_tokens":1}}` + "\n\n", exobench.OK, 100 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			script := func(w io.Writer, flush func()) {
				for range 10 {
					io.WriteString(w, c.comment)
					flush()
					time.Sleep(10 * time.Second)
				}
				io.WriteString(w, content("a")+finish+terminate)
			}
			inBubble(t, script, func(t *testing.T, client *Client) {
				r := client.Do(t.Context(), Call{URL: "http://engine/v1", Idle: time.Minute})
				if r.Outcome != c.want || r.Ended.Sub(r.Sent) != c.after {
					t.Errorf("outcome %s after %v, want %s after %v", r.Outcome, r.Ended.Sub(r.Sent), c.want, c.after)
				}
			})
		})
	}
}

func TestTheTimeoutBoundsAStreamThatKeepsTalking(t *testing.T) {
	script := func(w io.Writer, flush func()) {
		for range 1000 {
			if _, err := io.WriteString(w, content("a")); err != nil {
				return
			}
			flush()
			time.Sleep(time.Second)
		}
	}
	inBubble(t, script, func(t *testing.T, c *Client) {
		r := c.Do(t.Context(), Call{URL: "http://engine/v1", Timeout: 20500 * ms, Idle: time.Minute})
		if r.Outcome != exobench.Timeout || r.Ended.Sub(r.Sent) != 20500*ms || len(r.Chunks) != 21 {
			t.Errorf("outcome %s after %v with %d chunks", r.Outcome, r.Ended.Sub(r.Sent), len(r.Chunks))
		}
	})
}

func TestAnInterruptedRequestIsCanceled(t *testing.T) {
	script := func(w io.Writer, flush func()) {
		io.WriteString(w, content("a"))
		flush()
		time.Sleep(time.Hour)
	}
	inBubble(t, script, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		r := c.Do(ctx, Call{URL: "http://engine/v1"})
		if r.Outcome != exobench.Canceled || r.Ended.Sub(r.Sent) != 3*time.Second || !r.FirstToken.Reached() {
			t.Errorf("outcome %s after %v", r.Outcome, r.Ended.Sub(r.Sent))
		}
	})
}
