package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"exobench/internal/panics"
)

// interruptible returns a context that the first signal ends; a later interrupt,
// or a later quit (Ctrl-\), ends the process. A first quit ends in order too: what
// Go does with one by itself leaves the model where it is, and a page of stacks.
//
// Only these two count as the second signal: a terminal that is closed sends
// SIGHUP twice, from its shell and from the kernel, and timeout(1) sends SIGTERM
// to the process and then to its group, as it does a SIGINT. A signal that was ignored when exobench
// started, as nohup(1) has it, stays ignored.
func interruptible(ctx context.Context, say *speaker) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 4)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go panics.Caught(func() {
		<-signals
		at := time.Now()
		cancel()
		say.Say("interrupted: cleaning up; another interrupt ends exobench at once")
		for s := range signals {
			if (s == os.Interrupt || s == syscall.SIGQUIT) && time.Since(at) > sameSignal {
				os.Exit(exitInterrupted)
			}
		}
	})()
	return ctx, func() { signal.Stop(signals); cancel() }
}

// sameSignal is how soon after the first an interrupt is not another one.
const sameSignal = 50 * time.Millisecond

// speaker says lines to the user, past whatever else is on the terminal.
type speaker struct {
	mu      sync.Mutex
	stderr  io.Writer
	through func(line string)
}

// Say writes a line to the standard error, or through the view that is on it.
func (s *speaker) Say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.through != nil {
		s.through(line)
		return
	}
	fmt.Fprintln(s.stderr, "\n"+line)
}

// sayThrough has lines said through a view until the function that it returns
// is called. A nil speaker has none to say.
func (s *speaker) sayThrough(say func(line string)) (end func()) {
	if s == nil {
		return func() {}
	}
	set := func(say func(string)) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.through = say
	}
	set(say)
	return func() { set(nil) }
}
