package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
)

// counter is a sensor of a counter, which tells nothing at its first reading.
type counter struct{ reads int }

func (*counter) Name() string         { return "power" }
func (*counter) Every() time.Duration { return 100 * ms }

func (c *counter) Read(context.Context, exobench.Moment) ([]exobench.Sample, error) {
	if c.reads++; c.reads == 1 {
		return nil, nil
	}
	return []exobench.Sample{{Of: "rapl:package-0", Span: 100 * ms, Values: exobench.Values{{Quantity: exobench.EnergyJoules, Value: 1}}}}, nil
}

// moments counts the samples of a sensor by step and moment.
func (r result) moments(sensor string) map[exobench.Moment]int {
	all := map[exobench.Moment]int{}
	for _, s := range of[*exobench.Sample](r.recorder) {
		if s.Sensor == sensor {
			all[s.Moment]++
		}
	}
	return all
}

func TestThePowerIsReadIdleWhileLoadingAndWhileMeasured(t *testing.T) {
	meter := exobench.Meter{Sensor: "power", Of: "rapl:package-0", Source: "rapl package", Scope: exobench.PackageScope}
	p := plan("a")
	p.IdlePower = exobench.Duration(2 * sec)
	r := execute(t, &double{}, p, 0, func(c *Config) { c.Sensors, c.Meters = []driver.Sensor{new(counter)}, []exobench.Meter{meter} })
	got := r.moments("power")
	// 2 s idle, loads take 1 s, and the seven requests 1 s each.
	if got[exobench.Idle] < 18 || got[exobench.Idle] > 20 || got[exobench.Moving] < 9 || got[exobench.During] < 65 || got[exobench.After] != 2 || got[exobench.Before] != 0 {
		t.Errorf("samples %v", got)
	}
	meters := of[*exobench.Meter](r.recorder)
	if len(meters) != 1 || meters[0].Session != 3 || !meters[0].At.Reached() || meters[0].Scope != exobench.PackageScope {
		t.Errorf("meters %+v", meters)
	}
	for _, s := range of[*exobench.Sample](r.recorder) {
		if (s.Moment == exobench.Idle) != (s.Step == 0) {
			t.Fatalf("%+v: only what is idle belongs to no step", s)
		}
	}
}

func TestNobodyWaitsForAnIdleMachineWithoutAMeter(t *testing.T) {
	p := plan("a")
	p.IdlePower = exobench.Duration(30 * sec)
	for name, d := range map[string]*double{"no sensor": {}, "none of power": {sensors: []driver.Sensor{steady("processes", 50*ms)}}} {
		if r := execute(t, d, p, 0, nil); r.took > 15*sec || r.moments("processes")[exobench.Idle] != 0 {
			t.Errorf("%s: it took %v, samples %v", name, r.took, r.moments("processes"))
		}
	}
	watts := &double{sensors: []driver.Sensor{told{}}}
	if r := execute(t, watts, p, 0, nil); r.took < 30*sec || r.moments("nodes")[exobench.Idle] < 30 {
		t.Errorf("an engine that tells its power: it took %v, samples %v", r.took, r.moments("nodes"))
	}
	p.IdlePower = 0
	if r := execute(t, watts, p, 0, nil); r.moments("nodes")[exobench.Idle] != 0 {
		t.Errorf("a plan that wants none: samples %v", r.moments("nodes"))
	}
}

// told is a node's power.
type told struct{}

func (told) Name() string         { return "nodes" }
func (told) Every() time.Duration { return sec }
func (told) Read(context.Context, exobench.Moment) ([]exobench.Sample, error) {
	return []exobench.Sample{{Of: "n", Values: exobench.Values{{Quantity: exobench.NodePower, Value: 40}}}}, nil
}

func TestThePowerOfThisMachineIsNotReadForAnEngineElsewhere(t *testing.T) {
	r := execute(t, &double{}, plan("a"), 0, func(c *Config) {
		c.Sensors = []driver.Sensor{new(counter)}
		c.Engines[0].Elsewhere = true
	})
	if got := r.moments("power"); len(got) != 0 {
		t.Errorf("samples %v", got)
	}
}

func TestTheLogOfAMeterIsReadAtTheEndForEachStep(t *testing.T) {
	p := plan("a", "b")
	p.IdlePower = exobench.Duration(2 * sec)
	var from, until exobench.Instant
	log := func(f, u exobench.Instant) (Log, error) {
		from, until = f, u
		l := Log{Meter: exobench.Meter{Sensor: "power", Of: "csv:plug.csv", Scope: exobench.WallScope}}
		for at := f; at <= u; at += exobench.Instant(sec) {
			l.Samples = append(l.Samples, exobench.Sample{At: at, Sensor: "power", Of: "csv:plug.csv", Values: exobench.Values{{Quantity: exobench.PowerWatts, Value: 90}}})
		}
		return l, nil
	}
	r := execute(t, &double{}, p, 0, func(c *Config) { c.Log = log })
	steps := map[int]int{}
	for _, s := range of[*exobench.Sample](r.recorder) {
		steps[s.Step]++
		if s.Step == 0 && (s.Moment != exobench.Idle || s.At > from.Add(2*sec)) || s.Step > 0 && s.Moment != exobench.During {
			t.Errorf("%+v", s)
		}
	}
	// Each step takes 8 s, and what lies up to 5 s beside it speaks for it too.
	if steps[0] != 3 || steps[1] < 15 || steps[2] < 13 || until.Sub(from) < 18*sec {
		t.Errorf("samples by step %v, from %v to %v", steps, from, until)
	}
	entries := r.entries
	if _, last := entries[len(entries)-1].(*exobench.End); !last || !slices.ContainsFunc(entries, func(e exobench.Entry) bool { m, ok := e.(*exobench.Meter); return ok && m.Session == 3 }) {
		t.Error("the end is not last, or the meter is not told of")
	}
	r = execute(t, &double{}, p, 0, func(c *Config) {
		c.Log = func(_, _ exobench.Instant) (Log, error) { return Log{}, errors.New("no such file") }
	})
	if notes := r.notes(); len(notes) != 1 || !strings.Contains(notes[0], "the power meter's log gave nothing: no such file") || r.reason != exobench.EndFinished {
		t.Errorf("notes %q, %s", notes, r.reason)
	}
}
