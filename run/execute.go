package run

import (
	"context"
	"fmt"
	"time"

	"exobench"
)

// Target is an engine that models can be run on.
type Target interface {
	// Prepare makes the model ready to answer and reports each step on the way.
	// When it fails it leaves nothing behind.
	Prepare(ctx context.Context, m exobench.Model, report func(exobench.LoadEvent)) (exobench.Deployment, error)
	// Do sends one request and waits for its end. It is called concurrently.
	Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record
	// Release takes away what Prepare made, and waits until it is gone.
	Release(ctx context.Context, d exobench.Deployment, report func(exobench.LoadEvent)) error
}

// Memory reads the memory of the engine. At, Model and Moment of a reading are
// filled in by the run.
type Memory interface {
	Read(ctx context.Context) (exobench.Reading, error)
	// Sample gives readings to sink, one at a time, until stop is called; stop
	// waits for the last one and returns the first error.
	Sample(ctx context.Context, sink func(exobench.Reading)) (stop func() error)
}

// Recorder keeps the entries of a run. It is called concurrently.
type Recorder interface {
	Append(exobench.Entry) error
}

// Config is what a run works with.
type Config struct {
	Plan   exobench.Plan
	Engine exobench.Engine
	// Models are the plan's models as the engine knows them, in order.
	Models []exobench.Model
	Target Target
	// Memory is nil where the engine's memory cannot be read.
	Memory   Memory
	Recorder Recorder
	Clock    exobench.Clock
	// Watch is told what happens, one call at a time; it must not block. Nil
	// means that nobody watches.
	Watch func(exobench.Progress)
	// KeepLoaded leaves models on the engine.
	KeepLoaded bool
}

// releaseTime bounds the taking away of a model, after an interrupt too.
const releaseTime = 90 * time.Second

// Execute carries out the plan, and writes all entries but the header. It
// returns how the run ended; the error is that of the recorder.
func Execute(ctx context.Context, c Config) (exobench.EndReason, error) {
	x := newExecution(c)
	for i, m := range c.Models {
		if ctx.Err() != nil || x.failed() != nil {
			break
		}
		x.model(ctx, i, m)
	}
	end := &exobench.End{At: c.Clock.Now(), Reason: exobench.EndFinished}
	if ctx.Err() != nil {
		end.Reason = exobench.EndInterrupted
	}
	if err := x.failed(); err != nil {
		return exobench.EndFailed, err
	}
	return end.Reason, c.Recorder.Append(end)
}

// model runs all cells of one model.
func (x *execution) model(ctx context.Context, index int, m exobench.Model) {
	x.begin(index, m)
	defer x.finish(index)
	x.settle(ctx, exobench.MomentBefore)
	d, err := x.config.Target.Prepare(ctx, m, x.load)
	if err != nil {
		x.unprepared(ctx, err)
		return
	}
	defer x.release(ctx, d)
	x.settle(ctx, exobench.MomentLoaded)
	stop := x.sample(ctx)
	defer stop()
	x.requests(ctx, d, index)
}

func (x *execution) unprepared(ctx context.Context, err error) {
	if ctx.Err() != nil {
		x.note("interrupted while " + x.progress.Model.Name + " was being loaded")
		return
	}
	x.load(exobench.LoadEvent{Stage: exobench.StageFailed, Error: err.Error()})
}

func (x *execution) release(ctx context.Context, d exobench.Deployment) {
	if x.config.KeepLoaded {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if err := x.config.Target.Release(ctx, d, x.load); err != nil {
		x.note(fmt.Sprintf("%s could not be taken away: %v", d.Model.Name, err))
	}
}

// load records one step in the current model's life.
func (x *execution) load(e exobench.LoadEvent) {
	if !e.At.Reached() {
		e.At = x.config.Clock.Now()
	}
	m := x.progress.Model
	e.Model = m.Name
	if e.ModelID == "" {
		e.ModelID = m.ID
	}
	x.append(&e)
	x.tell(func(p *exobench.Progress) { p.Load = e })
}

// note records something that the report must say.
func (x *execution) note(text string) {
	x.append(&exobench.Note{At: x.config.Clock.Now(), Model: x.progress.Model.Name, Text: text})
	x.tell(func(p *exobench.Progress) { p.Note = text })
}

// sample has the memory read until the function it returns is called.
func (x *execution) sample(ctx context.Context) (stop func()) {
	if x.config.Memory == nil {
		return func() {}
	}
	stopSampling := x.config.Memory.Sample(context.WithoutCancel(ctx), func(r exobench.Reading) {
		x.reading(r, exobench.MomentDuring)
	})
	return func() {
		if err := stopSampling(); err != nil {
			x.note("some readings of the engine's memory failed: " + err.Error())
		}
	}
}

func (x *execution) reading(r exobench.Reading, moment exobench.Moment) {
	if !r.At.Reached() {
		r.At = x.config.Clock.Now()
	}
	r.Model, r.Moment = x.progress.Model.Name, moment
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
	if x.config.Memory == nil {
		return
	}
	var last exobench.Reading
	for waited := time.Duration(0); ; waited += settleStep {
		r, err := x.config.Memory.Read(ctx)
		if err != nil {
			if ctx.Err() == nil {
				x.note(fmt.Sprintf("the engine's memory %s could not be read: %v", momentText[moment], err))
			}
			return
		}
		change := max(r.Memory-last.Memory, last.Memory-r.Memory)
		still := last.Memory > 0 && float64(change) <= max(settleBytes, settleShare*float64(r.Memory))
		if still || waited >= settleTime {
			x.reading(r, moment)
			return
		}
		last = r
		select {
		case <-ctx.Done():
			return
		case <-time.After(settleStep):
		}
	}
}

var momentText = map[exobench.Moment]string{
	exobench.MomentBefore: "before the load",
	exobench.MomentLoaded: "after the load",
}

func (x *execution) append(e exobench.Entry) {
	if err := x.config.Recorder.Append(e); err != nil {
		x.fail(err)
	}
}
