package summary

import (
	"path/filepath"
	"strings"

	"exobench"
	"exobench/metric"
)

// KVCache sets what the keys and values of a cell's tokens should take in memory
// beside what answering took.
type KVCache struct {
	// PerToken is what one token takes by the model's shape, Tokens how many there
	// were at most at a time: those of the longest prompt and answer, for each request
	// of a closed loop. Tokens is 0 in an open one.
	PerToken exobench.Bytes  `json:"bytes_per_token"`
	Tokens   exobench.Tokens `json:"tokens"`
	// Seen is the greatest inference memory / Tokens; nil where either is unknown, or
	// the memory fell.
	Seen *exobench.Bytes `json:"seen_bytes_per_token"`
	// AtLoad is set where the engine sets its whole cache aside when it loads: the
	// cache is then part of the model's memory, and Seen is what else answering
	// takes.
	AtLoad bool `json:"set_aside_at_load"`
}

// Expected is what the tokens should take together.
func (k *KVCache) Expected() exobench.Bytes { return k.PerToken * exobench.Bytes(k.Tokens) }

// kvCache returns the cache of a cell; nil where the model's shape is not known.
func (f *Fold) kvCache(c *Cell, longest exobench.Tokens) *KVCache {
	engine, _ := f.header.Engine(c.Engine)
	for _, cache := range engine.KVCaches {
		if cache.Model != c.Model || longest == 0 {
			continue
		}
		k := &KVCache{PerToken: cache.PerToken, AtLoad: cache.AtLoad}
		if c.Traffic.Open() {
			return k
		}
		k.Tokens = longest * exobench.Tokens(c.Traffic.Concurrency)
		if inference, ok := c.Metric(metric.MemoryInference); ok && inference.Max >= 0 && c.Memory.Source != FromNode {
			k.Seen = new(bytesOf(inference.Max) / exobench.Bytes(k.Tokens))
		}
		return k
	}
	return nil
}

// Weights says where an engine holds the weights of a model that it reads from a
// file of this host.
type Weights string

// The places.
const (
	// WeightsMapped: in pages of the file, which the system can drop and read again.
	WeightsMapped Weights = "mapped"
	// WeightsCopied: in memory of the engine's own.
	WeightsCopied Weights = "copied"
	// WeightsTwice: in both, as where they are put into another order for the
	// processor and the file stays mapped.
	WeightsTwice Weights = "twice"
)

// weightsShare is how much of the file must be in a place to be held there.
const weightsShare = 0.6

// fileOf returns the size of the file of a model: of several that an engine has, the
// one with the name of the model's id. It is 0 where that cannot be told.
func fileOf(engine exobench.Engine, id string) exobench.Bytes {
	for _, file := range engine.Files {
		if name := filepath.Base(file.Path); len(engine.Files) == 1 || strings.TrimSuffix(name, filepath.Ext(name)) == id {
			return file.Size
		}
	}
	return 0
}

// weights tells where the weights of a file of that size are, by what the load added
// to each part; empty where that cannot be told.
func (m *memory) weights(size exobench.Bytes) Weights {
	if size == 0 || m.loaded == nil || m.loaded.Anonymous == nil || m.loaded.File == nil {
		return ""
	}
	anonymous, file := *m.loaded.Anonymous, *m.loaded.File
	if m.from != nil && m.from.Anonymous != nil && m.from.File != nil {
		anonymous, file = anonymous-*m.from.Anonymous, file-*m.from.File
	}
	enough := exobench.Bytes(weightsShare * float64(size))
	switch {
	case anonymous >= enough && file >= enough:
		return WeightsTwice
	case file >= enough:
		return WeightsMapped
	case anonymous >= enough:
		return WeightsCopied
	}
	return ""
}
