// Package alarm wakes a goroutine at an instant, to some tens of microseconds:
// by a timerfd on Linux, where Go's own timers are rounded to a millisecond when
// the program is idle (the poller waits in whole milliseconds), and by a plain
// timer elsewhere. Instants are those of [exobench.Monotonic].
package alarm

import (
	"context"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// Early is how long before an instant to wake, so as to have woken by then.
const Early = 300 * time.Microsecond

// Sleep returns at the instant, some tens of microseconds late as waking up
// takes, or when ctx is done, which its error tells. Who must be exact sleeps
// until [Early] before and watches the clock for the rest.
func (a *Alarm) Sleep(ctx context.Context, at int64) error {
	if at > exobench.Monotonic() && ctx.Err() == nil {
		a.Set(at)
		stop := context.AfterFunc(ctx, panics.Caught(func() { a.Set(0) }))
		a.Wait()
		stop()
	}
	return ctx.Err()
}
