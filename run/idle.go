package run

import (
	"context"
	"fmt"
	"time"

	"exobench"
)

// An engine is idle when, over idleSpan, it used less than idleShare of a core. What
// goes on with answers that nobody waits for is waited for up to idleTime.
const (
	idleSpan  = 500 * time.Millisecond
	idleShare = 0.2
	idleTime  = time.Minute
)

// givenUp reports whether a request ended while the engine may have gone on with
// its answer.
func givenUp(o exobench.Outcome) bool {
	return o == exobench.Timeout || o == exobench.IdleTimeout || o == exobench.Canceled
}

// awaitIdle waits, after requests that were given up, until the engine no longer
// works on their answers: else what comes next is measured, or loaded, beside
// them. Engines whose process is not known, or gone, are not waited for,
// nor is a second time one that never was idle: some work without being asked.
func (s *step) awaitIdle(ctx context.Context) {
	pid := s.working
	s.working = 0
	if pid == 0 || pid == s.restless || s.CPU == nil {
		return
	}
	used := s.CPU(pid)
	began := s.Clock.Now()
	for waited := time.Duration(0); sleep(ctx, idleSpan); {
		spent, known := used()
		busy := known && spent.Seconds() >= idleShare*idleSpan.Seconds()
		if !busy && waited > 0 {
			s.note(fmt.Sprintf("requests were given up, and the engine worked on for %v although nothing was asked of it: what follows was waited with until then", waited.Round(idleSpan)))
		}
		if !busy {
			return
		}
		if waited = s.Clock.Now().Sub(began); waited >= idleTime {
			s.restless = pid
			s.note(fmt.Sprintf("requests were given up, and the engine still works after %v although nothing is asked of it: what follows is measured beside that", waited.Round(time.Second)))
			return
		}
	}
}
