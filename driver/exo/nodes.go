package exo

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"exobench"
)

// nodeSystem is what exo tells of a node's sensors; it does so on macOS only,
// where macmon works. exo leaves out, or sends empty, what it does not know.
type nodeSystem struct {
	GPU         *float64 `json:"gpuUsage"`
	Temperature *float64 `json:"temp"`
	Power       *float64 `json:"sysPower"`
}

// ReadNodes returns what exo tells of each of its machines: memory in use, and
// power, GPU use and temperature where it knows them. It renews them once a
// second.
func (t *Target) ReadNodes(ctx context.Context) ([]exobench.NodeReading, error) {
	memory, err := t.nodeMemory(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the nodes: %w", err)
	}
	var system map[string]nodeSystem
	if err := t.get(ctx, "/state/nodeSystem", &system); err != nil && !missing(err) {
		return nil, fmt.Errorf("read the nodes' sensors: %w", err)
	}
	readings := make([]exobench.NodeReading, 0, len(memory))
	for _, id := range slices.Sorted(maps.Keys(memory)) {
		m, s := memory[id], system[id]
		readings = append(readings, exobench.NodeReading{
			Node:        t.nodeName(id),
			MemoryUsed:  new(exobench.Bytes(m.Total - m.Available)),
			MemoryTotal: new(exobench.Bytes(m.Total)),
			Power:       s.Power, GPU: s.GPU, Temperature: s.Temperature,
		})
	}
	return readings, nil
}
