package gguf

import (
	"bytes"
	"compress/flate"
	"math"
	"testing"
)

var formats = []*format{f32, f16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k}

func TestBlocksHoldNormalNumbersOfTheAskedSize(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector, with nothing concurrent in it")
	}
	t.Parallel()
	for _, f := range formats {
		for _, sd := range []float64{1, 1 / math.Sqrt(2048), 1 / math.Sqrt(14336)} {
			g := generatorFor(7, 0, 0)
			block := make([]byte, f.size(1<<18))
			f.random(sd)(block, &g)
			values := decode(f, block)
			var mean, square, fourth, largest float64
			for _, v := range values {
				mean += v / sd
				square += v / sd * v / sd
				fourth += math.Pow(v/sd, 4)
				largest = max(largest, math.Abs(v/sd))
			}
			n := float64(len(values))
			mean, square, fourth = mean/n, square/n, fourth/n
			// The mean of n such numbers has standard error 1/sqrt(n) = 0.002, their
			// square's has sqrt(2/n) = 0.003; half floats add up to 0.8 % to it.
			if math.Abs(mean) > 0.01 || math.Abs(math.Sqrt(square)-1) > 0.01 {
				t.Errorf("%s, sd %g: mean %.4f sd, sd %.4f of that asked for", f.name, sd, mean, math.Sqrt(square))
			}
			// The fourth moment is 3 for a normal distribution, 1.8 for a uniform one;
			// cut tails lower it, scales that vary raise it.
			if kurtosis := fourth / square / square; kurtosis < 2.3 || kurtosis > 3.2 {
				t.Errorf("%s, sd %g: kurtosis is %.2f", f.name, sd, kurtosis)
			}
			if largest > 5 {
				t.Errorf("%s, sd %g: a number of %.1f sd", f.name, sd, largest)
			}
		}
	}
}

func TestBlocksFillTheWholeBufferAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		one, two := generatorFor(1, 2, 3), generatorFor(1, 2, 3)
		size := f.size(1024)
		zeros, ones := make([]byte, size+8), bytes.Repeat([]byte{0xff}, int(size)+8)
		f.random(1)(zeros[:size], &one)
		f.random(1)(ones[:size], &two)
		if !bytes.Equal(zeros[:size], ones[:size]) {
			t.Errorf("%s: what was in the buffer before shows in the blocks", f.name)
		}
		if !bytes.Equal(zeros[size:], make([]byte, 8)) {
			t.Errorf("%s: writes beyond the buffer", f.name)
		}
	}
}

// A disk or memory that compresses must not make a synthetic model faster than a
// true one. Real weights are about as dense: their scales repeat less, their
// codes are as normal.
func TestBlocksHardlyCompress(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		g := generatorFor(7, 0, 0)
		block := make([]byte, f.size(1<<18))
		f.random(1/math.Sqrt(2048))(block, &g)
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, flate.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if ratio := float64(out.Len()) / float64(len(block)); ratio < 0.75 {
			t.Errorf("%s compresses to %.0f %%", f.name, 100*ratio)
		}
	}
}

func TestHalfRoundsToTheNearest(t *testing.T) {
	t.Parallel()
	for h := range uint16(0x7c00) {
		value := fromHalf(h)
		for _, exact := range []float64{value, -value} {
			if got := fromHalf(half(exact)); got != exact {
				t.Fatalf("half(%g) is %g", exact, got)
			}
		}
		if h == 0x7bff {
			break // above it is infinity
		}
		between := (value + fromHalf(h+1)) / 2
		even := h + h&1
		for _, row := range []struct {
			value float64
			want  uint16
		}{{math.Nextafter(between, 0), h}, {between, even}, {math.Nextafter(between, 1e9), h + 1}} {
			if got := half(row.value); got != row.want {
				t.Fatalf("half(%g) is %#x, want %#x", row.value, got, row.want)
			}
		}
	}
}

func BenchmarkBlocks(b *testing.B) {
	for _, f := range formats {
		b.Run(f.name, func(b *testing.B) {
			block := make([]byte, f.size(chunk))
			fill := f.random(0.02)
			g := generatorFor(1, 2, 3)
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				fill(block, &g)
			}
		})
	}
}
