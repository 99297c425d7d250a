package run

import (
	"sync"

	"exobench"
)

// execution is a run under way.
type execution struct {
	config Config
	bench  Bench // at work

	mu       sync.Mutex // of what follows; Watch is called with it held
	progress exobench.Progress
	err      error

	seq int // of the latest request
}

func newExecution(c Config) *execution {
	x := &execution{config: c}
	p := &x.progress
	for _, b := range c.Benches {
		p.Steps += len(b.Engine.Models)
	}
	p.StepTotal = c.Plan.Warmup + len(c.Plan.Loads())*c.Plan.CellRequests()
	p.Total = p.Steps * p.StepTotal
	return x
}

// moreSteps makes room for steps that were not known at the start.
func (x *execution) moreSteps(n int) {
	x.tell(func(p *exobench.Progress) {
		p.Steps += n
		p.Total = p.Steps * p.StepTotal
	})
}

func (x *execution) begin(b Bench, m exobench.Model) {
	x.bench = b
	x.tell(func(p *exobench.Progress) {
		p.Engine, p.Model = b.Engine.Name, m
		p.Step++
		p.Load, p.Phase, p.Concurrency, p.Rate = exobench.LoadEvent{}, "", 0, 0
	})
}

// finish counts what the step left out as done.
func (x *execution) finish() {
	x.tell(func(p *exobench.Progress) { p.Done = p.Step * p.StepTotal })
}

// tell changes the progress and shows it. Last and Note are news only once.
func (x *execution) tell(change func(*exobench.Progress)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change(&x.progress)
	x.progress.At = x.config.Clock.Now()
	if x.config.Watch != nil {
		x.config.Watch(x.progress)
	}
	x.progress.Last, x.progress.Note = nil, ""
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
