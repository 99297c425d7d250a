package reference

import (
	"runtime"

	"exobench"
)

// clock is [exobench.Monotonic], the clock of due_ns and emitted_ns, on Linux
// without a system call: there Go's own clock is the same one less a constant,
// which is measured once.
type clock struct {
	exobench.Clock
	offset int64
}

func newClock() clock {
	c := exobench.NewClock()
	return clock{Clock: c, offset: c.Offset().Value}
}

func (c clock) now() int64 {
	// Note: macOS disciplines CLOCK_MONOTONIC and not the clock that Go uses, so
	// that a constant between them would not hold.
	if runtime.GOOS != "linux" {
		return exobench.Monotonic()
	}
	return c.offset + int64(c.Now())
}
