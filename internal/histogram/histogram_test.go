package histogram

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestEveryDurationIsInOneNarrowBucket(t *testing.T) {
	last := 0
	for d := time.Duration(0); d < 1<<60; d += d/200 + 1 {
		b := bucket(d)
		if b < last || b > last+1 {
			t.Fatalf("%d is in bucket %d, the one before in %d", d, b, last)
		}
		if d < lower(b) || d > upper(b) || float64(upper(b)) > float64(d)*65/64 {
			t.Fatalf("%d is in bucket %d, of %d to %d", d, b, lower(b), upper(b))
		}
		last = b
	}
	if b := bucket(math.MaxInt64); b != buckets-1 || upper(b) != math.MaxInt64 {
		t.Errorf("the longest is in bucket %d up to %d, want the last of %d", b, upper(b), buckets)
	}
}

func TestQuantilesAreOfTheNearestRankAndNeverTooLow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(random.ExpFloat64() * 20_000)
		h.Record(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, p := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.9999, 1} {
		want := all[max(1, int(math.Ceil(p*float64(len(all)))))-1]
		if got := h.Quantile(p); got < want || float64(got) > float64(want)*65/64 {
			t.Errorf("the %v-quantile is %d, want %d or up to 1.6 %% more", p, got, want)
		}
	}
	if h.Count() != 20_000 || h.Max() != all[len(all)-1] || h.Quantile(1) != h.Max() {
		t.Errorf("%d durations up to %v, the 1-quantile is %v; want 20000 up to %v", h.Count(), h.Max(), h.Quantile(1), all[len(all)-1])
	}
}

func TestNothingAndLessThanNothingAreZero(t *testing.T) {
	var h Histogram
	if h.Quantile(0.99) != 0 || h.Max() != 0 || h.Count() != 0 {
		t.Errorf("the empty histogram has %v of %d", h.Quantile(0.99), h.Count())
	}
	h.Record(-time.Second)
	if h.Quantile(0.5) != 0 || h.Count() != 1 {
		t.Errorf("a negative duration counts as %v", h.Quantile(0.5))
	}
}

func TestTakesOfASharedHistogramLoseNothing(t *testing.T) {
	const each, workers = 20_000, 4
	var s Shared
	var recording, taking sync.WaitGroup
	for w := range workers {
		recording.Go(func() {
			for i := range each {
				s.Record(time.Duration(i*workers + w))
			}
		})
	}
	ended := make(chan struct{})
	count, longest, counted := int64(0), time.Duration(0), time.Duration(0)
	taking.Go(func() {
		for going := true; going; {
			select {
			case <-ended:
				going = false
			default:
			}
			h := s.Take()
			count += h.Count()
			longest = max(longest, h.Max())
			// A maximum may come one take after its count, never before.
			counted = max(counted, h.Quantile(1))
			if counted < lower(bucket(h.Max())) {
				t.Errorf("the maximum %v is above all that was counted, up to %v", h.Max(), counted)
			}
		}
	})
	recording.Wait()
	close(ended)
	taking.Wait()
	if count != each*workers || longest != each*workers-1 {
		t.Errorf("%d durations up to %d were taken, want %d up to %d", count, longest, each*workers, each*workers-1)
	}
	if h := s.Take(); h.Count() != 0 || h.Max() != 0 {
		t.Errorf("%d up to %v are left", h.Count(), h.Max())
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	var h Histogram
	var s Shared
	if n := testing.AllocsPerRun(100, func() { h.Record(time.Second); s.Record(time.Minute) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]time.Duration, 4096)
	for i := range all {
		all[i] = time.Duration(random.ExpFloat64() * 20_000)
	}
	b.Run("one goroutine", func(b *testing.B) {
		var h Histogram
		for i := 0; b.Loop(); i++ {
			h.Record(all[i%len(all)])
		}
	})
	b.Run("shared", func(b *testing.B) {
		var s Shared
		for i := 0; b.Loop(); i++ {
			s.Record(all[i%len(all)])
		}
	})
}
