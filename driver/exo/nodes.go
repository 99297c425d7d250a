package exo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"exobench"
	"exobench/driver/api"
)

// nodesSensor reads what exo tells of each of its machines: memory in use, and
// power, GPU use and temperature where it knows them.
type nodesSensor struct{ engine *Engine }

// Name returns "nodes".
func (nodesSensor) Name() string { return "nodes" }

// Every returns one second, at which exo renews what it tells.
func (nodesSensor) Every() time.Duration { return time.Second }

// Read returns one sample of each node that reports its memory, all of one
// instant. exo writes out its whole state for each answer, so an exo without
// sensors is not asked for them while it works.
func (s nodesSensor) Read(ctx context.Context, moment exobench.Moment) ([]exobench.Sample, error) {
	e := s.engine
	memory, err := e.nodeMemory(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the nodes: %w", err)
	}
	if len(memory) == 0 {
		return nil, errors.New("read the nodes: exo reports none")
	}
	var system map[string]nodeSystem
	if !e.bare.Load() || moment != exobench.During {
		if err := e.api.Get(ctx, "/state/nodeSystem", &system); err != nil && !api.Missing(err) {
			return nil, fmt.Errorf("read the nodes' sensors: %w", err)
		}
		e.bare.Store(len(system) == 0)
	}
	now := e.config.env.Clock.Now()
	samples := make([]exobench.Sample, 0, len(memory))
	for _, id := range slices.Sorted(maps.Keys(memory)) {
		samples = append(samples, exobench.Sample{
			At: now, Sensor: s.Name(), Of: e.nodeName(id), Values: memory[id].values(e.scale(id, system[id])),
		})
	}
	return samples, nil
}

type nodeMemory struct {
	Total     size `json:"ramTotal"`
	Available size `json:"ramAvailable"`
}

func (e *Engine) nodeMemory(ctx context.Context) (map[string]nodeMemory, error) {
	var memory map[string]nodeMemory
	err := e.api.Get(ctx, "/state/nodeMemory", &memory)
	return memory, err
}

// nodeSystem is what exo tells of a node's sensors; it does so on macOS only,
// where macmon works. exo leaves out, or sends empty, what it does not know, and
// has 0 for what was never set.
type nodeSystem struct {
	// GPU is 0 to 1 as exo passes it on from macmon, whose samples say so whatever
	// exo's comment ("usage %") does: exo's app, dashboard and bench multiply it by
	// 100. What reads other sensors may say per cent.
	GPU         *float64 `json:"gpuUsage"`
	Temperature *float64 `json:"temp"`
	Power       *float64 `json:"sysPower"`
}

// overFull is how far above 1 a share may be by rounding. What is above tells per
// cent.
const overFull = 1.5

// scale returns what a node tells in the units of the vocabulary, without what it
// has not measured: a machine that runs is neither at 0 °C nor takes 0 W, and its
// GPU was not read where neither of them was.
func (e *Engine) scale(node string, s nodeSystem) nodeSystem {
	measured := nodeSystem{Temperature: above(s.Temperature, 0), Power: above(s.Power, 0)}
	if s.GPU == nil || *s.GPU < 0 || *s.GPU > 100 || *s.GPU == 0 && measured == (nodeSystem{}) {
		return measured
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if *s.GPU > overFull && !e.percents[node] {
		if e.percents == nil {
			e.percents = map[string]bool{}
		}
		e.percents[node] = true
	}
	share := min(*s.GPU, 1)
	if e.percents[node] {
		share = *s.GPU / 100
	}
	measured.GPU = &share
	return measured
}

// above returns a figure that is greater than a bound; nil for any other.
func above(v *float64, bound float64) *float64 {
	if v == nil || *v <= bound {
		return nil
	}
	return v
}

// values are a node's, in the order of the vocabulary.
func (m nodeMemory) values(s nodeSystem) exobench.Values {
	values := exobench.Values{
		{Quantity: exobench.NodeUsed, Value: float64(m.Total - m.Available)},
		{Quantity: exobench.NodeTotal, Value: float64(m.Total)},
	}
	for _, told := range []struct {
		quantity exobench.Quantity
		value    *float64
	}{{exobench.NodePower, s.Power}, {exobench.NodeGPU, s.GPU}, {exobench.NodeTemperature, s.Temperature}} {
		if told.value != nil {
			values = append(values, exobench.Value{Quantity: told.quantity, Value: *told.value})
		}
	}
	return values
}
