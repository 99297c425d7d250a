package run

import (
	"context"
	"fmt"
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
}

// step carries out one step with its blocks, from before the load until the model
// is gone.
func (x *execution) step(ctx context.Context, planned exobench.Step, blocks []exobench.Block) {
	s, id := &step{execution: x, Step: planned}, planned.ID
	s.engine = x.engines[s.Engine]
	s.settle(ctx, exobench.Before)
	if !x.goesOn(ctx) {
		x.endStep(ctx, id, exobench.StepInterrupted, x.failed())
		return
	}
	d, err := s.engine.Prepare(ctx, s.Model, s.Placement, s.stage)
	if err != nil {
		x.endStep(ctx, id, exobench.StepFailed, err)
		return
	}
	s.deployment = d
	if s.engine.Entry.LifeCycle && !d.Created {
		s.note(s.Model.Name + " was loaded already and is measured as it was: its own memory is in the reading before the load, so only inference shows as additional")
	}
	s.settle(ctx, exobench.Loaded)
	s.blocks(ctx, blocks)
	x.endStep(ctx, id, s.release(ctx), x.failed())
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
	if err := s.engine.Release(ctx, s.deployment, s.stage); err != nil {
		s.note(fmt.Sprintf("%s could not be taken away: %v", s.Model.Name, err))
		return exobench.StepKept
	}
	return exobench.StepReleased
}

// endStep records the end of a step: the reason, unless an error or an interrupt
// is the better one.
func (x *execution) endStep(ctx context.Context, id int, reason exobench.StepEndReason, err error) {
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
	sensors := s.engine.Sensors()
	if s.machine != nil {
		sensors = append(sensors[:len(sensors):len(sensors)], s.machine)
	}
	return sensors
}

// samples records the samples of one reading.
func (s *step) samples(sensor driver.Sensor, samples []exobench.Sample, m exobench.Moment, block int) {
	now := s.Clock.Now()
	for _, sample := range samples {
		sample.Step, sample.Moment, sample.Block = s.ID, m, block
		if sample.Sensor == "" {
			sample.Sensor = sensor.Name()
		}
		if !sample.At.Reached() {
			sample.At = now
		}
		s.append(&sample)
	}
}
