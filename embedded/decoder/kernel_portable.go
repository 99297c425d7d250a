package decoder

// The portable kernels are compiled everywhere, so that their tests run
// everywhere too.

func portableGemv(rows, cols int, scale float32, a, x, y []float32) {
	x = x[:cols]
	for r := range rows {
		y[r] = scale * portableDot(a[r*cols:(r+1)*cols], x)
	}
}

func portableGemvTrans(rows, cols int, a, x, y []float32) {
	y = y[:cols]
	for r := range rows {
		row, f := a[r*cols:(r+1)*cols], x[r]
		row = row[:len(y)]
		for i := range y {
			y[i] += f * row[i]
		}
	}
}

// portableDot sums in eight independent chains: one chain would wait for the
// latency of each addition.
func portableDot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= 8 && len(b) >= 8 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		s4 += a[4] * b[4]
		s5 += a[5] * b[5]
		s6 += a[6] * b[6]
		s7 += a[7] * b[7]
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return (s0 + s4) + (s1 + s5) + (s2 + s6) + (s3 + s7)
}
