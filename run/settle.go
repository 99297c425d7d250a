package run

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"exobench"
	"exobench/driver"
)

// A size has settled when, over settlePeriods of its sensor, it did not change by
// more than settleShare, or settleBytes. One period would not do: the source
// may have renewed it just before the first reading and be about to again.
const (
	settlePeriods = 2
	settleShare   = 0.002
	settleBytes   = 1 << 20
	// What never settles is waited for this long, and for some more periods of
	// a slow sensor.
	settleTime    = 3 * time.Second
	settleRenewed = 6
	// readTime bounds what a reading that hangs adds to that.
	readTime = 30 * time.Second
)

var momentText = map[exobench.Moment]string{
	exobench.Before: "before the load",
	exobench.Loaded: "after the load",
}

// processes is the name of the sensor of the engine's own processes. Where there
// is one, the memory of whole nodes is an extra, which whoever else uses the node
// may keep moving: it is read a second time once its source has renewed it, and
// not waited for.
const processes = "processes"

// sized are the sensors whose sizes are the engine's own to move.
var sized = map[string]bool{processes: true, "gpu": true}

// settle reads the engine's sensors until the sizes that they tell hold still:
// an engine may still give memory back, or touch what it loaded. All readings
// are recorded; the last is the one that counts.
func (s *step) settle(ctx context.Context, moment exobench.Moment) {
	var under sync.WaitGroup
	sensors := s.engine.sensors()
	own := slices.ContainsFunc(sensors, func(sensor driver.Sensor) bool { return sensor.Name() == processes })
	for _, sensor := range sensors {
		if sensor.Every() == 0 {
			continue
		}
		under.Go(func() {
			defer s.rescue()
			if err := s.settleOne(ctx, sensor, moment, own && !sized[sensor.Name()]); err != nil && ctx.Err() == nil && moment != exobench.Released {
				s.note(fmt.Sprintf("the sensor %s could not be read %s: %v", sensor.Name(), momentText[moment], err))
			}
		})
	}
	under.Wait()
}

// settleOne reads one sensor until its sizes hold still, or, of an extra one,
// until they are fresh.
func (s *step) settleOne(ctx context.Context, sensor driver.Sensor, moment exobench.Moment, extra bool) error {
	period := sensor.Every()
	began := s.Clock.Now()
	limit := settleTime + settleRenewed*period
	ctx, cancel := context.WithTimeout(ctx, limit+readTime)
	defer cancel()
	// still are the sizes that have held since an instant.
	var still map[size]float64
	var since exobench.Instant
	for ctx.Err() == nil {
		samples, err := read(ctx, sensor, moment)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		s.samples(sensor, samples, s.ID, moment, 0)
		told := sizes(samples)
		if !hold(still, told) {
			still, since = told, now
		}
		fresh := now.Sub(began) >= period
		if len(told) == 0 || extra && fresh || now.Sub(since) >= settlePeriods*period || now.Sub(began) >= limit {
			return nil
		}
		sleep(ctx, period)
	}
	return nil
}

// size names a size of memory in the samples of one reading.
type size struct {
	of       string
	quantity exobench.Quantity
}

// sizes are the sizes of memory that can settle; other quantities, such as a
// node's power, never do.
func sizes(samples []exobench.Sample) map[size]float64 {
	all := map[size]float64{}
	for _, sample := range samples {
		for _, q := range []exobench.Quantity{exobench.Footprint, exobench.PSS, exobench.RSS, exobench.NodeUsed, exobench.GPUEngine, exobench.GPUUsed} {
			value, ok := sample.Values.Get(q)
			if !ok {
				continue
			}
			all[size{sample.Of, q}] = value
			if q == exobench.GPUEngine && value > 0 {
				break // who else uses the GPU may keep moving the rest
			}
		}
	}
	return all
}

// hold reports whether two readings are of the same sizes, give or take what
// counts as still.
func hold(a, b map[size]float64) bool {
	if len(a) != len(b) {
		return false
	}
	for key, before := range a {
		now, ok := b[key]
		if !ok || max(now-before, before-now) > max(settleBytes, settleShare*now) {
			return false
		}
	}
	return true
}
