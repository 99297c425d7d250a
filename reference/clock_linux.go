package reference

import "time"

// clock is CLOCK_MONOTONIC without a system call. Go's own monotonic clock is
// the same clock less a constant, which is measured once.
type clock struct {
	base   time.Time
	offset int64
}

func newClock() clock {
	c := clock{base: time.Now()}
	tightest := int64(1) << 62
	for range 200 {
		before := time.Since(c.base)
		system := Monotonic()
		after := time.Since(c.base)
		if width := int64(after - before); width < tightest {
			tightest, c.offset = width, system-int64(before+after)/2
		}
	}
	return c
}

func (c clock) now() int64 { return c.offset + int64(time.Since(c.base)) }
