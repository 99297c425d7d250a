package summary

import (
	"slices"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// Energy is what one source of power tells of a cell.
type Energy struct {
	// Source names it, and Meters are what it adds up.
	Source    string         `json:"source"`
	Scope     exobench.Scope `json:"scope"`
	Estimated bool           `json:"estimated"`
	Meters    []string       `json:"meters"`
	// Chosen is set of the source that the metrics of the cell are of.
	Chosen bool `json:"chosen"`
	// Step is the time between its readings: what is shorter has no energy.
	Step time.Duration `json:"step_ns"`
	// Joules is the energy over the wall time of the cell, Power its mean in watts,
	// Idle the power of the idle machine before the run, and AboveIdle the energy
	// less what the idle machine would have drawn. The two of a token are over the
	// output tokens of the OK requests. Each is nil where it is unknown.
	Joules            *float64 `json:"energy_j"`
	Power             *float64 `json:"power_mean_watts"`
	Idle              *float64 `json:"power_idle_watts"`
	AboveIdle         *float64 `json:"energy_above_idle_j"`
	PerToken          *float64 `json:"energy_per_token_j"`
	AboveIdlePerToken *float64 `json:"energy_above_idle_per_token_j"`
	// Coverage is the share of the wall time that readings speak for, and Gap the
	// longest time between two of them.
	Coverage float64       `json:"coverage"`
	Gap      time.Duration `json:"largest_gap_ns"`
	// Missing says why Joules is nil.
	Missing EnergyMissing `json:"missing"`
	// Requests is how many OK requests have an energy, of the chosen source; Short
	// how many have none since they took less than Step.
	Requests int `json:"requests"`
	Short    int `json:"requests_too_short"`
}

// EnergyMissing says why there is no energy.
type EnergyMissing string

// The reasons.
const (
	// EnergyUnread: nothing was read while requests were under way.
	EnergyUnread EnergyMissing = "no_readings"
	// EnergyGaps: the readings cover too little of the time.
	EnergyGaps EnergyMissing = "gaps"
	// EnergyShort: the cell took less than the step of the source.
	EnergyShort EnergyMissing = "too_short"
)

// powers returns the sources of a step with their readings.
func (f *Fold) powers(b *bringUp) []*metered {
	if n := b.readings.Len(); b.readAt != n || b.versionAt != f.version || b.power == nil {
		b.power = []*metered{}
		for _, s := range f.powerSources(&b.readings) {
			b.power = append(b.power, newMetered(&b.readings, s))
		}
		b.readAt, b.versionAt = n, f.version
	}
	return b.power
}

// powerOf returns what a source of that name tells in a step; nil where it tells
// nothing there.
func (f *Fold) powerOf(b *bringUp, name string) *metered {
	i := slices.IndexFunc(f.powers(b), func(p *metered) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return b.power[i]
}

// chooseSources chooses for each engine the source that its energies are of: one
// for all of its cells, so that they can be compared.
func (f *Fold) chooseSources() {
	f.chosen = map[string]string{}
	best := map[string]source{}
	for _, b := range f.steps {
		if !b.known {
			continue
		}
		for _, p := range f.powers(b) {
			if have, there := best[b.Engine]; !there || p.source.compare(have) < 0 {
				best[b.Engine] = p.source
				f.chosen[b.Engine] = p.name
			}
		}
	}
}

// energies returns what each source tells of a cell, the chosen one first.
func (f *Fold) energies(c *Cell, s *sample) []Energy {
	var names []string
	for _, b := range s.blocks {
		for _, p := range f.powers(f.steps[b.Step]) {
			if !slices.Contains(names, p.name) {
				names = append(names, p.name)
			}
		}
	}
	var all []Energy
	for _, name := range names {
		e := f.energyOf(name, s)
		if e.Chosen = name == f.chosen[c.Engine]; e.Chosen {
			all = slices.Insert(all, 0, e)
		} else {
			all = append(all, e)
		}
	}
	return all
}

// energyOf returns what one source tells of the blocks of a cell together.
func (f *Fold) energyOf(name string, s *sample) Energy {
	e := Energy{Source: name}
	var joules float64
	var wall, covered time.Duration
	var of source
	for _, b := range s.blocks {
		if !b.sent.Reached() || b.done <= b.sent {
			continue
		}
		wall += b.done.Sub(b.sent)
		p := f.powerOf(f.steps[b.Step], name)
		if p == nil {
			e.Gap = max(e.Gap, b.done.Sub(b.sent))
			continue
		}
		of = p.source
		sum := p.over(b.sent, b.done)
		joules, covered, e.Gap = joules+sum.Value, covered+sum.Covered, max(e.Gap, sum.Gap)
	}
	e.Scope, e.Estimated, e.Step = of.scope, of.estimated, of.step
	for _, m := range of.meters {
		e.Meters = append(e.Meters, m.Of)
	}
	if wall > 0 {
		e.Coverage = float64(covered) / float64(wall)
	}
	switch {
	case covered == 0:
		e.Missing = EnergyUnread
	case wall < e.Step:
		e.Missing = EnergyShort
	case !covers(covered, wall):
		e.Missing = EnergyGaps
	default:
		e.fill(joules, wall, s.tokens())
		if watts, known := f.idlePower(of); known {
			e.subtract(watts, wall, s.tokens())
		}
	}
	return e
}

func (e *Energy) fill(joules float64, wall time.Duration, tokens *float64) {
	e.Joules, e.Power = &joules, new(joules/wall.Seconds())
	if tokens != nil && *tokens > 0 {
		e.PerToken = new(joules / *tokens)
	}
}

// subtract takes away what the idle machine would have drawn.
func (e *Energy) subtract(watts float64, wall time.Duration, tokens *float64) {
	e.Idle, e.AboveIdle = &watts, new(*e.Joules-watts*wall.Seconds())
	if tokens != nil && *tokens > 0 {
		e.AboveIdlePerToken = new(*e.AboveIdle / *tokens)
	}
}

// addEnergy adds what all sources tell of the cell, and of the chosen one the
// energies of the OK requests.
func (f *Fold) addEnergy(c *Cell, s *sample) {
	c.Energy = f.energies(c, s)
	if len(c.Energy) == 0 || !c.Energy[0].Chosen {
		return
	}
	chosen := &c.Energy[0]
	samples := map[string][]stat.Observation{}
	for _, b := range s.blocks {
		p := f.powerOf(f.steps[b.Step], chosen.Source)
		shares := newShares(b, p)
		for _, i := range b.ok.inOrder() {
			r := b.ok.at(i)
			keep := func(name string, value float64) {
				samples[name] = append(samples[name], stat.Observation{Value: value, Stratum: int(r.prompt), Block: b.Step})
			}
			energy := p.ofRequest(r.sent, f.firstToken(b, i), r.done, chosen.Idle)
			if energy.Joules == nil {
				if r.sent.Reached() && r.done > r.sent && r.done.Sub(r.sent) < chosen.Step {
					chosen.Short++
				}
				continue
			}
			chosen.Requests++
			for name, value := range energy.named() {
				keep(name, value)
			}
			if tokens, known := f.tokensOf(b, i, c.TokensFrom); known {
				keep(metric.EnergyShare, shares.of(r.span)/tokens)
			}
		}
	}
	for name, observations := range samples {
		if described, ok := s.describe(observations); ok {
			c.Metrics[name] = described
		}
	}
}

// RequestEnergy is the energy of one request, in joules. Each is nil where unknown.
type RequestEnergy struct {
	// Joules is that from when it was sent until it was done, AboveIdle less what
	// the idle machine would have drawn. Prefill is the part until its first token,
	// and Decode the rest.
	Joules, AboveIdle, Prefill, Decode *float64
}

// named returns those that are known, by the names of their metrics.
func (e RequestEnergy) named() map[string]float64 {
	all := map[string]float64{}
	for name, v := range map[string]*float64{
		metric.Energy: e.Joules, metric.EnergyAboveIdle: e.AboveIdle, metric.EnergyPrefill: e.Prefill, metric.EnergyDecode: e.Decode,
	} {
		if v != nil {
			all[name] = *v
		}
	}
	return all
}

// ofRequest returns the energy of a request; first is 0 where it has no token.
func (p *metered) ofRequest(sent, first, done exobench.Instant, idle *float64) RequestEnergy {
	var e RequestEnergy
	known := func(from, to exobench.Instant) *float64 {
		if joules, ok := p.energy(from, to); ok {
			return &joules
		}
		return nil
	}
	if e.Joules = known(sent, done); e.Joules == nil {
		return e
	}
	if idle != nil {
		e.AboveIdle = new(*e.Joules - *idle*done.Sub(sent).Seconds())
	}
	if first.Reached() {
		e.Prefill, e.Decode = known(sent, first), known(first, done)
	}
	return e
}

// firstToken returns when the first token of request i of a block came; 0 where
// none did.
func (f *Fold) firstToken(b *block, i int) exobench.Instant {
	// No column has it: it is TTFT after the request was sent.
	ttft, known := b.ok.values[f.place(metric.TTFT)].value(i)
	if !known {
		return 0
	}
	return b.ok.at(i).sent.Add(time.Duration(ttft * 1e9))
}

// tokensOf returns the output tokens of request i of a block, where they were counted as those
// of its cell.
func (f *Fold) tokensOf(b *block, i int, from exobench.TokensFrom) (float64, bool) {
	r := b.ok.at(i)
	// No column has them: they are the rate times the time that it is over.
	rate, known := b.ok.values[f.place(metric.EndToEndTokenRate)].value(i)
	return rate * r.done.Sub(r.sent).Seconds(), known && rate > 0 && r.way == wayOf(from)
}
