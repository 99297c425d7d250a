//go:build !linux

package reference

// clock is the system's monotonic clock. Note: macOS disciplines
// CLOCK_MONOTONIC and not the clock that Go uses, so that a constant between
// them would not hold.
type clock struct{}

func newClock() clock { return clock{} }

func (clock) now() int64 { return Monotonic() }
