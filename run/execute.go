package run

import (
	"context"
	"errors"
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

// Nodes tells of the machines that an engine runs on, as the engine sees them.
// At, Engine, Model and Moment of a reading are filled in by the run.
type Nodes interface {
	ReadNodes(ctx context.Context) ([]exobench.NodeReading, error)
}

// Placer is a Target that can put a model in more than one place.
type Placer interface {
	// Placements lists where the model can be put, the first choice first, as
	// values for exobench.Model's Placement.
	Placements(ctx context.Context, m exobench.Model) ([]string, error)
}

// Recorder keeps the entries of a run. It is called concurrently.
type Recorder interface {
	Append(exobench.Entry) error
}

// Bench is one engine to measure.
type Bench struct {
	// Engine has the models to measure.
	Engine exobench.Engine
	Target Target
	// Memory is nil where the engine's memory cannot be read, Nodes where the
	// engine tells nothing of its machines.
	Memory Memory
	Nodes  Nodes
	// PID tells the engine's process where it changes during a run; nil where it
	// is that of Engine.
	PID func() int
}

// Config is what a run works with.
type Config struct {
	Plan exobench.Plan
	// Benches are measured one after the other, with one model loaded at a time.
	Benches  []Bench
	Recorder Recorder
	Clock    exobench.Clock
	// Machine, where set, watches what else the machine does from when it is
	// called until the function that it returns is.
	Machine func(enginePID int) (stop func() exobench.Disturbance)
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
	for _, b := range c.Benches {
		for _, m := range b.Engine.Models {
			for _, placed := range x.placements(ctx, b, m) {
				if ctx.Err() == nil && x.failed() == nil {
					x.step(ctx, b, placed)
				}
			}
		}
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

// placements returns the model once for each placement to measure: as it is,
// for the engine to choose, unless the plan wants all. A model whose placements
// cannot be had fails here, and none is returned.
func (x *execution) placements(ctx context.Context, b Bench, m exobench.Model) []exobench.Model {
	placer, ok := b.Target.(Placer)
	if !ok || !x.config.Plan.AllPlacements || ctx.Err() != nil {
		return []exobench.Model{m}
	}
	labels, err := placer.Placements(ctx, m)
	if err == nil && len(labels) == 0 {
		err = errors.New("the engine offers no placement for it")
	}
	if err != nil {
		x.begin(b, m)
		x.unprepared(ctx, err)
		x.finish()
		return nil
	}
	placed := make([]exobench.Model, len(labels))
	for i, label := range labels {
		placed[i] = m
		placed[i].Placement = label
	}
	x.moreSteps(len(labels) - 1)
	return placed
}

// step runs all cells of one model in one placement.
func (x *execution) step(ctx context.Context, b Bench, m exobench.Model) {
	x.begin(b, m)
	defer x.finish()
	x.settle(ctx, exobench.MomentBefore)
	d, err := b.Target.Prepare(ctx, m, x.load)
	if err != nil {
		x.unprepared(ctx, err)
		return
	}
	defer x.release(ctx, d)
	if b.Engine.LifeCycle && !d.Created {
		x.note(m.Name + " was loaded already and is measured as it was: its own memory is in the reading before the load, so only inference shows as additional")
	}
	x.settle(ctx, exobench.MomentLoaded)
	stop := x.sample(ctx)
	defer stop()
	x.requests(ctx, d)
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
	if err := x.bench.Target.Release(ctx, d, x.load); err != nil {
		x.note(fmt.Sprintf("%s could not be taken away: %v", d.Model.Name, err))
	}
}

// load records one step in the current model's life.
func (x *execution) load(e exobench.LoadEvent) {
	if !e.At.Reached() {
		e.At = x.config.Clock.Now()
	}
	m := x.progress.Model
	e.Engine, e.Model = x.progress.Engine, m.Name
	if e.ModelID == "" {
		e.ModelID = m.ID
	}
	if e.Placement == "" {
		e.Placement = m.Placement
	}
	x.append(&e)
	x.tell(func(p *exobench.Progress) { p.Load = e })
}

// note records something that the report must say.
func (x *execution) note(text string) {
	x.append(&exobench.Note{At: x.config.Clock.Now(), Engine: x.progress.Engine, Model: x.progress.Model.Name, Text: text})
	x.tell(func(p *exobench.Progress) { p.Note = text })
}

func (x *execution) append(e exobench.Entry) {
	if err := x.config.Recorder.Append(e); err != nil {
		x.fail(err)
	}
}
