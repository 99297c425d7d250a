package run

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"exobench"
	"exobench/driver"
)

// Engine is one engine to measure.
type Engine struct {
	driver.Engine
	// Elsewhere is set where it runs on another machine, of which the sensors of
	// this one tell nothing.
	Elsewhere bool
	// Entry is the engine's in the journal's header, with the models to measure.
	Entry exobench.Engine
	// beside are sensors that are not its own; see Config.Beside.
	beside []driver.Sensor
}

// sensors are its own, and those beside them.
func (e Engine) sensors() []driver.Sensor {
	own := e.Sensors()
	return append(own[:len(own):len(own)], e.beside...)
}

// Recorder keeps the entries of a run. It is called concurrently.
type Recorder interface {
	Append(exobench.Entry) error
}

// Machine is a sensor of the machine that exobench runs on.
type Machine interface {
	driver.Sensor
	io.Closer
}

// Config is what a run works with.
type Config struct {
	Plan exobench.Plan
	// Engines are measured one after the other, with one model loaded at a time.
	Engines []Engine
	// Session is the id of this process's session, and PromptSeed the seed of
	// prompts that its entry tells; see PromptSeed.
	Session    int
	PromptSeed uint64
	// Past, where set, is what the sessions before did of the plan.
	Past     *Past
	Recorder Recorder
	Clock    exobench.Clock
	// Machine, where set, makes a sensor of the machine for one step; pid returns
	// the engine's process, 0 where it is not known. The sensor is closed at the
	// end of the step.
	Machine func(pid func() int) Machine
	// Beside, where set, makes sensors for an engine that are beside its own: of what
	// this host has. It is called once for each engine.
	Beside func(driver.Engine) []driver.Sensor
	// Sensors are of the machine that exobench runs on, such as of its power. They
	// are read all the while that a model is there, or on its way. Meters say what
	// those of them tell that tell a power.
	Sensors []driver.Sensor
	Meters  []exobench.Meter
	// Log, where set, reads the log of a power meter outside when the run is over.
	Log func(from, to exobench.Instant) (Log, error)
	// CPU, where set, returns a function that returns the CPU time which a process
	// and its descendants used since it was called before, or since CPU was; absent
	// where the process is gone.
	CPU func(pid int) func() (time.Duration, bool)
	// Trim, where set, lets go of what a block left open and few blocks need. It is
	// called after each, when no request is under way.
	Trim func()
	// Calibrate, where set and the plan wants it, measures the harness's own
	// error before the first step. It may return some calibrations and an error.
	Calibrate func(ctx context.Context) ([]exobench.Calibration, error)
	// Ceilings, where set, works out before the first step how fast models could be
	// decoded at best. It may return some ceilings and an error.
	Ceilings func(ctx context.Context) ([]exobench.Ceiling, error)
}

// Execute carries out the plan, and writes all entries but the header and the
// session. It returns how the run ended; the error is why it failed.
func Execute(ctx context.Context, c Config) (exobench.EndReason, error) {
	x := &execution{Config: c, engines: map[string]Engine{}, told: map[[2]string]bool{}}
	var entries []exobench.Engine
	for _, e := range c.Engines {
		if c.Beside != nil {
			e.beside = c.Beside(e.Engine)
		}
		x.engines[e.Entry.Name] = e
		entries = append(entries, e.Entry)
	}
	x.outline = exobench.NewOutline(c.Plan, entries, c.Session)
	if c.Past != nil {
		x.resume(ctx)
		return x.finish(ctx)
	}
	x.announce(x.outline.Steps, x.outline.Cells)
	x.preliminaries(ctx)
	for _, planned := range slices.Clone(x.outline.Steps) {
		for _, id := range x.spread(ctx, planned.ID) {
			if x.goesOn(ctx) {
				x.step(ctx, *x.outline.Step(id), x.outline.BlocksOf(id))
			}
		}
	}
	return x.finish(ctx)
}

// execution is a run under way.
type execution struct {
	Config
	engines map[string]Engine // by name
	outline *exobench.Outline
	seq     int // of the latest request
	// told are the notices that were recorded, by engine and text.
	told map[[2]string]bool
	// working, where not 0, is the process of an engine whose requests were given up
	// in the block before.
	working int
	// restless is an engine's process that was waited for in vain.
	restless int
	// stretches are the times of the run so far, in order.
	stretches []stretch

	mu  sync.Mutex // of what follows
	err error
}

// announce records steps and cells that became known, or became known better.
func (x *execution) announce(steps []exobench.Step, cells []exobench.Cell) {
	for _, s := range steps {
		x.append(&s)
	}
	for _, c := range cells {
		x.append(&c)
	}
}

// preliminaries records what must be known of the engines and of the harness.
func (x *execution) preliminaries(ctx context.Context) {
	for _, e := range x.Engines {
		x.notices(e)
	}
	x.ceilings(ctx)
	x.calibrate(ctx)
	x.idle(ctx)
}

// calibrate has the harness's own error measured.
func (x *execution) calibrate(ctx context.Context) {
	if x.Calibrate == nil || !x.Plan.Calibrate || !x.goesOn(ctx) {
		return
	}
	calibrations, err := x.Calibrate(ctx)
	for _, c := range calibrations {
		if c.Session = x.Session; !c.At.Reached() {
			c.At = x.Clock.Now()
		}
		x.append(&c)
	}
	if err != nil && ctx.Err() == nil {
		x.note(exobench.Note{Text: "the harness's own error was not measured: " + err.Error()})
	}
}

// ceilings records how fast models could be decoded at best. It comes before
// anything is loaded: measuring the memory must not meet an engine that works.
func (x *execution) ceilings(ctx context.Context) {
	if x.Ceilings == nil || !x.goesOn(ctx) {
		return
	}
	all, err := x.Ceilings(ctx)
	for _, c := range all {
		c.At, c.Session = x.Clock.Now(), x.Session
		x.append(&c)
	}
	if err != nil && ctx.Err() == nil {
		x.note(exobench.Note{Text: "how fast the memory can be read was not measured: " + err.Error()})
	}
}

// notices records what an engine's driver has to tell and has not told yet.
func (x *execution) notices(e Engine) {
	for _, notice := range e.Notices() {
		if key := [2]string{e.Entry.Name, notice}; !x.told[key] {
			x.told[key] = true
			if n := (exobench.Note{Engine: e.Entry.Name, Text: notice}); !x.Past.noted(n) {
				x.note(n)
			}
		}
	}
}

// spread returns the steps to run in the place of one of the plan: itself, with
// the placement left to the engine, or one for each placement where the plan
// wants all. A step whose placements cannot be had fails here.
func (x *execution) spread(ctx context.Context, id int) []int {
	step := *x.outline.Step(id)
	placer, ok := x.engines[step.Engine].Engine.(driver.Placer)
	if !ok || !x.Plan.AllPlacements || !x.goesOn(ctx) {
		return []int{id}
	}
	placements, err := placer.Placements(ctx, step.Model)
	if known := x.Past.placementsOf(step); len(known) > 0 && !extends(placements, known) {
		placements, err = known, nil
	}
	if err == nil && len(placements) == 0 {
		err = errors.New("the engine offers no placement for it")
	}
	if err != nil {
		x.endStep(ctx, id, exobench.StepFailed, err)
		return nil
	}
	ids := x.outline.Spread(x.Plan, id, placements)
	for _, id := range ids {
		x.announce([]exobench.Step{*x.outline.Step(id)}, x.outline.CellsOf(id))
	}
	return ids
}

// finish writes the end, also that of a run that failed if the recorder still
// takes it.
func (x *execution) finish(ctx context.Context) (exobench.EndReason, error) {
	x.heed(ctx)
	x.readLog()
	end := &exobench.End{At: x.Clock.Now(), Session: x.Session, Reason: exobench.EndFinished}
	if ctx.Err() != nil {
		end.Reason = exobench.EndInterrupted
	}
	if err := x.failed(); err != nil {
		end.Reason, end.Error = exobench.EndFailed, err.Error()
	}
	x.append(end)
	if err := x.failed(); err != nil {
		return exobench.EndFailed, err
	}
	return end.Reason, nil
}

// note records something that the reader of a report must know.
func (x *execution) note(n exobench.Note) {
	n.At, n.Session = x.Clock.Now(), x.Session
	x.append(&n)
}

// samples records the samples of one reading.
func (x *execution) samples(sensor driver.Sensor, samples []exobench.Sample, step int, m exobench.Moment, block int) {
	now := x.Clock.Now()
	for _, sample := range samples {
		sample.Step, sample.Moment, sample.Block = step, m, block
		if sample.Sensor == "" {
			sample.Sensor = sensor.Name()
		}
		if !sample.At.Reached() {
			sample.At = now
		}
		x.append(&sample)
	}
}

func (x *execution) append(e exobench.Entry) {
	defer x.rescue()
	if err := x.Recorder.Append(e); err != nil {
		x.fail(err)
	}
}

func (x *execution) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
	}
}

func (x *execution) failed() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

// goesOn reports whether there is a reason to begin anything more.
func (x *execution) goesOn(ctx context.Context) bool {
	x.heed(ctx)
	return ctx.Err() == nil && x.failed() == nil
}
