package resource

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

// clocked starts a sampler whose readings cost what read sleeps.
func clocked(ctx context.Context, read func(context.Context) (exobench.Reading, error),
	every time.Duration, sink func(exobench.Reading)) *Sampler {
	epoch := time.Now()
	return start(ctx, &Sampler{read: read, every: every, sink: sink,
		busy: func() time.Duration { return time.Since(epoch) }})
}

func TestSamplerReadsAtOnceAndThenEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := clocked(t.Context(), func(context.Context) (exobench.Reading, error) {
			return exobench.Reading{}, nil
		}, 0, func(exobench.Reading) { n++ })
		time.Sleep(time.Second - time.Nanosecond)
		s.Stop()
		if n != 20 {
			t.Errorf("%d readings in the first second at the default interval of 50 ms, want 20", n)
		}
		time.Sleep(time.Second)
		if n != 20 {
			t.Errorf("%d more readings after Stop", n-20)
		}
		s.Stop() // once more does no harm
	})
}

func TestSamplerUsesAtMostATwentiethOfACore(t *testing.T) {
	for _, test := range []struct {
		cost, every time.Duration
		want        int
	}{
		{time.Millisecond, 50 * time.Millisecond, 200},     // 20 × 1 ms < 50 ms
		{10 * time.Millisecond, 50 * time.Millisecond, 50}, // one per 200 ms
		{100 * time.Millisecond, 50 * time.Millisecond, 5}, // one per 2 s
	} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			s := clocked(t.Context(), func(context.Context) (exobench.Reading, error) {
				time.Sleep(test.cost)
				return exobench.Reading{}, nil
			}, test.every, func(exobench.Reading) { n++ })
			time.Sleep(10*time.Second - time.Nanosecond)
			s.Stop()
			if n != test.want {
				t.Errorf("readings that cost %v, every %v: %d in 10 s, want %d", test.cost, test.every, n, test.want)
			}
		})
	}
}

func TestSamplerGoesOnAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, seen := 0, 0
		s := clocked(t.Context(), func(context.Context) (exobench.Reading, error) {
			n++
			if n == 2 || n == 3 {
				return exobench.Reading{}, map[int]error{2: ErrGone, 3: context.DeadlineExceeded}[n]
			}
			return exobench.Reading{}, nil
		}, 100*time.Millisecond, func(exobench.Reading) { seen++ })
		if err := s.Err(); err != nil {
			t.Errorf("Err at the start: %v", err)
		}
		time.Sleep(950 * time.Millisecond)
		s.Stop()
		err := s.Err()
		if seen != 8 || !errors.Is(err, ErrGone) || !strings.HasPrefix(err.Error(), "2 of 10 readings") {
			t.Errorf("%d readings seen and error %q, want 8 seen and 2 of 10 failed, ErrGone first", seen, err)
		}
	})
}

func TestSamplerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := clocked(ctx, func(ctx context.Context) (exobench.Reading, error) {
			<-ctx.Done()
			return exobench.Reading{}, ctx.Err()
		}, 0, func(exobench.Reading) { t.Error("a reading came") })
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		select {
		case <-s.done:
		default:
			t.Error("the sampler goes on")
		}
		s.Stop()
		if err := s.Err(); err != nil {
			t.Errorf("a reading that was called off counts as a failure: %v", err)
		}
	})
}

func TestThreadTimeCountsWorkNotWaiting(t *testing.T) {
	s := &Sampler{busy: threadTime, sink: func(exobench.Reading) {}}
	s.read = func(context.Context) (exobench.Reading, error) {
		time.Sleep(50 * time.Millisecond)
		return exobench.Reading{}, nil
	}
	if cost := s.take(t.Context()); cost > 25*time.Millisecond {
		t.Errorf("a reading that waits 50 ms costs %v", cost)
	}
	s.read = func(context.Context) (exobench.Reading, error) {
		before := threadTime()
		for threadTime()-before < 20*time.Millisecond {
		}
		return exobench.Reading{}, nil
	}
	if cost := s.take(t.Context()); cost < 20*time.Millisecond {
		t.Errorf("a reading that works for 20 ms costs %v", cost)
	}
}

func TestSamplerOfARealTree(t *testing.T) {
	engine := newEngine(t)
	var readings []exobench.Reading
	grown := make(chan struct{}, 1)
	s := StartSampler(t.Context(), Tree{PID: engine.pid}.Read, 5*time.Millisecond, func(r exobench.Reading) {
		readings = append(readings, r)
		if r.Memory-readings[0].Memory > 16<<20 {
			select {
			case grown <- struct{}{}:
			default:
			}
		}
	})
	engine.order("touch 32")
	select {
	case <-grown:
	case <-time.After(10 * time.Second):
		t.Error("the growth was not seen")
	}
	s.Stop()
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}
