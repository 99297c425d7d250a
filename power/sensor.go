package power

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"exobench"
)

// slack is how much earlier than its period a meter is read where another one's
// reading comes just then.
const slack = 5 * time.Millisecond

// Sensor reads the meters of this machine. It is a sensor of a run: its Read may
// be called from one goroutine at a time.
type Sensor struct {
	clock  exobench.Clock
	meters []*reading
}

// reading is a meter and when it was read last.
type reading struct {
	meter
	of   string
	last exobench.Instant
}

// Open gets ready to read the meters that are there. It starts macmon where that
// is installed; what it opens is closed by Close. A Sensor without meters reads
// nothing.
func Open(r Roots, clock exobench.Clock) (*Sensor, []Missing) {
	found, missing := find(r, clock)
	s := &Sensor{clock: clock}
	for _, m := range found {
		if starter, ok := m.(interface{ start() error }); ok {
			if err := starter.start(); err != nil {
				missing = append(missing, Missing{ID: m.describe().Of, Why: err.Error()})
				continue
			}
		}
		s.meters = append(s.meters, &reading{meter: m, of: m.describe().Of})
	}
	return s, missing
}

// Detect says which meters are there, and which could be had. It starts nothing.
func Detect(r Roots) ([]exobench.Meter, []Missing) {
	found, missing := find(r, exobench.NewClock())
	var all []exobench.Meter
	for _, m := range found {
		all = append(all, described(m)...)
		_ = m.close()
	}
	return all, missing
}

// find looks for meters in the order of reports.
func find(r Roots, clock exobench.Clock) (found []meter, missing []Missing) {
	for _, look := range []func(Roots) ([]meter, []Missing){findRAPL, findHwmon, findBatteries} {
		more, without := look(r)
		found, missing = append(found, more...), append(missing, without...)
	}
	more, without := findMacmon(r, clock)
	return append(found, more...), append(missing, without...)
}

// Meters says what is read.
func (s *Sensor) Meters() []exobench.Meter {
	var all []exobench.Meter
	for _, m := range s.meters {
		all = append(all, described(m.meter)...)
	}
	return all
}

// described returns all that a meter tells of: macmon tells of two.
func described(m meter) []exobench.Meter {
	if several, ok := m.(interface{ describeAll() []exobench.Meter }); ok {
		return several.describeAll()
	}
	return []exobench.Meter{m.describe()}
}

// Name returns "power".
func (s *Sensor) Name() string { return SensorName }

// Every returns the period of the fastest meter; those that renew less often are
// read less often.
func (s *Sensor) Every() time.Duration {
	every := time.Second
	for _, m := range s.meters {
		every = min(every, m.every())
	}
	return every
}

// Read returns the samples of the meters that are due. A meter that cannot be read
// keeps no other from it.
func (s *Sensor) Read(ctx context.Context, _ exobench.Moment) ([]exobench.Sample, error) {
	var all []exobench.Sample
	var failed []error
	for _, m := range s.meters {
		now := s.clock.Now()
		if m.last.Reached() && now.Sub(m.last) < m.every()-slack {
			continue
		}
		m.last = now
		samples, err := m.read(ctx, s.clock.Now)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", m.of, err))
			continue
		}
		for i := range samples {
			sample := &samples[i]
			sample.Sensor = SensorName
			if sample.Of == "" {
				sample.Of = m.of
			}
			if !sample.At.Reached() {
				sample.At = now
			}
		}
		all = append(all, samples...)
	}
	return slices.Clip(all), errors.Join(failed...)
}

// Close lets go of the meters.
func (s *Sensor) Close() error {
	var failed []error
	for _, m := range s.meters {
		failed = append(failed, m.close())
	}
	return errors.Join(failed...)
}
