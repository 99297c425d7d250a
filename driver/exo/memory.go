package exo

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"exobench"
)

type nodeMemory struct {
	Total     size `json:"ramTotal"`
	Available size `json:"ramAvailable"`
}

func (t *Target) nodeMemory(ctx context.Context) (map[string]nodeMemory, error) {
	var memory map[string]nodeMemory
	err := t.get(ctx, "/state/nodeMemory", &memory)
	return memory, err
}

// ReadMemory returns the memory in use on the cluster's nodes, whoever uses
// it, as exo last measured it (once a second). At, Model and Moment are the
// caller's to set.
//
// While a model is deployed the same nodes are counted as in the last reading
// before it, so that the two can be subtracted; one that left is an error.
func (t *Target) ReadMemory(ctx context.Context) (exobench.Reading, error) {
	memory, err := t.nodeMemory(ctx)
	if err != nil {
		return exobench.Reading{}, fmt.Errorf("read the nodes' memory: %w", err)
	}
	if len(memory) == 0 {
		return exobench.Reading{}, fmt.Errorf("read the nodes' memory: exo reports none")
	}
	reading := exobench.Reading{Source: exobench.FromNode}
	for _, id := range t.countedNodes(memory) {
		node, reported := memory[id]
		if !reported {
			return exobench.Reading{}, fmt.Errorf("read the nodes' memory: node %s no longer reports any", t.nodeName(id))
		}
		reading.Memory += exobench.Bytes(node.Total - node.Available)
	}
	return reading, nil
}

// countedNodes returns the nodes to count: those that report now, or those
// that did when a model that is still deployed was not yet there.
//
// Note: counting only the deployment's nodes would compare a reading of those
// with the reading before it, when nobody knew which they would be.
func (t *Target) countedNodes(memory map[string]nodeMemory) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.deployed || t.counted == nil {
		t.counted = slices.Sorted(maps.Keys(memory))
	}
	return t.counted
}

func (t *Target) setDeployed(deployed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deployed = deployed
}
