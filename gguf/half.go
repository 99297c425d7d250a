package gguf

import "math"

// half returns the 16-bit float nearest to f, of two equally near ones the even
// one. f must be finite and small enough.
func half(f float64) uint16 {
	sign := uint16(0)
	if f < 0 {
		sign, f = 0x8000, -f
	}
	const (
		bias     = 15
		mantissa = 10
	)
	// Numbers from 2^e to 2^(e+1) are multiples of 2^(e-10); below 2^-14 all are
	// multiples of 2^-24.
	e := max(math.Ilogb(f), 1-bias)
	steps := uint16(math.RoundToEven(math.Ldexp(f, mantissa-e)))
	// A normal number's leading bit adds one to the exponent, and so does a
	// mantissa rounded up to the next power.
	return sign | (uint16(e+bias-1)<<mantissa + steps)
}
