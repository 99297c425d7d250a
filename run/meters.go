package run

import (
	"context"
	"slices"
	"sync"
	"time"

	"exobench"
	"exobench/driver"
)

// Log is what a meter outside wrote while the run went on.
type Log struct {
	Meter exobench.Meter
	// Samples are on the clock of the session; what they belong to is not set.
	Samples []exobench.Sample
}

// stretch is a time of the run in which readings belong to a step, or to the idle
// machine.
type stretch struct {
	from, to exobench.Instant
	step     int
	moment   exobench.Moment
}

// edge is how far beyond a step readings of a log still speak for it.
const edge = 5 * time.Second

// powers are the quantities that are read of an idle machine.
var powers = []exobench.Quantity{exobench.PowerWatts, exobench.EnergyJoules, exobench.NodePower, exobench.GPUPower, exobench.GPUPowerAverage}

// idle tells of the meters, and has the power read for a while before anything is
// asked of an engine. Where nothing tells a power it does not wait.
func (x *execution) idle(ctx context.Context) {
	for _, m := range x.Meters {
		m.At, m.Session = x.Clock.Now(), x.Session
		x.append(&m)
	}
	span := time.Duration(x.Plan.IdlePower)
	if span <= 0 || !x.goesOn(ctx) {
		return
	}
	from := x.Clock.Now()
	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	var under sync.WaitGroup
	watch := func(sensor driver.Sensor, patience int) {
		if sensor.Every() > 0 {
			under.Go(func() { defer x.rescue(); x.readIdle(ctx, sensor, patience) })
		}
	}
	for _, sensor := range x.Sensors {
		watch(sensor, 2) // the first reading of a counter tells nothing
	}
	for _, e := range x.Engines {
		for _, sensor := range x.engines[e.Entry.Name].sensors() {
			watch(sensor, 1)
		}
	}
	if x.Log != nil {
		sleep(ctx, span)
	}
	under.Wait()
	x.stretches = append(x.stretches, stretch{from, x.Clock.Now(), 0, exobench.Idle})
}

// readIdle reads a sensor at its period until ctx is done, or until it has told no
// power so many times.
func (x *execution) readIdle(ctx context.Context, sensor driver.Sensor, patience int) {
	for ctx.Err() == nil {
		samples, err := read(ctx, sensor, exobench.Idle)
		if ctx.Err() != nil {
			return
		}
		samples = slices.DeleteFunc(samples, func(s exobench.Sample) bool {
			return !slices.ContainsFunc(s.Values, func(v exobench.Value) bool { return slices.Contains(powers, v.Quantity) })
		})
		if err != nil || len(samples) == 0 {
			if patience--; patience == 0 {
				return
			}
		}
		x.samples(sensor, samples, 0, exobench.Idle, 0)
		sleep(ctx, sensor.Every())
	}
}

// moving has the sensors of the machine read while the model is on its way, until
// the function that it returns is called.
func (s *step) moving(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var under sync.WaitGroup
	for _, sensor := range s.ofMachine() {
		if sensor.Every() > 0 {
			m := &sampler{sensor: sensor, busy: threadTime, moment: exobench.Moving, keep: func(samples []exobench.Sample, moment exobench.Moment) {
				s.samples(sensor, samples, s.ID, moment, 0)
			}}
			under.Go(func() { defer s.rescue(); m.run(ctx) })
		}
	}
	return func() { cancel(); under.Wait() }
}

// ofMachine are the sensors of the machine that exobench runs on, which tell
// nothing of an engine elsewhere.
func (s *step) ofMachine() []driver.Sensor {
	if s.engine.Elsewhere {
		return nil
	}
	return s.execution.Sensors
}

// readLog records what a meter outside wrote, for each step that it speaks for.
func (x *execution) readLog() {
	if x.Log == nil || len(x.stretches) == 0 {
		return
	}
	from, to := x.stretches[0].from, x.stretches[len(x.stretches)-1].to
	log, err := x.Log(from, to)
	if err != nil {
		x.note(exobench.Note{Text: "the power meter's log gave nothing: " + err.Error()})
		return
	}
	log.Meter.At, log.Meter.Session = x.Clock.Now(), x.Session
	x.append(&log.Meter)
	for _, s := range x.stretches {
		margin := edge
		if s.moment == exobench.Idle {
			margin = 0
		}
		for _, sample := range log.Samples {
			if sample.At.Add(margin) < s.from || sample.At > s.to.Add(margin) {
				continue
			}
			sample.Step, sample.Moment = s.step, s.moment
			x.append(&sample)
		}
	}
}
