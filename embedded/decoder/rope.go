package decoder

import "math"

// rope rotates pairs of a head's dimensions by an angle that grows with the
// position, each pair at its own rate. The product of a rotated query and a
// rotated key then depends on the distance between their positions, not on the
// positions.
type rope struct {
	rates []float64 // radians a position, one for each pair
}

func newRope(headDim int, base float64) rope {
	r := rope{rates: make([]float64, headDim/2)}
	for i := range r.rates {
		r.rates[i] = math.Pow(base, -2*float64(i)/float64(headDim))
	}
	return r
}

// turn writes the cosines, then the sines, of a position's angles; table has
// the length of a head.
func (r rope) turn(table []float32, position int) {
	half := len(r.rates)
	for i, rate := range r.rates {
		sin, cos := math.Sincos(float64(position) * rate)
		table[i], table[half+i] = float32(cos), float32(sin)
	}
}

// rotate turns each head of x in place; dimension i is paired with i + half a
// head.
func rotate(x, table []float32) {
	dim := len(table)
	half := dim / 2
	cos, sin := table[:half], table[half:]
	for ; len(x) >= dim; x = x[dim:] {
		low, high := x[:half], x[half:dim]
		for i, a := range low {
			b := high[i]
			low[i] = a*cos[i] - b*sin[i]
			high[i] = a*sin[i] + b*cos[i]
		}
	}
}
