package gguf

import "math"

// decode returns the numbers of whole blocks. It goes by the elements' indices,
// as ggml's documentation of the formats does, and not by how Write packs them.
func decode(f *format, src []byte) []float64 {
	var values []float64
	for ; len(src) >= f.bytes; src = src[f.bytes:] {
		values = append(values, decodeBlock(f, src[:f.bytes])...)
	}
	return values
}

func decodeBlock(f *format, b []byte) []float64 {
	values := make([]float64, f.elements)
	float := func(at int) float64 { return fromHalf(put.Uint16(b[at:])) }
	// short is code i of a 32-element block with its nibbles from at on.
	short := func(at, i int) int { return int(b[at+i%16]>>(i/16*4)) & 15 }
	fifth := func(at, i int) int { return int(put.Uint32(b[at:])>>i) & 1 }
	for i := range values {
		switch f {
		case f32:
			values[i] = float64(math.Float32frombits(put.Uint32(b)))
		case f16:
			values[i] = float(0)
		case q4_0:
			values[i] = float(0) * float64(short(2, i)-8)
		case q4_1:
			values[i] = float(0)*float64(short(4, i)) + float(2)
		case q5_0:
			values[i] = float(0) * float64(short(6, i)+16*fifth(2, i)-16)
		case q5_1:
			values[i] = float(0)*float64(short(8, i)+16*fifth(4, i)) + float(2)
		case q8_0:
			values[i] = float(0) * float64(int8(b[2+i]))
		case q4_k, q5_k:
			scale, minimum := pairAt(b[4:16], i/32)
			at := len(b) - 128 + i/64*32 + i%32
			code := int(b[at]>>(i/32%2*4)) & 15
			if f == q5_k {
				code += int(b[16+i%32]>>(i/32)) & 1 * 16
			}
			values[i] = float(0)*float64(scale*code) - float(2)*float64(minimum)
		case q6_k:
			part, j := i/128, i%128
			low := int(b[part*64+j%64]>>(j/64*4)) & 15
			high := int(b[128+part*32+j%32]>>(j/32*2)) & 3
			values[i] = float(208) * float64(int8(b[192+i/16])) * float64(low+16*high-32)
		}
	}
	return values
}

// pairAt unpacks the 6-bit scale and minimum of a part of a Q4_K block: those of
// the first four parts stand alone in the low bits of 8 bytes; of the last four
// the low bits share 4 bytes, and the high ones fill up the first 8.
func pairAt(b []byte, part int) (scale, minimum int) {
	if part < 4 {
		return int(b[part] & 63), int(b[part+4] & 63)
	}
	return int(b[part+4]&15 | b[part-4]>>6<<4), int(b[part+4]>>4 | b[part]>>6<<4)
}

func fromHalf(h uint16) float64 {
	value := math.Ldexp(float64(h&0x3ff), -24)
	if exponent := int(h >> 10 & 31); exponent > 0 {
		value = math.Ldexp(1024+float64(h&0x3ff), exponent-25)
	}
	if h&0x8000 != 0 {
		return -value
	}
	return value
}
