package driver

import (
	"context"

	"exobench"
)

// Weigher is an Engine that knows of the weights of its models what decides how
// fast they can be read.
type Weigher interface {
	// Weights returns what is known of a model that was resolved. What is not known
	// is left out, and a model of which nothing is has the zero Weights.
	Weights(ctx context.Context, m exobench.Model) Weights
}

// Weights are those of one model on an engine.
type Weights struct {
	// File is a GGUF file on this host; empty where there is none to be read.
	File string
	// Size is that of all weights.
	Size exobench.Bytes
	// Key and Value are the bytes of a number in the cache of keys and of values; 0
	// is the usual 16 bits.
	Key, Value float64
	// Here is set where the engine runs on this host. Chip is what the machine that
	// it runs on calls its processor, where it tells.
	Here bool
	Chip string
}
