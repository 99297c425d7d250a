package exobench

import "golang.org/x/sys/unix"

// Monotonic returns CLOCK_MONOTONIC in nanoseconds: it has the same value in all
// processes of a machine, which no [Clock] has.
func Monotonic() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic("CLOCK_MONOTONIC cannot be read: " + err.Error())
	}
	return now.Nano()
}

// Offset is [Monotonic] less a [Clock], in nanoseconds: Value within half of
// Width. Both are one clock on Linux; elsewhere the system steers only one of
// them, so that an offset holds for a while only.
type Offset struct{ Value, Width int64 }

// offsetTries is how often the clocks are read. The tightest of a hundred is as
// good as that of a thousand, unless the thread is interrupted.
const offsetTries = 300

// Offset measures how far Monotonic is ahead of the clock: it reads the one
// between two readings of the other, and keeps the tightest of many tries.
func (c Clock) Offset() Offset {
	tightest := Offset{Width: 1 << 62}
	for range offsetTries {
		before := c.Now()
		system := Monotonic()
		after := c.Now()
		if width := int64(after - before); width < tightest.Width {
			tightest = Offset{Value: system - int64(before+after)/2, Width: width}
		}
	}
	return tightest
}

// Instant returns what the clock showed at a time of Monotonic.
func (o Offset) Instant(monotonic int64) Instant { return Instant(monotonic - o.Value) }
