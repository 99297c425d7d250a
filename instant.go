package exobench

import "time"

// Instant is a point in time: nanoseconds on the monotonic clock since just
// before the epoch of its session. The zero Instant means "not reached"; a Clock
// never returns it. The wall time of the epoch stands in the Session.
type Instant int64

// Reached reports whether the point in time came.
func (t Instant) Reached() bool { return t != 0 }

// Sub returns the span from u to t. It has no meaning unless both are reached.
func (t Instant) Sub(u Instant) time.Duration { return time.Duration(t - u) }

// Add returns the instant d after t.
func (t Instant) Add(d time.Duration) Instant { return t + Instant(d) }

// Seconds returns the seconds from the run's epoch to t.
func (t Instant) Seconds() float64 { return float64(t) / 1e9 }

// Clock tells the time as Instants since its epoch. It is safe for concurrent
// use; reading it takes one vDSO call and allocates nothing.
type Clock struct{ epoch time.Time }

// NewClock returns a clock whose epoch is now.
func NewClock() Clock { return Clock{epoch: time.Now()} }

// Epoch returns the wall time of the clock's epoch.
func (c Clock) Epoch() time.Time { return c.epoch }

// Now returns the current instant, at least 1 ns after the epoch.
func (c Clock) Now() Instant { return Instant(time.Since(c.epoch)) + 1 }
