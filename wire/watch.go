package wire

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// What ends a request from our side.
var (
	errTimeout = errors.New("the time allowed for one request is over")
	errIdle    = errors.New("no data came")
)

// watchdog cancels a request that takes too long, or in which no data came for
// too long. The reading side only stores an instant; the
// timers look at it when they fire.
type watchdog struct {
	cancel context.CancelCauseFunc
	total  *time.Timer
	idle   *time.Timer
	limit  time.Duration
	clock  exobench.Clock
	seen   atomic.Int64 // the instant of the latest sign of life
}

// watch returns a context that the watchdog cancels. A limit of 0 is none.
func watch(ctx context.Context, clock exobench.Clock, timeout, idle time.Duration) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watchdog{cancel: cancel, limit: idle, clock: clock}
	w.alive(clock.Now())
	if timeout > 0 {
		w.total = time.AfterFunc(timeout, panics.Caught(func() { cancel(errTimeout) }))
	}
	if idle > 0 {
		w.idle = time.AfterFunc(idle, panics.Caught(w.check))
	}
	return ctx, w
}

func (w *watchdog) check() {
	silent := w.clock.Now().Sub(exobench.Instant(w.seen.Load()))
	if silent >= w.limit {
		w.cancel(errIdle)
		return
	}
	w.idle.Reset(w.limit - silent)
}

// alive notes a sign of life.
func (w *watchdog) alive(at exobench.Instant) { w.seen.Store(int64(at)) }

func (w *watchdog) stop() {
	if w.total != nil {
		w.total.Stop()
	}
	if w.idle != nil {
		w.idle.Stop()
	}
	w.cancel(nil)
}
