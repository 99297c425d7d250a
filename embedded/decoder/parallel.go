package decoder

import "sync"

// job is work that any number of workers can share: each call does the part that its number says.
type job interface {
	run(worker, workers int)
}

// parallel is a fixed set of workers that run one job at a time together. The caller of do is worker 0, so a parallel of one has no
// goroutine and no hand-over. The others wait between jobs: a pass has some 25 jobs, and to start goroutines for each would
// allocate in the step loop.
type parallel struct {
	size int
	jobs []chan job
	busy sync.WaitGroup
	gone sync.WaitGroup
}

func newParallel(size int) *parallel {
	g := &parallel{size: size}
	for w := 1; w < size; w++ {
		jobs := make(chan job)
		g.jobs = append(g.jobs, jobs)
		g.gone.Go(func() {
			for j := range jobs {
				j.run(w, size)
				g.busy.Done()
			}
		})
	}
	return g
}

func (g *parallel) do(j job) {
	g.busy.Add(len(g.jobs))
	for _, jobs := range g.jobs {
		jobs <- j
	}
	j.run(0, g.size)
	g.busy.Wait()
}

func (g *parallel) close() {
	for _, jobs := range g.jobs {
		close(jobs)
	}
	g.jobs = nil
	g.gone.Wait()
}
