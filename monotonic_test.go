package exobench_test

import (
	"testing"
	"time"

	"exobench"
)

func TestAnOffsetMovesTheSystemsTimeToTheClocks(t *testing.T) {
	first := exobench.NewClock()
	for first.Now() < exobench.Instant(time.Millisecond) {
	}
	for _, clock := range []exobench.Clock{first, exobench.NewClock()} {
		offset := clock.Offset()
		before := clock.Now()
		system := exobench.Monotonic()
		after := clock.Now()
		slack := exobench.Instant(offset.Width)
		if at := offset.Instant(system); at < before-slack || at > after+slack {
			t.Errorf("what was read between %d and %d is moved to %d", before, after, at)
		}
		if offset.Width <= 0 || offset.Width > int64(time.Millisecond) {
			t.Errorf("the tightest of many tries is %v wide", time.Duration(offset.Width))
		}
	}
}
