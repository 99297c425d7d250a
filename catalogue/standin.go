package catalogue

import (
	"math"

	"exobench/shape"
)

// scale is by how much a stand-in is smaller in width and in depth: an 8B model
// becomes one of 53 million weights, small enough that five models answer five
// prompts three times in about two minutes on two cores.
const scale = 3.0 / 16

// unit is what head size and FFN width are multiples of: the decoder's
// vectorised sums need rows that start on 16-byte boundaries.
const unit = 4

// StandIn returns the shape scaled down in its own proportions: width, layers
// and FFN by the same factor, so that layers : width and FFN : width hold; as
// many query heads per key/value head; and the vocabulary by the square, so
// that embeddings keep their share of the weights, which shrink by the cube.
//
// Biases and slowed rotations are left out: the embedded decoder has neither,
// and they cost next to nothing.
func StandIn(s shape.Shape) shape.Shape {
	group := s.Heads / s.KVHeads
	small := s
	small.Layers = scaled(s.Layers, scale, 1)
	small.Hidden = scaled(s.Hidden, scale, unit*group)
	small.FFN = scaled(s.FFN, scale, unit)
	small.Vocab = max(64, scaled(s.Vocab, scale*scale, 1))
	small.KVHeads = standInKVHeads(s, small.Hidden/(unit*group))
	small.Heads = small.KVHeads * group
	small.Context = min(s.Context, 4096)
	small.Arch, small.RopeFactor = shape.Llama, 0
	return small
}

// scaled returns the multiple of step, at least one, nearest to n × factor.
func scaled(n int, factor float64, step int) int {
	return step * max(1, int(math.Round(float64(n)*factor/float64(step))))
}

// standInKVHeads returns the most key/value heads, up to a quarter of the true
// number, by which the width, given in its smallest steps, can be divided.
func standInKVHeads(s shape.Shape, steps int) int {
	for kv := s.KVHeads / 4; kv > 1; kv-- {
		if steps%kv == 0 {
			return kv
		}
	}
	return 1
}
