package summary

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"exobench"
	"exobench/timeline"
)

// powerSensor tells powers, as nodes and GPUs do.
const powerSensor = "power"

// source is one way to tell a power: meters of one scope that are added up.
type source struct {
	name      string
	scope     exobench.Scope
	estimated bool
	// step is the longest of its meters'.
	step   time.Duration
	meters []exobench.Meter
}

// compare puts the source first that energies are to be of: a measured one before
// an estimate, then the wider, then the engine's own, then by name.
func (s source) compare(other source) int {
	rank := func(s source) int {
		n := slices.Index(exobench.Scopes, s.scope)
		if s.estimated {
			n += len(exobench.Scopes)
		}
		return n
	}
	own := func(s source) int {
		if s.name == nodeSource {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(rank(s), rank(other)), cmp.Compare(own(s), own(other)), cmp.Compare(s.name, other.name))
}

// add adds a meter.
func (s *source) add(m exobench.Meter) {
	s.meters = append(s.meters, m)
	s.estimated = s.estimated || m.Estimated
	s.step = max(s.step, m.Step)
}

// The names of the sources that no meter tells of.
const (
	nodeSource = "nodes"
	gpuSource  = "gpus"
)

// meterID is what tells meters apart.
type meterID struct{ sensor, of string }

// powerSources returns the sources that readings hold, the one first that energies are
// to be of. Of a source with several meters all are there, those too that nothing
// was read of.
func (f *Fold) powerSources(readings *timeline.Set) []source {
	all := map[string]*source{}
	add := func(m exobench.Meter) {
		s := all[m.Source]
		if s == nil {
			s = new(source)
			all[m.Source] = s
		}
		s.name, s.scope = m.Source, m.Scope
		s.add(m)
	}
	for _, name := range readings.Of(nodeSensor) {
		if len(readings.Line(nodeSensor, name).Curve(exobench.NodePower)) > 0 {
			for _, name := range readings.Of(nodeSensor) {
				add(exobench.Meter{Sensor: nodeSensor, Of: name, Source: nodeSource, Scope: exobench.NodeScope, Step: time.Second})
			}
			break
		}
	}
	for _, name := range readings.Of(gpuSensor) {
		if m, told := gpuMeter(readings, name); told {
			add(m)
		}
	}
	heard := map[string]bool{}
	for id, m := range f.meters {
		heard[m.Source] = heard[m.Source] || readings.Line(id.sensor, id.of).Len() > 0
	}
	for _, id := range slices.SortedFunc(maps.Keys(f.meters), func(a, b meterID) int { return cmp.Compare(a.of, b.of) }) {
		if m := f.meters[id]; heard[m.Source] {
			add(m)
		}
	}
	list := []source{}
	for _, s := range all {
		list = append(list, *s)
	}
	slices.SortFunc(list, source.compare)
	if sum, ok := parts(list); ok {
		list = append(list, sum)
		slices.SortFunc(list, source.compare)
	}
	return list
}

// The least steps of a GPU's powers: drivers renew that of the instant each 100 ms,
// and the average, which is over a second, as often.
const (
	instantStep = 100 * time.Millisecond
	averageStep = time.Second
)

// gpuMeter says what is told of a GPU's power; nothing where none is.
func gpuMeter(readings *timeline.Set, id string) (exobench.Meter, bool) {
	line, step := readings.Line(gpuSensor, id), instantStep
	power := line.Curve(exobench.GPUPower)
	if len(power) == 0 {
		power, step = line.Curve(exobench.GPUPowerAverage), averageStep
	}
	m := exobench.Meter{Sensor: gpuSensor, Of: id, Source: gpuSource, Scope: exobench.GPUScope, Step: max(step, medianGap(power))}
	if unified := line.Curve(exobench.GPUUnified); len(unified) > 0 && unified[0].Value == 1 {
		m.Inside = exobench.PackageScope // it is a part of the processor
	}
	return m, len(power) > 0
}

// medianGap returns the median time between two readings; 0 of fewer.
func medianGap(c timeline.Curve) time.Duration {
	var gaps []float64
	for i := 1; i < len(c); i++ {
		gaps = append(gaps, float64(c[i].At.Sub(c[i-1].At)))
	}
	return time.Duration(median(gaps))
}

// parts adds up what is measured of the parts of this machine, where there are
// several and none holds another.
func parts(list []source) (source, bool) {
	sum := source{scope: exobench.PartsScope}
	var names []string
	for _, scope := range []exobench.Scope{exobench.PackageScope, exobench.MemoryScope, exobench.GPUScope} {
		i := slices.IndexFunc(list, func(s source) bool {
			return s.scope == scope && !s.estimated && !slices.ContainsFunc(s.meters, func(m exobench.Meter) bool { return m.Inside != "" })
		})
		if i < 0 {
			continue
		}
		names = append(names, list[i].name)
		for _, m := range list[i].meters {
			sum.add(m)
		}
	}
	sum.name = strings.Join(names, " + ")
	return sum, len(names) > 1
}

// gauge is the readings of one meter.
type gauge interface {
	Over(from, to exobench.Instant, reach time.Duration) timeline.Amount
}

// gaugeOf returns the readings of a meter: of a counter what it grew by, else the
// powers, those of the instant rather than means.
func gaugeOf(readings *timeline.Set, m exobench.Meter) gauge {
	line := readings.Line(m.Sensor, m.Of)
	switch m.Sensor {
	case nodeSensor:
		return line.Means(exobench.NodePower)
	case gpuSensor:
		if instant := line.Means(exobench.GPUPower); len(instant) > 0 {
			return instant
		}
		return line.Means(exobench.GPUPowerAverage)
	}
	if used := line.Stretches(exobench.EnergyJoules); len(used) > 0 {
		return used
	}
	return line.Means(exobench.PowerWatts)
}

// metered is a source with its readings in one step.
type metered struct {
	source
	gauges []gauge
}

func newMetered(readings *timeline.Set, s source) *metered {
	p := &metered{source: s}
	for _, m := range s.meters {
		p.gauges = append(p.gauges, gaugeOf(readings, m))
	}
	return p
}

// over returns the energy over a time, in joules, as far as its readings cover it:
// the coverage is that of the meter with the least.
func (p *metered) over(from, to exobench.Instant) timeline.Amount {
	all := timeline.Amount{Covered: to.Sub(from)}
	for _, g := range p.gauges {
		one := g.Over(from, to, max(timeline.Reach, p.step))
		if one.Covered > 0 {
			// What is not covered is taken to be as the rest.
			all.Value += one.Value / (float64(one.Covered) / float64(to.Sub(from)))
		}
		all.Covered, all.Gap = min(all.Covered, one.Covered), max(all.Gap, one.Gap)
	}
	return all
}

// energy returns the energy of a time, in joules. It is absent where the readings
// cover too little of it, or it is shorter than the step of the source.
func (p *metered) energy(from, to exobench.Instant) (float64, bool) {
	if p == nil || len(p.gauges) == 0 || !from.Reached() || to <= from || to.Sub(from) < p.step {
		return 0, false
	}
	sum := p.over(from, to)
	return sum.Value, covers(sum.Covered, to.Sub(from))
}

// enough is the share of a time that readings must cover.
const enough = 0.95

func covers(covered, whole time.Duration) bool { return float64(covered) >= enough*float64(whole) }

// idlePower returns the power of the idle machine as a source told it before the run,
// in watts; it is absent where one of its meters did not.
func (f *Fold) idlePower(s source) (float64, bool) {
	sum := 0.0
	for _, m := range s.meters {
		watts, ok := meanPower(gaugeOf(&f.idle, m))
		if !ok {
			return 0, false
		}
		sum += watts
	}
	return sum, len(s.meters) > 0
}

// meanPower returns the mean over all readings. Those of several sessions, whose
// instants cannot be compared, are pooled.
func meanPower(g gauge) (float64, bool) {
	var sum, weight float64
	switch readings := g.(type) {
	case timeline.Stretches:
		for _, s := range readings {
			sum += s.Amount
			weight += s.To.Sub(s.From).Seconds()
		}
	case timeline.Curve:
		for _, p := range readings {
			sum += p.Value
			weight++
		}
	}
	return sum / weight, weight > 0
}
