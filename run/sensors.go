package run

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
	"exobench/driver"
	"exobench/internal/panics"
)

// sample has the sensors read until the function that it returns is called: each
// on its own, at its period, and once more after the requests, when what is dear
// to read slows none of them. Sensors without a period are read now and then.
func (s *step) sample(ctx context.Context, block int) (stop func()) {
	running := ctx
	// What is under way when the run is interrupted is sampled to its end.
	ctx = context.WithoutCancel(ctx)
	sampling, cancel := context.WithCancel(ctx)
	var under sync.WaitGroup
	var all []*sampler
	together := time.Now()
	for _, sensor := range s.sensors() {
		m := &sampler{sensor: sensor, busy: threadTime, began: together, keep: func(samples []exobench.Sample, moment exobench.Moment) {
			s.samples(sensor, samples, s.ID, moment, block)
		}}
		all = append(all, m)
		if sensor.Every() > 0 {
			under.Go(func() { defer s.rescue(); m.run(sampling) })
		} else {
			m.begin(ctx)
		}
	}
	return func() {
		cancel()
		under.Wait()
		for _, m := range all {
			if m.sensor.Every() == 0 {
				m.take(ctx, exobench.During)
			}
		}
		s.sampleAfter(running, all)
		for _, m := range all {
			if err := m.err(); err != nil {
				s.note(err.Error())
			}
		}
	}
}

// afterTime bounds the readings after a block: of an engine with 500 GiB in small
// pages the walk of its page tables takes that long.
const afterTime = 5 * time.Second

// sampleAfter reads the sensors that have a period once more, unless the run was
// interrupted.
func (s *step) sampleAfter(ctx context.Context, all []*sampler) {
	ctx, cancel := context.WithTimeout(ctx, afterTime)
	defer cancel()
	var under sync.WaitGroup
	for _, m := range all {
		if m.sensor.Every() > 0 && ctx.Err() == nil {
			under.Go(func() { defer s.rescue(); m.take(ctx, exobench.After) })
		}
	}
	under.Wait()
}

// frugality is how many times its own cost lies between the starts of two
// readings, so that a sensor takes at most 1/frugality of one core: the two that
// an engine has, of its processes and of its nodes, 1 % together.
const frugality = 200

// beat is what periods are rounded up to, so that sensors are read at the same
// instants: a process that wakes up once for all of them costs less, and what they
// tell is of one time.
const beat = 50 * time.Millisecond

// sampler reads one sensor while requests are under way. A reading that fails is
// counted and left out.
type sampler struct {
	sensor driver.Sensor
	// began is what beats are counted from; where it is not set, from the first
	// reading.
	began time.Time
	keep  func([]exobench.Sample, exobench.Moment)
	// moment, where set, is that of the readings while they are taken again and
	// again; else it is During.
	moment exobench.Moment
	// busy tells the CPU time that the calling thread has used.
	busy func() time.Duration

	readings, failures int
	first              error
}

// run takes a reading at once and then one each period, until ctx is done. Where
// a reading is costly the time between two grows to frugality times the CPU time
// that it takes.
func (m *sampler) run(ctx context.Context) {
	if m.began.IsZero() {
		m.began = time.Now()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := time.Now()
		cost := m.take(ctx, cmp.Or(m.moment, exobench.During))
		timer.Reset(time.Until(m.due(now, cost)))
	}
}

// due returns when the next reading is, after one at an instant that cost so much.
func (m *sampler) due(last time.Time, cost time.Duration) time.Time {
	every := max(m.sensor.Every(), frugality*cost)
	if every < beat {
		return last.Add(every)
	}
	beats := (last.Sub(m.began).Round(beat) + every + beat - 1).Truncate(beat)
	return m.began.Add(beats)
}

// begin reads a sensor without a period for the first time: what it tells is of
// the time before.
func (m *sampler) begin(ctx context.Context) {
	keep := m.keep
	m.keep = func([]exobench.Sample, exobench.Moment) {}
	m.take(ctx, exobench.During)
	m.keep = keep
}

// take takes one reading and returns the CPU time that it took.
func (m *sampler) take(ctx context.Context, moment exobench.Moment) time.Duration {
	runtime.LockOSThread()
	before := m.busy()
	samples, err := read(ctx, m.sensor, moment)
	cost := m.busy() - before
	runtime.UnlockOSThread()
	if ctx.Err() != nil {
		return cost // it was called off
	}
	m.readings++
	if err == nil || len(samples) > 0 { // with an error: that there is nothing to read any more
		m.keep(samples, moment)
	}
	if err == nil {
		return cost
	}
	m.failures++
	if m.first == nil {
		m.first = err
	}
	return cost
}

// read reads a sensor. One that panics is one that cannot be read.
func read(ctx context.Context, sensor driver.Sensor, moment exobench.Moment) (samples []exobench.Sample, err error) {
	defer func() {
		if value := recover(); value != nil {
			samples, err = nil, panics.Recovered(value)
		}
	}()
	return sensor.Read(ctx, moment)
}

// err says how many readings failed, and how the first did; nil if none did.
func (m *sampler) err() error {
	if m.failures == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d readings of the sensor %s failed, at first: %w", m.failures, m.readings, m.sensor.Name(), m.first)
}

// threadTime is the CPU time of the calling thread.
//
// Note: elapsed time would not do. An engine that keeps all cores busy stretches
// a reading tenfold, and the sampler would slow down just while there is
// something to see.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
