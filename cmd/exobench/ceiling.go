package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"exobench"
	"exobench/catalogue"
	"exobench/ceiling"
	"exobench/driver"
	"exobench/driver/local"
	"exobench/gguf"
)

const bandwidthHelp = "bandwidth of the memory that holds the models, in GB/s, to reckon the ceiling of tokens/s from; 0 has it found out"

// memory knows how fast memories can be read.
type memory struct {
	// given, where not 0, is what the user says, in GB/s.
	given float64
	host  exobench.Host
	// freeGPU is what is free of the memories of the GPUs that models are put on; nil
	// where there is none, or it is not known.
	freeGPU *exobench.Bytes
	// probe measures that of this host's CPU, once.
	probe func() (ceiling.Measured, error)
}

func newMemory(ctx context.Context, given float64, host exobench.Host) memory {
	return memory{given: given, host: host, probe: sync.OnceValues(func() (ceiling.Measured, error) {
		return ceiling.Probe(ctx, 0, local.FreeMemory(ctx))
	})}
}

// withGPUs takes what is held of each GPU's memory, by its id. Engines put one
// model on several GPUs, so that what is free of all counts together.
func (m memory) withGPUs(held map[string]exobench.Bytes) memory {
	free := exobench.Bytes(0)
	for _, g := range m.host.GPUs {
		used, told := held[g.ID]
		if !g.Unified && g.Memory >= leastGPU && told {
			free += max(0, g.Memory-used)
			m.freeGPU = &free
		}
	}
	return m
}

// bandwidth returns that of what holds a model: here is set where that is this
// host, and chip is what its machine calls its processor. It is absent where
// nothing is known of it; a model that a cache of the CPU could hold has none.
func (m memory) bandwidth(r ceiling.Reads, here bool, chip string) (exobench.Bandwidth, bool, error) {
	if m.given > 0 {
		return exobench.Bandwidth{PerSecond: m.given * 1e9, From: exobench.BandwidthGiven}, true, nil
	}
	cores := 0
	if here {
		cores = m.host.Cores
	}
	if b, ok := ceiling.Published(chip, cores); ok {
		return b, true, nil
	}
	if !here {
		return exobench.Bandwidth{}, false, nil
	}
	if g, there := m.gpu(); there {
		b, ok := ceiling.Published(g.Name, 0)
		b.GPU = true
		return b, ok, nil
	}
	if b, ok := ceiling.Published(m.host.CPU, cores); ok {
		return b, true, nil
	}
	got, err := m.probe()
	if err != nil || int(r.Weights) < got.Cache {
		return exobench.Bandwidth{}, false, err
	}
	of := fmt.Sprintf("this machine's CPU, %d threads", got.Threads)
	return exobench.Bandwidth{PerSecond: got.PerSecond, From: exobench.BandwidthMeasured, Of: of}, true, nil
}

// leastGPU is the least memory of a GPU that models are put on; chips that only
// drive a screen have less.
const leastGPU = 1 << 30

// gpu returns the GPU of this host that an engine here is taken to put models on:
// the first with a memory of its own.
func (m memory) gpu() (exobench.GPU, bool) {
	for _, g := range m.host.GPUs {
		if !g.Unified && g.Memory >= leastGPU {
			return g, true
		}
	}
	return exobench.GPU{}, false
}

// ceilings works out how fast the models of a run can be decoded at best, as far
// as their engines tell enough of them.
func (s session) ceilings(ctx context.Context, host exobench.Host) ([]exobench.Ceiling, error) {
	m := newMemory(ctx, s.plan.Bandwidth, host)
	var all []exobench.Ceiling
	for _, e := range s.engines {
		weigher, ok := e.Engine.(driver.Weigher)
		if !ok {
			continue
		}
		for _, model := range e.Entry.Models {
			w := weigher.Weights(ctx, model)
			r, ok := readsOf(model.Name, w, s.models)
			if !ok {
				continue
			}
			b, ok, err := m.bandwidth(r, w.Here, w.Chip)
			if err != nil {
				return all, err
			}
			if ok {
				all = append(all, exobench.Ceiling{
					Engine: e.Entry.Name, Model: model.Name, Weights: r.Weights, Position: r.Position,
					Window: exobench.Tokens(r.Window), Basis: r.Basis, Bandwidth: b,
				})
			}
		}
	}
	return all, nil
}

// readsOf works out what is read of a model for a token: of its file, or of what
// the catalogue knows of it.
func readsOf(name string, w driver.Weights, models *catalogue.Catalogue) (ceiling.Reads, bool) {
	r, ok := ceiling.Reads{}, false
	if w.File != "" {
		r, ok = readsOfFile(w.File)
	}
	if known, listed := models.Find(name); !ok && listed {
		r, ok = ceiling.OfModel(known, w.Size)
	}
	if ok && (w.Key > 0 || w.Value > 0) {
		r = r.WithValues(cacheBytes(w.Key), cacheBytes(w.Value))
	}
	return r, ok
}

// cacheBytes are those of a number in the cache; 16 bits where nobody says.
func cacheBytes(size float64) float64 {
	if size > 0 {
		return size
	}
	return 2
}

func readsOfFile(path string) (ceiling.Reads, bool) {
	file, err := os.Open(path)
	if err != nil {
		return ceiling.Reads{}, false
	}
	defer file.Close()
	header, err := gguf.ReadHeader(file)
	if err != nil {
		return ceiling.Reads{}, false
	}
	r, err := ceiling.OfHeader(header)
	return r, err == nil
}
