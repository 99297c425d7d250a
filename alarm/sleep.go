package alarm

import (
	"context"
	"time"
)

// Early is how long before an instant to wake, so as to have woken by then.
const Early = 300 * time.Microsecond

// Sleep returns at the instant, some tens of microseconds late as waking up
// takes, or when ctx is done, which its error tells. Who must be exact sleeps
// until [Early] before and watches the clock for the rest.
func (a *Alarm) Sleep(ctx context.Context, at int64) error {
	if at > Monotonic() && ctx.Err() == nil {
		a.Set(at)
		stop := context.AfterFunc(ctx, func() { a.Set(0) })
		a.Wait()
		stop()
	}
	return ctx.Err()
}
