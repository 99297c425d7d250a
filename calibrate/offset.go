package calibrate

import (
	"fmt"
	"time"

	"exobench"
	"exobench/reference"
)

// offset is CLOCK_MONOTONIC less the harness's clock, in nanoseconds, within
// half of width.
type offset struct{ value, width int64 }

const (
	tries = 300
	// drift is how far the clocks may move apart during a calibration. They are
	// one clock on Linux; elsewhere the system steers only one of them.
	drift = int64(time.Millisecond)
)

// measureOffset reads the one clock between two readings of the other, and
// keeps the tightest of many tries.
func measureOffset(clock exobench.Clock) offset {
	tightest := offset{width: 1 << 62}
	for range tries {
		before := clock.Now()
		system := reference.Monotonic()
		after := clock.Now()
		if width := int64(after - before); width < tightest.width {
			tightest = offset{value: system - int64(before+after)/2, width: width}
		}
	}
	return tightest
}

// between returns the offset for what happened between two measurements.
func between(a, b offset) (offset, error) {
	apart := b.value - a.value
	if apart > drift || apart < -drift {
		return offset{}, fmt.Errorf("the clocks moved apart by %v: the machine slept or its time was set", time.Duration(apart))
	}
	return offset{value: a.value + apart/2, width: max(a.width, b.width)}, nil
}

func (o offset) instant(monotonic int64) exobench.Instant {
	return exobench.Instant(monotonic - o.value)
}
