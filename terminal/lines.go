package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// lineWriter writes lines to a log from a goroutine of its own, so that who
// adds one never waits for the reader at the other end.
type lineWriter struct {
	w    io.Writer
	done chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	pending strings.Builder
	closed  bool
}

func startLines(w io.Writer) *lineWriter {
	l := &lineWriter{w: w, done: make(chan struct{})}
	l.changed = sync.NewCond(&l.mu)
	go panics.Caught(l.run)()
	return l
}

// add queues lines, each with the time. The queue is not bounded: the narrator
// makes some tens of lines per step.
func (l *lineWriter) add(at exobench.Instant, lines []string) {
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&text, "[%6.1fs] %s\n", at.Seconds(), line)
	}
	l.addText(text.String())
}

// addText queues text as it is.
func (l *lineWriter) addText(text string) {
	if text == "" {
		return
	}
	l.mu.Lock()
	l.pending.WriteString(text)
	l.mu.Unlock()
	l.changed.Signal()
}

// close writes what is queued, for some time at most.
func (l *lineWriter) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.changed.Signal()
	select {
	case <-l.done:
	case <-time.After(closeTimeout):
	}
}

func (l *lineWriter) run() {
	defer close(l.done)
	for {
		l.mu.Lock()
		for l.pending.Len() == 0 && !l.closed {
			l.changed.Wait()
		}
		text := l.pending.String()
		l.pending.Reset()
		l.mu.Unlock()
		if text == "" {
			return
		}
		// A log that cannot be written to is no reason to end a run. (Where it
		// is standard output or error and its reader is gone, the Go runtime
		// ends the process all the same, unless SIGPIPE is caught.)
		_, _ = io.WriteString(l.w, text)
	}
}
