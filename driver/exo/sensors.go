package exo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/resource"
)

// Sensors are what exo tells of its nodes, and the memory of its processes
// where all of it runs on this host.
func (e *Engine) Sensors() []driver.Sensor {
	if e.config.identity.PID != 0 {
		return []driver.Sensor{resource.NewProcesses(e.process)}
	}
	sensors := []driver.Sensor{nodesSensor{e}, runnersSensor{e}}
	if e.local() {
		sensors = append(sensors, e.own.Sensor())
	}
	return sensors
}

// Notices say what is between here and exo, and why the memory is not that of exo's processes, where it is not.
func (e *Engine) Notices() []string {
	notices := e.api.Notices()
	if e.local() {
		if e.own == nil {
			return notices
		}
		return append(notices, e.own.Notices()...)
	}
	_, err := e.process()
	if err == nil {
		err = fmt.Errorf("exo has %d nodes", len(e.nodes))
	}
	return append(notices, fmt.Sprintf("memory is that of whole nodes, whoever uses it (%v)", err))
}

// local reports whether all of the engine runs on this host.
func (e *Engine) local() bool {
	return e.config.identity.PID != 0 || e.seen && len(e.nodes) == 1
}

// process returns the process that answers, where it runs on this host: another
// one than before where exo was started again.
func (e *Engine) process() (int, error) {
	if e.own == nil {
		return e.config.identity.PID, nil
	}
	return e.own.PID()
}

// listener returns exo's own process on this host, found anew where exo was
// started again.
func (e *Engine) listener(ctx context.Context) (int, error) {
	if pid := e.config.identity.PID; pid != 0 {
		return pid, nil
	}
	if e.own == nil {
		e.findProcess(ctx)
	}
	found, err := e.own.Engine(ctx)
	if err != nil {
		return 0, err
	}
	pid := found.Listeners[0].PID
	e.mu.Lock()
	before := e.listens
	if e.listens = pid; before != pid {
		e.earlier = nil
	}
	e.mu.Unlock()
	if before != 0 && before != pid {
		e.observe("exo was started anew: its process is %d and was %d; what it had loaded is gone", pid, before)
	}
	return pid, nil
}

// findProcess looks for the process that listens.
func (e *Engine) findProcess(ctx context.Context) {
	if e.config.identity.PID != 0 {
		return
	}
	e.own = resource.Listen(ctx, e.api.Address())
	_, err := e.own.PID()
	e.seen = err == nil
}

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
			At: now, Sensor: s.Name(), Of: e.nodeName(id), Values: memory[id].values(system[id]),
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
// where macmon works. exo leaves out, or sends empty, what it does not know.
type nodeSystem struct {
	GPU         *float64 `json:"gpuUsage"`
	Temperature *float64 `json:"temp"`
	Power       *float64 `json:"sysPower"`
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
