package reference

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Behind says how late a server's writes were, emitted less due, since the last
// time that it was asked. P50 and P99 are upper bounds within 3.2 %.
type Behind struct {
	Events int64         `json:"events"`
	P50    time.Duration `json:"p50_ns"`
	P99    time.Duration `json:"p99_ns"`
	Max    time.Duration `json:"max_ns"`
	// Late is how many streams waited for a client that did not read; their late
	// events are not in the figures above. Aborted is how many were given up,
	// for that or because the client went away.
	Late    int64 `json:"late_streams"`
	Aborted int64 `json:"aborted_streams"`
}

// Each power of two has 32 buckets, so that the smallest ones are exact.
const (
	stepBits = 5
	steps    = 1 << stepBits
)

// lateness is a histogram that any goroutine may add to.
type lateness struct {
	counts        [(64 - stepBits) * steps]atomic.Int64
	max           atomic.Int64
	late, aborted atomic.Int64
}

func (l *lateness) add(ns int64) {
	ns = max(ns, 0)
	l.counts[bucket(uint64(ns))].Add(1)
	for {
		most := l.max.Load()
		if ns <= most || l.max.CompareAndSwap(most, ns) {
			return
		}
	}
}

func bucket(v uint64) int {
	if v < 2*steps {
		return int(v)
	}
	shift := bits.Len64(v) - stepBits - 1
	return shift*steps + int(v>>shift)
}

// upper returns the greatest value of a bucket.
func upper(bucket int) int64 {
	if bucket < 2*steps {
		return int64(bucket)
	}
	shift := bucket/steps - 1
	return int64(bucket-shift*steps+1)<<shift - 1
}

// take returns the figures and starts anew.
func (l *lateness) take() Behind {
	var counts [len(l.counts)]int64
	b := Behind{Max: time.Duration(l.max.Swap(0)), Late: l.late.Swap(0), Aborted: l.aborted.Swap(0)}
	for i := range counts {
		counts[i] = l.counts[i].Swap(0)
		b.Events += counts[i]
	}
	quantile := func(p float64) time.Duration {
		before := int64(0)
		for i, n := range counts {
			before += n
			if n > 0 && float64(before) >= p*float64(b.Events) {
				return min(time.Duration(upper(i)), b.Max)
			}
		}
		return 0
	}
	b.P50, b.P99 = quantile(0.5), quantile(0.99)
	return b
}
