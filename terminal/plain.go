package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"exobench"
)

// plain writes lines to a log from a goroutine of its own, so that who adds one
// never waits for the reader at the other end.
type plain struct {
	narrator narrator
	w        io.Writer
	done     chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	pending []string
	closed  bool
}

func startPlain(w io.Writer) *plain {
	p := &plain{w: w, done: make(chan struct{})}
	p.changed = sync.NewCond(&p.mu)
	go p.run()
	return p
}

// tell queues lines. The queue is not bounded: the narrator gives some tens of
// lines per step.
func (p *plain) tell(at exobench.Instant, lines []string) {
	p.mu.Lock()
	for _, line := range lines {
		p.pending = append(p.pending, fmt.Sprintf("[%6.1fs] %s\n", at.Seconds(), line))
	}
	p.mu.Unlock()
	p.changed.Signal()
}

// close writes what is queued, for some time at most.
func (p *plain) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.changed.Signal()
	select {
	case <-p.done:
	case <-time.After(farewell):
	}
}

func (p *plain) run() {
	defer close(p.done)
	for {
		p.mu.Lock()
		for len(p.pending) == 0 && !p.closed {
			p.changed.Wait()
		}
		text := strings.Join(p.pending, "")
		p.pending = nil
		p.mu.Unlock()
		if text == "" {
			return
		}
		// A log that cannot be written to is no reason to end a run. (Where it
		// is standard output or error and its reader is gone, the Go runtime
		// ends the process all the same, unless SIGPIPE is caught.)
		_, _ = io.WriteString(p.w, text)
	}
}
