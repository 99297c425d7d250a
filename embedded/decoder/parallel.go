package decoder

import (
	"sync"

	"exobench/internal/panics"
)

// job is work that any number of workers can share: each call does the part
// that its number says.
type job interface {
	run(worker, workers int)
}

// parallel is a fixed set of workers that run one job at a time together. The
// caller of do is worker 0, so one worker has no goroutine and no hand-over.
// The others wait between jobs: a pass has some 25 jobs, and to start
// goroutines for each would allocate in the step loop.
type parallel struct {
	size  int
	jobs  []chan job
	busy  sync.WaitGroup
	ended sync.WaitGroup
}

func newParallel(size int) *parallel {
	p := &parallel{size: size}
	for w := 1; w < size; w++ {
		jobs := make(chan job)
		p.jobs = append(p.jobs, jobs)
		p.ended.Go(panics.Caught(func() {
			for j := range jobs {
				j.run(w, size)
				p.busy.Done()
			}
		}))
	}
	return p
}

func (p *parallel) do(j job) {
	p.busy.Add(len(p.jobs))
	for _, jobs := range p.jobs {
		jobs <- j
	}
	j.run(0, p.size)
	p.busy.Wait()
}

func (p *parallel) close() {
	for _, jobs := range p.jobs {
		close(jobs)
	}
	p.jobs = nil
	p.ended.Wait()
}
