package decoder

import (
	"errors"
	"fmt"

	"exobench/shape"
)

const bytesPerFloat = 4

// Validate reports everything that is wrong with a shape, and everything in it
// that a Model cannot run.
//
// The width of a head and FFN must be multiples of 4: each row of activations
// then starts on a 16-byte boundary, which the assembly needs to sum in the
// same order for each row.
func Validate(s shape.Shape) error {
	if err := s.Validate(); err != nil {
		return err
	}
	var problems []error
	if s.HeadDim()%4 != 0 {
		problems = append(problems, fmt.Errorf("a head is %d wide, which is no multiple of 4", s.HeadDim()))
	}
	if s.FFN%4 != 0 {
		problems = append(problems, fmt.Errorf("ffn is %d, which is no multiple of 4", s.FFN))
	}
	if s.Arch != "" && s.Arch != shape.Llama {
		problems = append(problems, fmt.Errorf("arch is %s, of which the biases are not computed", s.Arch))
	}
	if s.RopeFactor != 0 {
		problems = append(problems, fmt.Errorf("rope_factor is %g; all frequencies turn at their own speed here", s.RopeFactor))
	}
	return errors.Join(problems...)
}

// WeightBytes returns the memory that the weights of a model of the shape take.
func WeightBytes(s shape.Shape) int64 { return s.Parameters() * bytesPerFloat }

// KVBytesPerToken returns the memory that the keys and values of one position
// take, over all layers.
func KVBytesPerToken(s shape.Shape) int64 {
	return s.KVBytes(bytesPerFloat)
}
