package run

import (
	"context"
	"fmt"
	"sync"
	"time"

	"exobench"
)

const (
	// breakAfter is after how many requests in a row without an answer no more
	// are sent. With a time-out of minutes each, the rest of a plan would take
	// hours to say the same.
	breakAfter = 3
	// patience is how long an engine may be away, or give no answer, before no
	// more is sent: one that is started again should be back by then.
	patience = 10 * time.Second
	// pollEvery is the time between two looks at an engine that is away.
	pollEvery = 50 * time.Millisecond
	// pollTime bounds one look.
	pollTime = time.Second
	// longestPause bounds the pause before an engine that takes connections and
	// breaks them is tried again.
	longestPause = 2 * time.Second
)

// breaker watches over the requests of one block. While the engine is away, those
// of a closed loop wait for it. Those of an open loop go on at their times. When
// it is open the engine has stopped answering, and no more is sent.
type breaker struct {
	step *step
	// paced is set for an open loop, whose requests cannot wait.
	paced bool
	// looking is held by the one request that looks for the engine.
	looking chan struct{}

	mu sync.Mutex // of what follows
	// why says why it is open; it is empty while it is not.
	why string
	// refused and timeouts count the requests in a row without an answer.
	refused, timeouts int
	// since is when the first of them found no answer, left when the latest
	// connection failed.
	since, left exobench.Instant
	// away is set while the engine must be looked for before more is sent, and
	// looks counts how often it was since it last answered.
	away  bool
	looks int
	// kept counts the requests that were not sent.
	kept int
}

func newBreaker(s *step, paced bool) *breaker {
	return &breaker{step: s, paced: paced, looking: make(chan struct{}, 1)}
}

// state says why the breaker is open and how many requests were not sent.
func (b *breaker) state() (why string, kept int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why, b.kept
}

func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why != ""
}

// unsent counts a request that is not sent, and returns its record.
func (b *breaker) unsent() exobench.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept++
	return exobench.Record{
		Outcome: exobench.Unsent, Ended: b.step.Clock.Now(),
		Error: "not sent: the engine had stopped answering",
	}
}

// saw takes note of how a request ended.
func (b *breaker) saw(r *exobench.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := r.Ended
	switch r.Outcome {
	case exobench.ConnectError:
		b.refused++
		b.away, b.left = !b.paced, r.Ended
	case exobench.Timeout, exobench.IdleTimeout:
		b.timeouts++
		first = r.Sent // it had no answer all the time
	case exobench.Canceled, exobench.Dropped, exobench.Unsent:
		return // which say nothing of the engine
	default:
		// An answer that broke off with the engine does not mean that it is there:
		// away is left to the next look.
		b.refused, b.timeouts, b.looks = 0, 0, 0
		return
	}
	if b.refused+b.timeouts == 1 {
		b.since = first
	}
	b.check(r.Ended)
}

// check opens the breaker where the requests in a row without an answer are too
// many, for too long. In an open loop an overloaded engine has many under way
// that time out together, so there time decides too.
func (b *breaker) check(now exobench.Instant) {
	long := now.Sub(b.since) >= patience
	switch {
	case b.why != "":
	case !b.paced && b.timeouts >= breakAfter:
		b.open("%d requests in a row timed out", b.timeouts)
	case !b.paced && b.refused >= breakAfter && long,
		b.paced && b.refused+b.timeouts >= breakAfter && long:
		b.open("%d requests in a row got no answer", b.refused+b.timeouts)
	}
}

func (b *breaker) open(format string, args ...any) {
	b.why = "the engine stopped answering (" + fmt.Sprintf(format, args...) + ")"
}

// ready waits until the engine is there, and reports whether a request may be
// sent.
func (b *breaker) ready(ctx context.Context) bool {
	b.mu.Lock()
	away, open := b.away, b.why != ""
	b.mu.Unlock()
	if !away || open {
		return !open
	}
	select {
	case b.looking <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-b.looking }()
	b.mu.Lock()
	away, open = b.away, b.why != "" // somebody else may have found it
	pause := b.pause()
	b.mu.Unlock()
	if !away || open {
		return !open
	}
	return sleep(ctx, pause) && b.await(ctx)
}

// pause is how long to wait before the engine is looked for: not at all the
// first time, then longer each time, since it may take connections only to break
// them.
func (b *breaker) pause() time.Duration {
	b.looks++
	if b.looks == 1 {
		return 0
	}
	return min(100*time.Millisecond<<min(b.looks-2, 10), longestPause)
}

// await waits until the engine takes connections, and reports whether it does. An
// engine that is away for too long opens the breaker.
func (b *breaker) await(ctx context.Context) bool {
	began := b.step.Clock.Now()
	b.mu.Lock()
	if b.left.Reached() {
		began = b.left
	}
	b.mu.Unlock()
	for looks := 0; ; looks++ {
		err := b.look(ctx)
		if ctx.Err() != nil {
			return false
		}
		away := b.step.Clock.Now().Sub(began)
		b.mu.Lock()
		b.away = err != nil
		if err != nil && away >= patience {
			b.open("it was away for %s: %v", seconds(away), err)
		}
		open := b.why != ""
		b.mu.Unlock()
		switch {
		case err == nil && looks > 0:
			b.step.note("the engine was away for " + seconds(away))
			return true
		case err == nil:
			return true
		case open || !sleep(ctx, pollEvery):
			return false
		}
	}
}

// look asks the engine once whether it is there.
func (b *breaker) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	return b.step.engine.Alive(ctx)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// sleep waits, and reports whether it was not interrupted.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
