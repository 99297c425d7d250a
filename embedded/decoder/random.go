package decoder

import "math"

// splitmix is the SplitMix64 generator (Steele, Lea, Flood 2014): one
// multiply-xorshift chain a value, and any 64-bit number is a good seed, so
// each row of each tensor can have a generator of its own.
type splitmix uint64

func (s *splitmix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// rowSeed returns the seed of one row of one tensor.
func rowSeed(seed, tensor, row uint64) splitmix {
	s := splitmix(seed)
	s = splitmix(s.next() ^ tensor)
	s = splitmix(s.next() ^ row)
	return s
}

// fill is the job that draws a tensor's weights: uniform with mean 0 and
// standard deviation 1/√cols, so that a product with a vector of unit variance
// has unit variance again. Rows have seeds of their own, so the result does not
// depend on who draws them.
type fill struct {
	dst        []float32
	rows, cols int
	seed       uint64
	tensor     uint64
}

func (f *fill) run(worker, workers int) {
	// A uniform variable over ±a has the standard deviation a/√3. The factor
	// also takes an int32 to ±1.
	factor := float32(math.Sqrt(3/float64(f.cols)) / (1 << 31))
	from, to := share(f.rows, worker, workers)
	for r := from; r < to; r++ {
		rng := rowSeed(f.seed, f.tensor, uint64(r))
		row := f.dst[r*f.cols : (r+1)*f.cols]
		// Head dimension and FFN are multiples of 4, so rows have even lengths.
		for i := 0; i+1 < len(row); i += 2 {
			bits := rng.next()
			row[i] = float32(int32(bits)) * factor
			row[i+1] = float32(int32(bits>>32)) * factor
		}
	}
}

// share cuts n items into equal parts and returns the bounds of one worker's
// part.
func share(n, worker, workers int) (from, to int) {
	return n * worker / workers, n * (worker + 1) / workers
}
