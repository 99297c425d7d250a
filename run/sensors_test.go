package run

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/resource"
)

// The sensors of this host are sensors of a run.
var (
	_ driver.Sensor = (*resource.Processes)(nil)
	_ Machine       = (*resource.Machine)(nil)
)

// sampled samples for a while, with readings that cost what they sleep.
func sampled(t *testing.T, every, cost, length time.Duration, read func(n int) error) (kept int, failure error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		epoch := time.Now()
		n := 0
		m := sampler{
			sensor: gauge{"g", every, func() (float64, error) {
				n++
				time.Sleep(cost)
				return 0, read(n)
			}},
			keep: func([]exobench.Sample, exobench.Moment) { kept++ },
			busy: func() time.Duration { return time.Since(epoch) },
		}
		ctx, cancel := context.WithTimeout(t.Context(), length-time.Nanosecond)
		defer cancel()
		m.run(ctx)
		failure = m.err()
	})
	return kept, failure
}

func TestReadingUsesAtMostHalfAHundredthOfACore(t *testing.T) {
	for _, row := range []struct {
		cost, every time.Duration
		want        int
	}{
		{0, 50 * ms, 200},             // at once and then each period
		{ms / 4, 50 * ms, 200},        // 200 × 0.25 ms is the period
		{5 * ms, 50 * ms, 10},         // one per second
		{25 * ms, 50 * ms, 2},         // one per 5 s
		{10 * ms, 3 * sec, 4},         // its period is longer
		{11 * sec, 50 * ms, 0},        // called off
		{9900 * ms, 50 * ms, 1},       // no time for another
		{ms / 10, sec + 50*ms/10, 10}, // a period of 1.005 s
	} {
		kept, err := sampled(t, row.every, row.cost, 10*sec, func(int) error { return nil })
		if kept != row.want || err != nil {
			t.Errorf("readings that cost %v, every %v: %d in 10 s, want %d; err %v", row.cost, row.every, kept, row.want, err)
		}
	}
}

// Two that began together, one of them late now and then, are read together.
func TestSensorsAreReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		of := func(every, late time.Duration, at *[]time.Duration) *sampler {
			return &sampler{
				sensor: gauge{"g", every, func() (float64, error) {
					*at = append(*at, time.Since(began))
					time.Sleep(late)
					return 0, nil
				}},
				began: began, busy: func() time.Duration { return 0 },
				keep: func([]exobench.Sample, exobench.Moment) {},
			}
		}
		var often, seldom []time.Duration
		ctx, cancel := context.WithTimeout(t.Context(), sec-time.Nanosecond)
		defer cancel()
		var under sync.WaitGroup
		under.Go(func() { of(50*ms, 7*ms, &often).run(ctx) })
		under.Go(func() {
			time.Sleep(9 * ms) // its thread got no core at once
			of(100*ms, 0, &seldom).run(ctx)
		})
		under.Wait()
		if len(often) != 20 || len(seldom) != 10 {
			t.Fatalf("%d and %d readings in a second, of 20 and 10", len(often), len(seldom))
		}
		for i, at := range seldom[1:] {
			if at != often[2*(i+1)] || at%(100*ms) != 0 {
				t.Errorf("reading %d is at %v, and the other's at %v", i+1, at, often[2*(i+1)])
			}
		}
	})
}

func TestSamplingGoesOnAfterAFailureAndTellsOfIt(t *testing.T) {
	gone := errors.New("gone")
	kept, err := sampled(t, 100*ms, 0, sec, func(n int) error {
		return map[int]error{2: gone, 3: errors.New("late")}[n]
	})
	if kept != 8 || !errors.Is(err, gone) || !strings.HasPrefix(err.Error(), "2 of 10 readings of the sensor g failed") {
		t.Errorf("%d kept and error %q, want 8 kept and 2 of 10 failed, gone first", kept, err)
	}
}

// missing is a sensor that tells that what it read is gone.
type missing struct{ gauge }

func (missing) Read(context.Context, exobench.Moment) ([]exobench.Sample, error) {
	return []exobench.Sample{{Values: exobench.Values{{Quantity: exobench.Processes}}}}, errors.New("gone")
}

func TestWhatAFailedReadingTellsIsKept(t *testing.T) {
	kept := 0
	m := sampler{sensor: missing{}, busy: threadTime, keep: func(samples []exobench.Sample, _ exobench.Moment) { kept += len(samples) }}
	m.take(t.Context(), exobench.During)
	if kept != 1 || m.failures != 1 {
		t.Errorf("%d kept, %d failures", kept, m.failures)
	}
}

func TestReadingsThatFailDuringABlockAreANote(t *testing.T) {
	d := &double{}
	reads := 0
	d.sensors = []driver.Sensor{gauge{"nodes", sec, func() (float64, error) {
		if reads++; reads > 6 { // three before the load and three after it
			return 0, errors.New("refused")
		}
		return 1 << 30, nil
	}}}
	p := plan("a")
	p.Warmup, p.Stop = 0, exobench.Stop{Duration: exobench.Duration(1500 * ms)}
	r := execute(t, d, p, 0, nil)
	notes := r.notes()
	if len(notes) != 1 || !strings.HasSuffix(notes[0], "readings of the sensor nodes failed, at first: refused") {
		t.Errorf("notes %q", notes)
	}
}

func TestThreadTimeCountsWorkNotWaiting(t *testing.T) {
	m := &sampler{busy: threadTime, keep: func([]exobench.Sample, exobench.Moment) {}}
	m.sensor = gauge{"g", sec, func() (float64, error) {
		time.Sleep(50 * ms)
		return 0, nil
	}}
	if cost := m.take(t.Context(), exobench.During); cost > 25*ms {
		t.Errorf("a reading that waits 50 ms costs %v", cost)
	}
	m.sensor = gauge{"g", sec, func() (float64, error) {
		for before := threadTime(); threadTime()-before < 20*ms; {
		}
		return 0, nil
	}}
	if cost := m.take(t.Context(), exobench.During); cost < 20*ms {
		t.Errorf("a reading that works for 20 ms costs %v", cost)
	}
}
