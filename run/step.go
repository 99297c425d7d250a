package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"exobench"
	"exobench/driver"
)

// releaseTime bounds the taking away of a model, after an interrupt too.
const releaseTime = 90 * time.Second

// step is a step under way.
type step struct {
	*execution
	exobench.Step
	engine     Engine
	deployment exobench.Deployment
	// machine is nil where nobody looks at the machine.
	machine Machine
	// silent is set when the engine had stopped answering at the end of the
	// block before.
	silent bool
	// fetched is set when files of the model were fetched since the last reading
	// before the load.
	fetched atomic.Bool
}

// step carries out one step with its blocks, from before the load until the model
// is gone.
func (x *execution) step(ctx context.Context, planned exobench.Step, blocks []exobench.Block) {
	defer x.rescue()
	s, id := &step{execution: x, Step: planned}, planned.ID
	s.engine = x.engines[s.Engine]
	began := x.Clock.Now()
	defer func() { x.stretches = append(x.stretches, stretch{began, x.Clock.Now(), id, exobench.During}) }()
	s.awaitIdle(ctx)
	err := s.clear(ctx)
	if err == nil {
		s.settle(ctx, exobench.Before)
	}
	s.fetched.Store(false)
	if err != nil || !x.goesOn(ctx) {
		s.observe()
		x.endStep(ctx, id, exobench.StepInterrupted, errors.Join(err, x.failed()))
		return
	}
	stop := s.moving(ctx)
	d, err := s.engine.Prepare(ctx, s.Model, s.Placement, s.stage)
	stop()
	x.notices(s.engine)
	s.observe()
	if err != nil {
		x.endStep(ctx, id, exobench.StepFailed, err)
		return
	}
	s.deployment = d
	s.measure(ctx, blocks)
	reason := s.release(ctx)
	if reason == exobench.StepReleased && x.goesOn(ctx) {
		s.readReleased(ctx)
	}
	s.observe()
	x.endStep(ctx, id, reason, x.failed())
}

// measure carries out the step's blocks on the model that was brought up, and
// always returns, so that the model is taken away again.
func (s *step) measure(ctx context.Context, blocks []exobench.Block) {
	defer s.rescue()
	s.tellHeld(s.deployment)
	if s.fetched.Load() {
		s.note("its files were fetched while it was loaded: its memory holds what the engine itself grew by in fetching them, and its load was under way meanwhile; run it again for the figures of the model alone")
	}
	s.settle(ctx, exobench.Loaded)
	s.observe()
	s.blocks(ctx, blocks)
}

// clear takes out of the model's way what may be, so that the reading before the
// load lacks nothing but the model.
func (s *step) clear(ctx context.Context) error {
	if c, ok := s.engine.Engine.(driver.Clearer); ok {
		return c.Clear(ctx, s.Model, s.Placement, s.stage)
	}
	return nil
}

// observe records what the engine saw that the reader of a report must know.
func (s *step) observe() {
	if o, ok := s.engine.Engine.(driver.Observer); ok {
		for _, text := range o.Observed() {
			s.note(text)
		}
	}
}

// tellHeld records what was in memory before the load.
func (s *step) tellHeld(d exobench.Deployment) {
	held, text := d.Held, ""
	if s.engine.Entry.LifeCycle && !d.Created {
		held = exobench.HeldModel
	}
	switch held {
	case exobench.HeldModel:
		text = "it was loaded already and is measured as it was: its own memory is in the reading before the load, so only inference shows as additional"
	case exobench.HeldOthers:
		text = "it was loaded where another model had been, which the engine cannot unload and may have put out: additional memory is not the model's whole"
	default:
		return
	}
	s.execution.note(exobench.Note{Engine: s.Step.Engine, Step: s.ID, Text: text, Held: held})
}

// blocks carries out the step's blocks.
func (s *step) blocks(ctx context.Context, blocks []exobench.Block) {
	if s.execution.Machine != nil {
		s.machine = s.execution.Machine(func() int { return s.deployment.PID })
		defer func() {
			if err := s.machine.Close(); err != nil {
				s.note("the watching of the machine did not end well: " + err.Error())
			}
		}()
	}
	for _, b := range blocks {
		if s.goesOn(ctx) {
			s.block(ctx, b)
			s.observe()
		}
	}
}

// release has the model taken away, unless it is to stay, and says what became
// of it.
func (s *step) release(ctx context.Context) exobench.StepEndReason {
	if s.Plan.KeepLoaded || !s.deployment.Created {
		return exobench.StepKept
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	defer s.moving(ctx)()
	if err := s.engine.Release(ctx, s.deployment, s.stage); err != nil {
		s.note(fmt.Sprintf("it could not be taken away: %v", err))
		return exobench.StepKept
	}
	return exobench.StepReleased
}

// releasedTime bounds the readings after the release, which hold up the next step.
const releasedTime = 10 * time.Second

// readReleased reads what the engine keeps once the model is gone. Where it cannot be
// read, as of an engine that ended with its model, that is not known.
func (s *step) readReleased(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, releasedTime)
	defer cancel()
	s.settle(ctx, exobench.Released)
}

// endStep records the end of a step: the reason, unless an error or an interrupt
// is the better one.
func (x *execution) endStep(ctx context.Context, id int, reason exobench.StepEndReason, err error) {
	x.heed(ctx)
	end := &exobench.StepEnd{At: x.Clock.Now(), Step: id, Reason: reason}
	switch {
	case ctx.Err() != nil && x.failed() == nil:
		end.Reason = exobench.StepInterrupted
	case err != nil:
		end.Reason, end.Error = exobench.StepFailed, err.Error()
	}
	x.append(end)
}

// stage records a stage of the model's way.
func (s *step) stage(e exobench.StageEvent) {
	e.Step = s.ID
	if e.Stage == exobench.StageDownload {
		s.fetched.Store(true)
	}
	if !e.At.Reached() {
		e.At = s.Clock.Now()
	}
	s.append(&e)
}

// note records something that the reader of a report must know of this step.
func (s *step) note(text string) {
	s.execution.note(exobench.Note{Engine: s.Step.Engine, Step: s.ID, Text: text})
}

// sensors are those of the engine and of the machine.
func (s *step) sensors() []driver.Sensor {
	sensors := slices.Concat(s.engine.sensors(), s.ofMachine())
	if s.machine != nil {
		sensors = append(sensors, s.machine)
	}
	return sensors
}
