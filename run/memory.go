package run

import (
	"context"
	"fmt"
	"sync"
	"time"

	"exobench"
)

// sample has the memory and the nodes read until the function it returns is
// called.
func (x *execution) sample(ctx context.Context) (stop func()) {
	ctx = context.WithoutCancel(ctx)
	stopNodes := x.sampleNodes(ctx)
	if x.bench.Memory == nil {
		return stopNodes
	}
	stopSampling := x.bench.Memory.Sample(ctx, func(r exobench.Reading) {
		x.reading(r, exobench.MomentDuring)
	})
	return func() {
		stopNodes()
		if err := stopSampling(); err != nil {
			x.note("some readings of the engine's memory failed: " + err.Error())
		}
	}
}

func (x *execution) reading(r exobench.Reading, moment exobench.Moment) {
	if !r.At.Reached() {
		r.At = x.config.Clock.Now()
	}
	r.Engine, r.Model, r.Moment = x.progress.Engine, x.progress.Model.Name, moment
	x.append(&r)
}

// Memory counts as settled when it changed by less than settleShare, or
// settleBytes, between two readings settleStep apart.
const (
	settleStep  = 100 * time.Millisecond
	settleTime  = 3 * time.Second
	settleShare = 0.002
	settleBytes = 1 << 20
)

// settle waits until the engine's memory holds still, and records it: an engine
// may still give memory back, or touch what it loaded.
func (x *execution) settle(ctx context.Context, moment exobench.Moment) {
	x.nodes(ctx, moment)
	if x.bench.Memory == nil {
		return
	}
	var last *exobench.Reading
	for waited := time.Duration(0); ; waited += settleStep {
		r, err := x.bench.Memory.Read(ctx)
		if err != nil {
			if ctx.Err() == nil {
				x.note(fmt.Sprintf("the engine's memory %s could not be read: %v", momentText[moment], err))
			}
			return
		}
		if last != nil && still(*last, r) || waited >= settleTime {
			x.reading(r, moment)
			return
		}
		last = &r
		select {
		case <-ctx.Done():
			return
		case <-time.After(settleStep):
		}
	}
}

func still(a, b exobench.Reading) bool {
	change := max(b.Memory-a.Memory, a.Memory-b.Memory)
	return float64(change) <= max(settleBytes, settleShare*float64(b.Memory))
}

var momentText = map[exobench.Moment]string{
	exobench.MomentBefore: "before the load",
	exobench.MomentLoaded: "after the load",
}

// nodesEvery is how often an engine is asked for its machines while requests
// are under way; exo renews its figures once a second.
const nodesEvery = time.Second

// nodes records what the engine tells of its machines. That it does not tell
// is no reason to stop: the figures are an extra.
func (x *execution) nodes(ctx context.Context, moment exobench.Moment) {
	if x.bench.Nodes == nil {
		return
	}
	readings, err := x.bench.Nodes.ReadNodes(ctx)
	if err != nil {
		return
	}
	for _, r := range readings {
		if !r.At.Reached() {
			r.At = x.config.Clock.Now()
		}
		r.Engine, r.Model, r.Moment = x.progress.Engine, x.progress.Model.Name, moment
		x.append(&r)
	}
}

func (x *execution) sampleNodes(ctx context.Context) (stop func()) {
	if x.bench.Nodes == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() {
		tick := time.NewTicker(nodesEvery)
		defer tick.Stop()
		for {
			x.nodes(ctx, exobench.MomentDuring)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() { cancel(); sampler.Wait() }
}
