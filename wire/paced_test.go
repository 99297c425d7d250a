package wire

import (
	"io"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"exobench"
)

// paced is a server that writes an event only once the client is seen to have
// the one before. So the instant of each lies between the two that it notes,
// when it wrote and when the client was seen to have it, on however busy a
// machine. It serves one request at a time.
type paced struct {
	clock  exobench.Clock
	client *Client
	// between, where set, is called between two events.
	between func()

	mu          sync.Mutex
	asked       []string // the method and body of each request
	wrote, seen []exobench.Instant
}

const pacedEvents = 4

func (p *paced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.Method+" "+string(body))
	p.wrote, p.seen = nil, nil
	w.Header().Set("Content-Type", "text/event-stream")
	before := p.client.Events()
	for i := range pacedEvents {
		if i > 0 && p.between != nil {
			p.between()
		}
		time.Sleep(2 * ms) // so that instants of two events differ by more than their tolerance
		p.wrote = append(p.wrote, p.clock.Now())
		io.WriteString(w, content("a"))
		w.(http.Flusher).Flush()
		for p.client.Events() <= before+int64(i) {
			if r.Context().Err() != nil {
				return
			}
			time.Sleep(50 * time.Microsecond)
		}
		p.seen = append(p.seen, p.clock.Now())
	}
	io.WriteString(w, finish+terminate)
}

// check holds a record against what the server noted.
func (p *paced) check(t *testing.T, r exobench.Record) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Outcome != exobench.OK || len(r.Chunks) != pacedEvents || len(p.seen) != pacedEvents {
		t.Fatalf("outcome %s %s, %d chunks, server asked %q", r.Outcome, r.Error, len(r.Chunks), p.asked)
	}
	for i, chunk := range r.Chunks {
		read := chunk.At
		if r.Delays != nil {
			read += exobench.Instant(r.Delays[i])
		}
		// A microsecond for the two clocks, which are not read at one instant.
		if chunk.At < p.wrote[i]-1000 || read > p.seen[i] {
			t.Errorf("chunk %d: written at %d, stamped at %d, read at %d, seen at %d", i, p.wrote[i], chunk.At, read, p.seen[i])
		}
	}
	if r.FirstToken != r.Chunks[0].At || r.LastToken != r.Chunks[pacedEvents-1].At || r.Headers <= r.Sent || r.Headers > r.FirstToken {
		t.Errorf("sent %d, headers %d, first token %d, last %d, chunks %v", r.Sent, r.Headers, r.FirstToken, r.LastToken, r.Chunks)
	}
}

// checkStamped makes calls until one was stamped by the kernel, which begins
// to some time after it is asked to, and checks each.
func (p *paced) checkStamped(t *testing.T, call Call) {
	t.Helper()
	for range 20 {
		r := p.client.Do(t.Context(), call)
		p.check(t, r)
		if len(r.Delays) == pacedEvents || runtime.GOOS != "linux" {
			return
		}
	}
	t.Error("no answer was stamped by the kernel")
}
