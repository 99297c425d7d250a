package run

import (
	"sync"

	"exobench"
)

// execution is a run under way.
type execution struct {
	config Config

	mu       sync.Mutex // of what follows; Watch is called with it held
	progress exobench.Progress
	err      error

	seq int // of the latest request
}

func newExecution(c Config) *execution {
	x := &execution{config: c}
	x.progress.Models = len(c.Models)
	x.progress.Total = len(c.Models) * perModel(c.Plan)
	return x
}

// perModel returns how many requests one model gets.
func perModel(p exobench.Plan) int {
	return p.Warmup + len(p.Concurrency)*p.CellRequests()
}

func (x *execution) begin(index int, m exobench.Model) {
	x.tell(func(p *exobench.Progress) {
		p.Model, p.ModelIndex = m, index+1
		p.Load, p.Phase, p.Concurrency = exobench.LoadEvent{}, "", 0
	})
}

// finish counts what the model left out as done.
func (x *execution) finish(index int) {
	x.tell(func(p *exobench.Progress) { p.Done = (index + 1) * perModel(x.config.Plan) })
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
