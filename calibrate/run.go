package calibrate

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// Run measures the harness's error at one load. The error is not nil where the
// calibration itself went wrong: a stream that failed, or clocks that moved
// apart.
func Run(ctx context.Context, cfg Config) (exobench.Calibration, error) {
	if err := cfg.Validate(); err != nil {
		return exobench.Calibration{}, fmt.Errorf("calibrate: %w", err)
	}
	c, err := measure(ctx, cfg)
	if err != nil {
		return exobench.Calibration{}, fmt.Errorf("calibrate %d streams at %g tokens/s: %w", cfg.Streams, cfg.Rate, err)
	}
	return c, nil
}

func measure(ctx context.Context, cfg Config) (exobench.Calibration, error) {
	if cfg.Warm {
		w := newRound(cfg, minEvents)
		w.run(ctx)
		if err := w.check(ctx); err != nil {
			return exobench.Calibration{}, fmt.Errorf("warm up: %w", err)
		}
	}
	if _, err := behind(ctx, cfg); err != nil {
		return exobench.Calibration{}, err
	}
	r := newRound(cfg, cfg.tokens())
	before := cfg.Clock.Offset()
	cost := r.measured(ctx)
	after := cfg.Clock.Offset()
	if err := r.check(ctx); err != nil {
		return exobench.Calibration{}, err
	}
	offset, err := between(before, after)
	if err != nil {
		return exobench.Calibration{}, err
	}
	late, err := behind(ctx, cfg)
	if err != nil {
		return exobench.Calibration{}, err
	}
	c := r.compare(offset)
	c.At, c.Streams, c.Rate = cfg.Clock.Now(), cfg.Streams, cfg.Rate
	c.CPUPer1000 = cost.cpu * 1000 / time.Duration(c.Events)
	c.StreamMemory = cost.memory / exobench.Bytes(cfg.Streams)
	c.Behind = late.P99
	return c, nil
}

// cost is what a round took of this process.
type cost struct {
	cpu    time.Duration
	memory exobench.Bytes
}

// measured runs the round and notes what it costs. Memory is read when most
// events have come, since streams give theirs back at their ends.
func (r *round) measured(ctx context.Context) cost {
	// Twice: what pools hold outlives one collection.
	runtime.GC()
	debug.FreeOSMemory()
	rss, cpu := residentMemory(), cpuTime()
	var peak exobench.Bytes
	ended := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(panics.Caught(func() {
		select {
		case <-time.After(TTFT + time.Duration(r.tokens)*r.interval()*3/4):
			peak = residentMemory()
		case <-ended:
		}
	}))
	r.run(ctx)
	used := cpuTime() - cpu
	close(ended)
	looking.Wait()
	return cost{cpu: used, memory: max(0, peak-rss)}
}
