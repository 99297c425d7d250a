package decoder

import (
	"errors"
	"fmt"
)

// DefaultRoPEBase is the rotary base of a Shape that names none.
const DefaultRoPEBase = 10000

const bytesPerFloat = 4

// Shape gives the dimensions of a model.
type Shape struct {
	Layers  int
	Hidden  int // width of the residual stream
	Heads   int // query heads; Hidden/Heads is the head dimension
	KVHeads int // key and value heads; divides Heads
	FFN     int // inner width of the feed-forward block
	Vocab   int
	Tied    bool    // the embedding serves as the language-model head
	RoPE    float64 // rotary base; 0 means DefaultRoPEBase
}

// Validate reports everything that is wrong with the shape.
//
// The head dimension and FFN must be multiples of 4: each row of activations then starts on a 16-byte boundary, which the
// assembly needs to sum in the same order for each row.
func (s Shape) Validate() error {
	var errs []error
	for _, d := range []struct {
		name  string
		value int
	}{{"layers", s.Layers}, {"hidden", s.Hidden}, {"heads", s.Heads}, {"kv heads", s.KVHeads}, {"ffn", s.FFN}, {"vocab", s.Vocab}} {
		if d.value < 1 {
			errs = append(errs, fmt.Errorf("%s is %d, want at least 1", d.name, d.value))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if s.Hidden%s.Heads != 0 {
		errs = append(errs, fmt.Errorf("hidden %d is no multiple of heads %d", s.Hidden, s.Heads))
	} else if s.HeadDim()%4 != 0 {
		errs = append(errs, fmt.Errorf("head dimension %d is no multiple of 4", s.HeadDim()))
	}
	if s.Heads%s.KVHeads != 0 {
		errs = append(errs, fmt.Errorf("heads %d is no multiple of kv heads %d", s.Heads, s.KVHeads))
	}
	if s.FFN%4 != 0 {
		errs = append(errs, fmt.Errorf("ffn %d is no multiple of 4", s.FFN))
	}
	if s.RoPE < 0 || s.RoPE == 1 {
		errs = append(errs, fmt.Errorf("rotary base %g, want 0 or a positive number other than 1", s.RoPE))
	}
	return errors.Join(errs...)
}

// HeadDim is the width of one attention head.
func (s Shape) HeadDim() int { return s.Hidden / s.Heads }

// kvDim is the width of the keys (or the values) of one position in one layer.
func (s Shape) kvDim() int { return s.KVHeads * s.HeadDim() }

// Parameters counts the weights, norms included; a tied head counts once.
func (s Shape) Parameters() int64 {
	h, kv, f := int64(s.Hidden), int64(s.kvDim()), int64(s.FFN)
	layer := h*(h+2*kv) + h*h + 3*h*f + 2*h
	total := int64(s.Layers)*layer + int64(s.Vocab)*h + h
	if !s.Tied {
		total += int64(s.Vocab) * h
	}
	return total
}

// WeightBytes is what the weights occupy in memory.
func (s Shape) WeightBytes() int64 { return s.Parameters() * bytesPerFloat }

// KVBytesPerToken is what the keys and values of one position occupy over all layers.
func (s Shape) KVBytesPerToken() int64 {
	return int64(s.Layers) * 2 * int64(s.kvDim()) * bytesPerFloat
}
