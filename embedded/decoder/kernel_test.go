package decoder

import (
	"math"
	"testing"
)

// The kernels of this machine and the portable ones agree with a plain float64
// sum on every length up to two vectors and a rest.
func TestKernelsAgreeWithAPlainSum(t *testing.T) {
	rng := splitmix(1)
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(int32(rng.next())) / (1 << 31)
		}
		return x
	}
	for cols := 1; cols <= 37; cols++ {
		const rows = 3
		a, x, p := random(rows*cols), random(cols), random(rows)
		base := random(cols)
		want, wantT := make([]float64, rows), widen(base)
		for r := range rows {
			for c := range cols {
				want[r] += 0.5 * float64(a[r*cols+c]) * float64(x[c])
				wantT[c] += float64(a[r*cols+c]) * float64(p[r])
			}
		}
		for name, k := range map[string]struct {
			gemv  func(rows, cols int, scale float32, a, x, y []float32)
			trans func(rows, cols int, a, x, y []float32)
		}{"machine": {gemv, gemvTrans}, "portable": {portableGemv, portableGemvTrans}} {
			y, yT := []float32{9, 9, 9}, append([]float32(nil), base...)
			k.gemv(rows, cols, 0.5, a, x, y)
			k.trans(rows, cols, a, p, yT)
			if d := distance(y, want); d > 1e-5 {
				t.Errorf("%s gemv, %d columns: off by %g", name, cols, d)
			}
			if d := distance(yT, wantT); d > 1e-5 {
				t.Errorf("%s gemvTrans, %d columns: off by %g", name, cols, d)
			}
		}
	}
}

func TestSamplerFollowsTheDistribution(t *testing.T) {
	logits := []float32{float32(math.Log(1)), float32(math.Inf(-1)), float32(math.Log(3)), float32(math.Log(6))}
	const n = 20000
	counts := make([]int, len(logits))
	s := NewSampler(1, 7)
	for range n {
		counts[s.Pick(logits)]++
	}
	for i, share := range []float64{0.1, 0, 0.3, 0.6} {
		sd := math.Sqrt(share * (1 - share) * n)
		if d := math.Abs(float64(counts[i]) - share*n); d > 5*sd {
			t.Errorf("token %d was picked %d times of %d, want a share of %g", i, counts[i], n, share)
		}
	}
	if NewSampler(0, 7).Pick(logits) != 3 {
		t.Error("temperature 0 does not pick the most likely token")
	}
	a, b := NewSampler(1, 1), NewSampler(1, 1)
	for i := range 100 {
		if x, y := a.Pick(logits), b.Pick(logits); x != y {
			t.Fatalf("pick %d: %d and %d from the same seed", i, x, y)
		}
	}
}
