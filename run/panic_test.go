package run

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/internal/panics"
)

func TestAPanicEndsTheRunAndTheModelIsTakenAway(t *testing.T) {
	for _, c := range []struct {
		where string
		in    func(*double)
		// released is set where the model was there.
		released bool
	}{
		{"in a request", func(d *double) {
			d.outcome = func(exobench.Request) exobench.Outcome { panic("broken\nmap") }
		}, true},
		{"in Prepare", func(d *double) { d.prepared = func() { panic("broken\nmap") } }, false},
		{"in a sensor's period once the model is loaded", func(d *double) {
			restless := &restless{gauge: steady("processes", 50*time.Millisecond)}
			d.sensors, d.prepared = []driver.Sensor{restless}, func() { restless.loaded.Store(true) }
		}, true},
	} {
		t.Run(c.where, func(t *testing.T) {
			d := &double{}
			c.in(d)
			r := execute(t, d, plan("a", "b"), 0, nil)
			var p *panics.Error
			if !errors.As(r.err, &p) || r.reason != exobench.EndFailed || !strings.HasSuffix(p.Error(), "itself: broken map") || !strings.Contains(string(p.Stack), "run.") {
				t.Errorf("reason %s, error %v", r.reason, r.err)
			}
			if got := slices.Contains(d.calls, "release a"); got != c.released || slices.Contains(d.calls, "prepare b") {
				t.Errorf("calls %v", d.calls)
			}
			ends := of[*exobench.End](r.recorder)
			if len(ends) != 1 || ends[0].Reason != exobench.EndFailed || !strings.Contains(ends[0].Error, "broken map") {
				t.Errorf("ends %+v", ends)
			}
		})
	}
}

// restless is a sensor that panics when it is asked for its period after the load.
type restless struct {
	gauge
	loaded atomic.Bool
}

func (r *restless) Every() time.Duration {
	if r.loaded.Load() {
		panic("broken\nmap")
	}
	return r.gauge.Every()
}

func TestASensorThatPanicsIsOneThatCannotBeRead(t *testing.T) {
	d := &double{sensors: []driver.Sensor{gauge{"processes", 50 * time.Millisecond, func() (float64, error) { panic("no such key") }}}}
	r := execute(t, d, plan("a"), 0, nil)
	if r.err != nil || r.reason != exobench.EndFinished || !slices.Contains(d.calls, "release a") {
		t.Errorf("reason %s, error %v, calls %v", r.reason, r.err, d.calls)
	}
	if log := strings.Join(r.log(), "\n"); !strings.Contains(log, "processes could not be read before the load: a mistake in exobench itself: no such key") {
		t.Errorf("not told:\n%s", log)
	}
}

// A panic of a goroutine that is not the run's, such as the live view's, ends the
// context with the panic as its cause.
func TestAPanicElsewhereEndsTheRunAsOneThatFailed(t *testing.T) {
	d := &double{}
	d.outcome = func(r exobench.Request) exobench.Outcome {
		if r.Seq == 2 {
			d.end(panics.Recovered("broken\nmap"))
		}
		return exobench.OK
	}
	r := execute(t, d, plan("a", "b"), 0, nil)
	if r.err == nil || r.reason != exobench.EndFailed || !strings.HasSuffix(r.err.Error(), "itself: broken map") {
		t.Errorf("reason %s, error %v", r.reason, r.err)
	}
	if !slices.Contains(d.calls, "release a") || slices.Contains(d.calls, "prepare b") {
		t.Errorf("calls %v", d.calls)
	}
	if ends := of[*exobench.End](r.recorder); len(ends) != 1 || ends[0].Reason != exobench.EndFailed || !strings.Contains(ends[0].Error, "broken map") {
		t.Errorf("ends %+v", ends)
	}
}
