// Package histogram counts durations in buckets of fixed relative width. To
// record one takes some nanoseconds, allocates nothing and takes no lock.
//
// Note: HdrHistogram for Go needs 2.5 times the memory for the same width of
// buckets and twice the time, and may be used by one goroutine only.
package histogram

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// Each power of two has 64 buckets, so a bucket is at most 1/64 of its values
// wide, and durations below 128 ns are counted exactly.
const (
	stepBits = 6
	steps    = 1 << stepBits
	buckets  = (64 - stepBits) * steps
)

// Histogram counts durations. The zero Histogram is empty and ready for use by
// one goroutine. One bucket counts up to 2³² durations.
type Histogram struct {
	counts [buckets]uint32
	n      int64
	max    time.Duration
}

// Record adds a duration; a negative one counts as 0.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(d)]++
	h.n++
	h.max = max(h.max, d)
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() int64 { return h.n }

// Max returns the longest, exactly; 0 where there are none.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile returns an upper bound, within 1.6 %, of the least duration that a
// share p of all do not exceed (the nearest rank); 0 where there are none.
func (h *Histogram) Quantile(p float64) time.Duration {
	if h.n == 0 {
		return 0 // a shared one's maximum may have come alone
	}
	rank := max(1, int64(math.Ceil(p*float64(h.n))))
	for i, count := range &h.counts {
		if rank -= int64(count); rank <= 0 {
			return min(upper(i), h.max)
		}
	}
	return h.max
}

// Shared counts durations that any goroutine may record at any time. The zero
// Shared is empty and ready for use.
type Shared struct {
	counts [buckets]atomic.Uint32
	max    atomic.Int64
}

// Record adds a duration; a negative one counts as 0.
func (s *Shared) Record(d time.Duration) {
	d = max(d, 0)
	s.counts[bucket(d)].Add(1)
	for {
		longest := s.max.Load()
		if int64(d) <= longest || s.max.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}

// Take returns what was recorded since the last Take. A duration that is
// recorded meanwhile counts now or the next time, and may be the exact maximum of
// the next one where it counts now.
func (s *Shared) Take() *Histogram {
	h := &Histogram{max: time.Duration(s.max.Swap(0))}
	for i := range s.counts {
		count := s.counts[i].Swap(0)
		if count == 0 {
			continue
		}
		h.counts[i] = count
		h.n += int64(count)
		// The longest may have been recorded after the maximum was taken.
		h.max = max(h.max, lower(i))
	}
	return h
}

func bucket(d time.Duration) int {
	if d < 2*steps {
		return int(d)
	}
	shift := bits.Len64(uint64(d)) - stepBits - 1
	return shift*steps + int(d>>shift)
}

// lower returns the shortest duration of a bucket.
func lower(bucket int) time.Duration {
	if bucket == 0 {
		return 0
	}
	return upper(bucket-1) + 1
}

// upper returns the longest duration of a bucket.
func upper(bucket int) time.Duration {
	if bucket < 2*steps {
		return time.Duration(bucket)
	}
	shift := bucket/steps - 1
	return time.Duration(bucket-shift*steps+1)<<shift - 1
}

// Add adds what another histogram counted.
func (h *Histogram) Add(other *Histogram) {
	for i, count := range &other.counts {
		h.counts[i] += count
	}
	h.n += other.n
	h.max = max(h.max, other.max)
}
