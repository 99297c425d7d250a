package embedded

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"exobench/embedded/decoder"
)

// warmUpTokens is the length of the generation that a runner does before it is
// ready.
const warmUpTokens = 16

// runner loads a model and serves its instance until it is stopped. Everything
// happens on its own goroutine; others only queue tasks and stop it.
type runner struct {
	server *Server
	id     string
	model  Model
	tokens tokenizer

	stopped chan struct{}
	ending  sync.Once
	wake    chan struct{} // holds one signal that there are tasks

	mu      sync.Mutex
	waiting []*task
	load    int  // tasks waiting or active
	closed  bool // no task is taken any more

	decoder *decoder.Model
	active  []*task
	batch   []decoder.Input // of the pass that runs
	members []*task         // whose inputs these are
}

// newRunner makes a runner; s.mu is held.
func newRunner(s *Server, id string, m Model) *runner {
	r := &runner{
		server:  s,
		id:      id,
		model:   m,
		tokens:  tokenizer{m.Shape.Vocab},
		stopped: make(chan struct{}),
		wake:    make(chan struct{}, 1),
	}
	s.runners[id] = tagged{"RunnerIdle", empty{}}
	return r
}

// stop ends the runner; streams end without a final event.
func (r *runner) stop() { r.ending.Do(func() { close(r.stopped) }) }

func (r *runner) isStopped() bool {
	select {
	case <-r.stopped:
		return true
	default:
		return false
	}
}

// run walks through exo's states of a runner.
func (r *runner) run() {
	r.loadModel()
	if r.warmUp(); !r.isStopped() {
		r.serve()
	}
	r.status("RunnerShuttingDown", empty{})
	r.shutDown()
	r.server.mu.Lock()
	delete(r.server.runners, r.id)
	r.server.mu.Unlock()
}

func (r *runner) status(tag string, value any) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runners[r.id] = tagged{tag, value}
	if s.watch != nil {
		s.watch(s.runners[r.id])
	}
}

type loading struct {
	LayersLoaded int `json:"layersLoaded"`
	TotalLayers  int `json:"totalLayers"`
}

func (r *runner) loadModel() {
	s, layers := r.server, r.model.Shape.Layers
	s.mu.Lock()
	s.complete[r.model.ID] = true
	s.mu.Unlock()
	r.status("RunnerLoading", loading{0, layers})
	s.compute.Lock()
	defer s.compute.Unlock()
	m, err := decoder.New(r.model.Shape, s.config.Seed, s.config.workers(), func(n int) {
		r.status("RunnerLoading", loading{n, layers})
	})
	if err != nil {
		panic(err) // Config.Validate has asked the decoder about the shape
	}
	r.decoder = m
	r.status("RunnerLoaded", empty{})
}

// warmUp generates a few tokens, which also makes the scratch memory of a whole
// chunk, and collects the garbage of loading, so that the memory after loading
// is the model's.
func (r *runner) warmUp() {
	r.status("RunnerWarmingUp", empty{})
	seq, logits := r.decoder.NewSequence(), make([]float32, r.model.Shape.Vocab)
	defer debug.FreeOSMemory()
	defer seq.Release()
	tokens := make([]int, min(chunkTokens, r.model.Shape.Context))
	for range min(warmUpTokens, r.model.Shape.Context) {
		if r.isStopped() {
			return
		}
		r.forward([]decoder.Input{{Sequence: seq, Tokens: tokens, Logits: logits}})
		tokens = []int{decoder.Argmax(logits)}
	}
}

// forward runs one pass, alone in the server.
func (r *runner) forward(batch []decoder.Input) {
	r.server.compute.Lock()
	began := time.Now()
	err := r.decoder.Forward(batch)
	if slowdown := r.server.config.Slowdown; slowdown > 0 {
		// Waiting for the clock is exact where sleeping is not.
		for until := time.Duration(float64(time.Since(began)) * (1 + slowdown)); time.Since(began) < until; {
		}
	}
	r.server.compute.Unlock()
	if err != nil {
		panic(err) // the batch is built here, and refused is only what no caller may ask
	}
	if runtime.GOMAXPROCS(0) <= r.server.config.workers() {
		// No processor is left for the streams' goroutines: let them go first,
		// or tokens would wait for the next preemption.
		runtime.Gosched()
	}
}

// submit queues a task; a runner that is ending cancels it.
func (r *runner) submit(t *task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		t.cancel()
		return
	}
	r.waiting = append(r.waiting, t)
	r.load++
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// inFlight counts tasks waiting and active.
func (r *runner) inFlight() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.load
}

// shutDown cancels what is left and hands the model's memory back to the
// system.
func (r *runner) shutDown() {
	r.mu.Lock()
	r.closed = true
	left := append(r.waiting, r.active...)
	r.waiting, r.active = nil, nil
	r.mu.Unlock()
	for _, t := range left {
		t.cancel()
		r.release(t)
	}
	if r.decoder != nil {
		r.decoder.Close()
		r.decoder = nil
	}
	r.batch, r.members = nil, nil
	debug.FreeOSMemory()
}
