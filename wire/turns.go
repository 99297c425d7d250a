package wire

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"exobench/internal/panics"
)

// turns lets a few do at a time what many want to do at once.
type turns chan struct{}

// Answers are parsed after their streams end, while other streams go on. When
// many end together, what has to be read must not wait for all their parses: no
// more than half of the cores parse at a time, and whoever does lets others run
// every few lines. A read that comes too late shares its stamp with the next.
var parsing = make(turns, max(1, runtime.GOMAXPROCS(0)/2))

// linesAtOnce is how many lines are parsed before others may run: some 10 µs.
const linesAtOnce = 32

func (t turns) take() { t <- struct{}{} }
func (t turns) give() { <-t }

// When many requests start at once, each would be stamped as sent and then wait
// for all the others to get their connections. Few do so at a time, and those
// that wait are not yet sent.
func newSending() turns { return make(turns, 2*runtime.GOMAXPROCS(0)) }

// sendingTime is how long a request may keep its turn: long enough to connect
// on one machine, and short enough that slow networks keep nobody waiting.
const sendingTime = 2 * time.Millisecond

// turn is one that ends by itself after a while.
type turn struct {
	of    turns
	given atomic.Bool
	timer *time.Timer
}

// takeFor waits for a turn of at most d. It returns nil, whose turn has ended,
// where ctx is done before.
func (t turns) takeFor(ctx context.Context, d time.Duration) *turn {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	one := &turn{of: t}
	one.timer = time.AfterFunc(d, panics.Caught(one.end))
	return one
}

// give ends the turn; it may have ended before.
func (t *turn) give() {
	if t != nil {
		t.timer.Stop()
		t.end()
	}
}

func (t *turn) end() {
	if t.given.CompareAndSwap(false, true) {
		t.of.give()
	}
}
