package gguf

import (
	"encoding/binary"
	"math"
)

// format is how numbers are stored in blocks. The layouts are ggml's.
type format struct {
	name     string // as ggml calls it, in lower case
	id       uint32 // in a tensor's entry of the header
	elements int    // numbers in a block
	bytes    int    // size of a block
	// random returns a function that fills whole blocks with random numbers of
	// mean 0 and standard deviation sd. It may be called by many at once.
	random func(sd float64) func(dst []byte, g *generator)
}

func (f *format) size(elements int64) int64 { return elements / int64(f.elements) * int64(f.bytes) }

// super is the number of elements in a block of the K formats.
const super = 256

var (
	f32  = &format{"f32", 0, 1, 4, randomF32}
	f16  = &format{"f16", 1, 1, 2, randomF16}
	q4_0 = &format{"q4_0", 2, 32, 18, randomQ4_0}
	q4_1 = &format{"q4_1", 3, 32, 20, randomQ4_1}
	q5_0 = &format{"q5_0", 6, 32, 22, randomQ5_0}
	q5_1 = &format{"q5_1", 7, 32, 24, randomQ5_1}
	q8_0 = &format{"q8_0", 8, 32, 34, randomQ8_0}
	q4_k = &format{"q4_k", 12, super, 144, randomQ4_K}
	q5_k = &format{"q5_k", 13, super, 176, randomQ5_K}
	q6_k = &format{"q6_k", 14, super, 210, randomQ6_K}
)

// formatNames are those of all formats that llama.cpp's files may hold, by id.
var formatNames = map[uint32]string{
	0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 6: "q5_0", 7: "q5_1", 8: "q8_0", 9: "q8_1",
	10: "q2_k", 11: "q3_k", 12: "q4_k", 13: "q5_k", 14: "q6_k", 15: "q8_k",
	16: "iq2_xxs", 17: "iq2_xs", 18: "iq3_xxs", 19: "iq1_s", 20: "iq4_nl", 21: "iq3_s",
	22: "iq2_s", 23: "iq4_xs", 24: "i8", 25: "i16", 26: "i32", 27: "i64", 28: "f64",
	29: "iq1_m", 30: "bf16", 34: "tq1_0", 35: "tq2_0", 39: "mxfp4",
}

// blocks are the sizes of the blocks of all formats: how many numbers one has, in
// how many bytes. Source: the type traits and block structs of ggml
// (ggml.c, ggml-common.h).
var blocks = map[string]struct{ elements, bytes uint64 }{
	"f32": {1, 4}, "f16": {1, 2}, "bf16": {1, 2}, "f64": {1, 8},
	"i8": {1, 1}, "i16": {1, 2}, "i32": {1, 4}, "i64": {1, 8},
	"q4_0": {32, 18}, "q4_1": {32, 20}, "q5_0": {32, 22}, "q5_1": {32, 24}, "q8_0": {32, 34}, "q8_1": {32, 36},
	"q2_k": {super, 84}, "q3_k": {super, 110}, "q4_k": {super, 144}, "q5_k": {super, 176}, "q6_k": {super, 210}, "q8_k": {super, 292},
	"iq2_xxs": {super, 66}, "iq2_xs": {super, 74}, "iq2_s": {super, 82}, "iq3_xxs": {super, 98}, "iq3_s": {super, 110},
	"iq1_s": {super, 50}, "iq1_m": {super, 56}, "iq4_nl": {32, 18}, "iq4_xs": {super, 136},
	"tq1_0": {super, 54}, "tq2_0": {super, 66}, "mxfp4": {32, 17},
}

// put writes a number as ggml does, in little endian.
var put = binary.LittleEndian

// randomF32 takes one of 4096 values and makes the low bits of its mantissa
// random too, so that the bytes do not compress.
func randomF32(sd float64) func([]byte, *generator) {
	normal := &distributions().normal
	return func(dst []byte, g *generator) {
		var r uint64
		for i := 0; i+4 <= len(dst); i += 4 {
			if r >>= 32; i%8 == 0 {
				r = g.next()
			}
			value := math.Float32bits(normal[r&0xfff] * float32(sd))
			put.PutUint32(dst[i:], value^uint32(r>>12&0x7ff))
		}
	}
}

func randomF16(sd float64) func([]byte, *generator) {
	var normal [4096]uint16
	for i, z := range distributions().normal {
		normal[i] = half(float64(z) * sd)
	}
	return func(dst []byte, g *generator) {
		var r uint64
		for i := 0; i+2 <= len(dst); i += 2 {
			if r >>= 16; i%8 == 0 {
				r = g.next()
			}
			put.PutUint16(dst[i:], normal[r&0xfff])
		}
	}
}

// A block of Q4_0 is a scale d and 32 codes: (code - 8) × d. A byte holds the
// codes of elements i and i+16, low bits first, as in all 32-element formats.
func randomQ4_0(sd float64) func([]byte, *generator) {
	code := distributions().signed4
	d := half(sd / code.sd)
	return func(dst []byte, g *generator) {
		for ; len(dst) >= 18; dst = dst[18:] {
			put.PutUint16(dst, d)
			code.fill(dst[2:18], g)
		}
	}
}

// A block of Q4_1 is a scale d, a minimum m and 32 codes: code × d + m.
func randomQ4_1(sd float64) func([]byte, *generator) {
	code := distributions().above4
	d, m := half(sd/code.sd), half(-7.5*sd/code.sd)
	return func(dst []byte, g *generator) {
		for ; len(dst) >= 20; dst = dst[20:] {
			put.PutUint16(dst, d)
			put.PutUint16(dst[2:], m)
			code.fill(dst[4:20], g)
		}
	}
}

// A block of Q5_0 is a scale d, the fifth bits of all codes, element i's in bit
// i, and their other bits as in Q4_0: (code - 16) × d.
func randomQ5_0(sd float64) func([]byte, *generator) {
	code := distributions().signed5
	d := half(sd / code.sd)
	return func(dst []byte, g *generator) {
		for ; len(dst) >= 22; dst = dst[22:] {
			put.PutUint16(dst, d)
			code.fill5(dst[2:6], dst[6:22], g)
		}
	}
}

// A block of Q5_1 is to Q5_0 as Q4_1 is to Q4_0.
func randomQ5_1(sd float64) func([]byte, *generator) {
	code := distributions().above5
	d, m := half(sd/code.sd), half(-15.5*sd/code.sd)
	return func(dst []byte, g *generator) {
		for ; len(dst) >= 24; dst = dst[24:] {
			put.PutUint16(dst, d)
			put.PutUint16(dst[2:], m)
			code.fill5(dst[4:8], dst[8:24], g)
		}
	}
}

// fill5 fills the high bits and the low halves of 32 5-bit codes.
func (o *octets) fill5(high, low []byte, g *generator) {
	var bits uint32
	low = low[:16]
	for i := 0; i < 16; i += 4 {
		r := g.next()
		for j := i; j < i+4; j++ {
			a, b := o.of[r&0xff], o.of[r>>8&0xff]
			r >>= 16
			low[j] = a&15 | b<<4
			bits |= uint32(a>>4)<<j | uint32(b>>4)<<(j+16)
		}
	}
	put.PutUint32(high, bits)
}

// A block of Q8_0 is a scale d and 32 signed bytes: code × d.
func randomQ8_0(sd float64) func([]byte, *generator) {
	code := distributions().signed8
	d := half(sd / code.sd)
	return func(dst []byte, g *generator) {
		for ; len(dst) >= 34; dst = dst[34:] {
			put.PutUint16(dst, d)
			code.fill(dst[2:34], g)
		}
	}
}

// fill fills dst, of which the length is a multiple of 8.
func (o *octets) fill(dst []byte, g *generator) {
	for ; len(dst) >= 8; dst = dst[8:] {
		r := g.next()
		for i := range 8 {
			dst[i] = o.of[byte(r)]
			r >>= 8
		}
	}
}

// A block of Q4_K is a scale d, a scale dmin of minima, eight 6-bit pairs of
// scale s and minimum m packed into 12 bytes, and 8 times 32 codes:
// code × d × s - dmin × m. Each 32 bytes hold the codes of one 32 elements in
// their low bits and of the next 32 in their high bits.
func randomQ4_K(sd float64) func([]byte, *generator) {
	code := distributions().above4
	scales := newPairs(sd, code.sd, 7.5)
	return func(dst []byte, g *generator) {
		for ; len(dst) >= 144; dst = dst[144:] {
			scales.put(dst[:16], g)
			code.fill(dst[16:144], g)
		}
	}
}

// A block of Q5_K has the fifth bits of the codes, of 32 elements in a bit of 32
// bytes, between scales and codes of a Q4_K block.
func randomQ5_K(sd float64) func([]byte, *generator) {
	code := distributions().above5
	scales := newPairs(sd, code.sd, 15.5)
	return func(dst []byte, g *generator) {
		for ; len(dst) >= 176; dst = dst[176:] {
			scales.put(dst[:16], g)
			high, low := dst[16:48], dst[48:176]
			clear(high)
			for i := 0; i < len(low); i += 4 {
				r := g.next()
				for j := i; j < i+4; j++ {
					a, b := code.of[byte(r)], code.of[byte(r>>8)]
					r >>= 16
					low[j] = a&15 | b<<4
					high[j%32] |= (a>>4 | b>>4<<1) << (j / 32 * 2)
				}
			}
		}
	}
}

// pairs packs the scales and minima of Q4_K and Q5_K. A minimum is the same
// multiple of its scale throughout, so that all values have mean 0.
type pairs struct {
	head   [4]byte // d and dmin
	packed [64][12]byte
}

func newPairs(sd, codeSD, centre float64) *pairs {
	p := &pairs{}
	var squares float64
	g := generator{uint64(len(p.packed))}
	for i := range p.packed {
		var s [8]byte
		for j := range s {
			s[j] = byte(40 + g.next()%24)
			squares += float64(s[j]) * float64(s[j])
		}
		for j := range 4 {
			p.packed[i][j] = s[j] | s[j+4]>>4<<6
			p.packed[i][j+4] = s[j] | s[j+4]>>4<<6
			p.packed[i][j+8] = s[j+4]&15 | s[j+4]<<4
		}
	}
	d := sd / codeSD / math.Sqrt(squares/float64(len(p.packed)*8))
	put.PutUint16(p.head[:], half(d))
	put.PutUint16(p.head[2:], half(d*centre))
	return p
}

func (p *pairs) put(dst []byte, g *generator) {
	copy(dst, p.head[:])
	copy(dst[4:], p.packed[g.next()%uint64(len(p.packed))][:])
}

// A block of Q6_K is the low 4 bits of 256 codes, their high 2 bits, 16 signed
// scales s and a scale d: (code - 32) × d × s. In each half of a block the codes
// of elements i, i+32, i+64 and i+96 share one byte of high bits.
func randomQ6_K(sd float64) func([]byte, *generator) {
	const lowest, span = 80, 32
	var squares float64
	for s := lowest; s < lowest+span; s++ {
		squares += float64(s*s) / span
	}
	code := distributions().signed6
	d := half(sd / code.sd / math.Sqrt(squares))
	return func(dst []byte, g *generator) {
		for ; len(dst) >= 210; dst = dst[210:] {
			code.fill6(dst[0:64], dst[128:160], g)
			code.fill6(dst[64:128], dst[160:192], g)
			a, b := g.next(), g.next()
			for i := range 8 {
				dst[192+i] = lowest + byte(a)%span
				dst[200+i] = lowest + byte(b)%span
				a, b = a>>8, b>>8
			}
			put.PutUint16(dst[208:], d)
		}
	}
}

// fill6 fills the low and high bits of 128 6-bit codes.
func (o *octets) fill6(low, high []byte, g *generator) {
	low, high = low[:64], high[:32]
	for i := 0; i < 32; i += 2 {
		r := g.next()
		for j := i; j < i+2; j++ {
			a, b, c, d := o.of[byte(r)], o.of[byte(r>>8)], o.of[byte(r>>16)], o.of[byte(r>>24)]
			r >>= 32
			low[j], low[j+32] = a&15|c<<4, b&15|d<<4
			high[j] = a>>4 | b>>4<<2 | c>>4<<4 | d>>4<<6
		}
	}
}

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
