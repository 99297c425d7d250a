package alarm

import (
	"context"
	"errors"
	"sort"
	"testing"
	"time"

	"exobench"
)

func newAlarm(tb testing.TB) *Alarm {
	tb.Helper()
	a, err := New()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(a.Close)
	return a
}

func TestSleepNeverReturnsEarly(t *testing.T) {
	a := newAlarm(t)
	for _, d := range []time.Duration{-time.Second, 0, 50 * time.Microsecond, 300 * time.Microsecond, 5 * time.Millisecond} {
		at := exobench.Monotonic() + int64(d)
		if err := a.Sleep(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if early := at - exobench.Monotonic(); early > 0 {
			t.Errorf("sleep of %v returned %v early", d, time.Duration(early))
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	a := newAlarm(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := a.Sleep(ctx, exobench.Monotonic()+int64(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

// BenchmarkSlip tells by how much sleeps at 100 a second, the last of each spent
// watching the clock, end late.
func BenchmarkSlip(b *testing.B) {
	a := newAlarm(b)
	var slips []float64
	at := exobench.Monotonic()
	for b.Loop() {
		at += int64(10 * time.Millisecond)
		_ = a.Sleep(b.Context(), at-int64(Early))
		for exobench.Monotonic() < at {
		}
		slips = append(slips, float64(exobench.Monotonic()-at)/1e3)
	}
	sort.Float64s(slips)
	b.ReportMetric(slips[len(slips)/2], "p50-µs")
	b.ReportMetric(slips[len(slips)*99/100], "p99-µs")
}
