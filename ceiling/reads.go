package ceiling

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"exobench"
	"exobench/catalogue"
	"exobench/gguf"
	"exobench/shape"
)

// Reads is what a model's decoder takes in memory, and what it reads for each
// token.
type Reads struct {
	// Size is that of all weights.
	Size exobench.Bytes
	// Weights are those that are read for each token.
	Weights exobench.Bytes
	// Position is the size of the keys and values of one position, in all layers;
	// 0 where it is not known.
	Position exobench.Bytes
	// Window is the most positions that are read; 0 is no bound.
	Window int
	// Vocab is the number of tokens; 0 where it is not known.
	Vocab int
	// Basis says what it was worked out from.
	Basis exobench.CeilingBasis
}

// At returns what is read for a token that has so many positions before it.
func (r Reads) At(positions float64) float64 {
	if r.Window > 0 {
		positions = min(positions, float64(r.Window))
	}
	return float64(r.Weights) + positions*float64(r.Position)
}

// valueBytes is the size of a number in the cache of keys and values: 16 bits,
// which is what llama.cpp, Ollama and MLX take unless they are told otherwise.
const valueBytes = 2

// OfHeader works it out from a model file's own list of tensors. Those that no
// token reads in full do not count: the embedding, of which a token takes one
// row, unless it is the output matrix too; and the experts that are not chosen.
func OfHeader(h gguf.Header) (Reads, error) {
	r := Reads{Basis: exobench.CeilingOfFile, Vocab: int(h.Uint(h.Architecture + ".vocab_size"))}
	tied := !slices.ContainsFunc(h.Tensors, func(t gguf.Tensor) bool { return t.Name == "output.weight" })
	chosen := expertShare(h)
	read := 0.0
	for _, t := range h.Tensors {
		n, ok := t.Bytes()
		if !ok {
			return Reads{}, fmt.Errorf("tensor %s is in the format %s, of which the size is not known", t.Name, t.Format)
		}
		r.Size += exobench.Bytes(n)
		switch name := strings.TrimSuffix(t.Name, ".weight"); {
		case name == "token_embd":
			if len(t.Dims) > 1 && r.Vocab == 0 {
				r.Vocab = int(t.Dims[1])
			}
			if tied {
				read += float64(n)
			}
		case name == "per_layer_token_embd": // one row too
		case strings.HasSuffix(name, "_exps"):
			read += float64(n) * chosen
		default:
			read += float64(n)
		}
	}
	if r.Size == 0 {
		return Reads{}, errors.New("the file has no tensors")
	}
	r.Weights = exobench.Bytes(read)
	r.Position, r.Window = positionOf(h), int(h.Uint(h.Architecture+".attention.sliding_window"))
	return r, nil
}

// expertShare returns the share of the experts that a token is sent to; those
// that all are sent to stand apart in a file.
func expertShare(h gguf.Header) float64 {
	used, all := h.Uint(h.Architecture+".expert_used_count"), h.Uint(h.Architecture+".expert_count")
	if used == 0 || all == 0 || used > all {
		return 1
	}
	return float64(used) / float64(all)
}

// positionOf returns the size of the keys and values of one position. Latent
// attention keeps one vector for all heads. Where layers differ the file has a
// list, and the size is not known.
func positionOf(h gguf.Header) exobench.Bytes {
	of := func(key string) float64 { return float64(h.Uint(h.Architecture + "." + key)) }
	layers, heads := of("block_count"), of("attention.head_count")
	if rank := of("attention.kv_lora_rank"); rank > 0 {
		return exobench.Bytes(layers * (rank + of("rope.dimension_count")) * valueBytes)
	}
	kv, key, value := of("attention.head_count_kv"), of("attention.key_length"), of("attention.value_length")
	if _, listed := h.Metadata[h.Architecture+".attention.head_count_kv"]; !listed {
		kv = heads
	}
	if width := of("embedding_length"); heads > 0 {
		if key == 0 {
			key = width / heads
		}
		if value == 0 {
			value = width / heads
		}
	}
	return exobench.Bytes(layers * kv * (key + value) * valueBytes)
}

// OfModel works it out from what the catalogue knows of a model and the size of
// its weights, whatever the format. It is absent where the size, or the number of
// weights, is not known.
func OfModel(m catalogue.Model, size exobench.Bytes) (Reads, bool) {
	if size <= 0 || m.Parameters <= 0 {
		return Reads{}, false
	}
	r := Reads{Size: size, Weights: size, Basis: exobench.CeilingOfSize}
	if m.ActiveParameters > 0 {
		r.Weights = exobench.Bytes(float64(size) * float64(m.ActiveParameters) / float64(m.Parameters))
	}
	if m.Shape != nil {
		r.Basis = exobench.CeilingOfShape
		r.Vocab, r.Position = m.Shape.Vocab, PositionOf(*m.Shape)
		if !m.Shape.Tied {
			// The embedding is as large as the output matrix, and in as many bits as
			// the rest, or more.
			embedding := float64(m.Shape.Vocab) * float64(m.Shape.Hidden) / float64(m.Parameters)
			r.Weights = exobench.Bytes(float64(size) * (1 - embedding))
		}
	}
	return r, true
}

// PositionOf returns the size of the keys and values of one position, in 16 bits.
func PositionOf(s shape.Shape) exobench.Bytes {
	return exobench.Bytes(s.Layers * 2 * s.KVWidth() * valueBytes)
}

// WithValues returns what is read with keys and values of so many bytes a
// number, in place of 16 bits.
func (r Reads) WithValues(key, value float64) Reads {
	r.Position = exobench.Bytes(math.Round(float64(r.Position) * (key + value) / (2 * valueBytes)))
	return r
}

// Batch is how many positions of a prompt engines work on at a time, unless they
// are told otherwise; it is llama.cpp's.
const Batch = 512

// Fixed is what a server takes beside model and cache: its program, libraries and
// buffers.
const Fixed = 128 << 20

// Overhead reckons what an engine takes beside weights and cache: a fixed part,
// and the scores of all tokens for each position of a batch, in 32 bits, which
// is the largest of the buffers.
func (r Reads) Overhead() exobench.Bytes { return exobench.Bytes(Fixed + r.Vocab*Batch*4) }

// Needs reckons the memory for the model with a context of so many positions.
func (r Reads) Needs(positions int) exobench.Bytes {
	return r.Size + r.Cache(positions) + r.Overhead()
}

// Cache returns the size of the keys and values of so many positions.
func (r Reads) Cache(positions int) exobench.Bytes {
	return r.Position * exobench.Bytes(positions)
}
