package decoder

import "math"

const normEpsilon = 1e-5

// rmsNorm sets dst = gain · x / √(mean(x²)+ε).
func rmsNorm(dst, x, gain []float32) {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	f := float32(1 / math.Sqrt(sum/float64(len(x))+normEpsilon))
	for i, v := range x {
		dst[i] = v * f * gain[i]
	}
}

// softmax replaces x by exp(x)/Σexp(x). The largest value is taken off first,
// so that nothing overflows.
func softmax(x []float32) {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	var sum float32
	for i, v := range x {
		e := exp(v - top)
		x[i] = e
		sum += e
	}
	f := 1 / sum
	for i := range x {
		x[i] *= f
	}
}

// swiGLU sets dst = silu(gate) · up, where silu(g) = g/(1+exp(−g)).
func swiGLU(dst, gate, up []float32) {
	for i, g := range gate {
		dst[i] = g / (1 + exp(-g)) * up[i]
	}
}

func add(dst, x []float32) {
	for i, v := range x {
		dst[i] += v
	}
}

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }
