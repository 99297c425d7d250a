package resource

import (
	"context"
	"os"
	"time"

	"exobench"
)

// Machine is a sensor of what else the machine does while requests are under
// way. It must be closed. Its methods must not be called concurrently.
//
// CPU time is told in ticks of 10 ms, which makes the shares of less than a
// second rough. What the system does not tell is absent: on macOS there is no
// steal, and the time of engine processes that ended meanwhile counts as foreign.
// Where the engine ended, its share and the foreign one are absent. Where the
// kernel does not count how long threads wait for a core, a thread of ours looks
// for gaps in its own progress, at up to 1 % of one core.
type Machine struct {
	engine func() int
	watch  *watch
}

// NewMachine returns a sensor that does nothing before it is first read. engine
// returns the root of the engine's process tree, which is told from foreign work;
// it returns 0 where the engine is on another machine or its process is not
// known, and an engine that runs here unseen then counts as foreign.
func NewMachine(engine func() int) *Machine { return &Machine{engine: engine} }

// Name returns "machine".
func (*Machine) Name() string { return "machine" }

// Every returns 0: a sample is of the span since the sensor was read before.
func (*Machine) Every() time.Duration { return 0 }

// Read returns what happened since it was called before, as one sample, and
// begins to watch anew. The first time it only begins.
func (m *Machine) Read(context.Context, exobench.Moment) ([]exobench.Sample, error) {
	var samples []exobench.Sample
	if m.watch != nil {
		span, values := m.watch.stop()
		samples = []exobench.Sample{{Sensor: m.Name(), Span: span, Values: values}}
	}
	m.watch = startWatch(m.engine())
	return samples, nil
}

// Close ends the watching. The sensor may be read again after it, as if it were
// new.
func (m *Machine) Close() error {
	if m.watch != nil {
		m.watch.stop()
		m.watch = nil
	}
	return nil
}

// watch is one span under way.
type watch struct {
	engine int
	began  time.Time
	before work
	runner goRuntime
	// delays ends the watching of what keeps our threads from running.
	delays func() exobench.Values
}

func startWatch(engine int) *watch {
	w := &watch{engine: engine, runner: readRuntime(), before: readWork(engine)}
	w.began = time.Now()
	w.delays = watchDelays()
	return w
}

// stop ends the span and returns its length and what was seen in it.
func (w *watch) stop() (time.Duration, exobench.Values) {
	delays := w.delays()
	wall := time.Since(w.began)
	values := shares(wall, w.before, readWork(w.engine), w.engine, os.Getpid())
	pause, scheduler := readRuntime().since(w.runner)
	values = append(values, delays...)
	values = append(values,
		exobench.Value{Quantity: exobench.GCPauseMax, Value: float64(pause)},
		exobench.Value{Quantity: exobench.SchedulerP99, Value: float64(scheduler)})
	return wall, values
}

// work is the CPU time used until now; what is unknown is nil.
type work struct {
	cores int
	// busy is of all processes, those of the kernel included, over all cores;
	// steal is what the host of a virtual machine took.
	busy, steal, own *time.Duration
	// tree is the engine's.
	tree map[processID]processTime
}

// processID tells a process from a later one with the same number.
type processID struct {
	pid     int
	started uint64
}

// processTime is the CPU time of one process, and of those of its descendants
// that ended and were waited for.
type processTime struct{ own, waited time.Duration }

// shares returns what was used between two readings, as shares of all cores.
func shares(wall time.Duration, before, after work, engine, self int) exobench.Values {
	var values exobench.Values
	room := wall.Seconds() * float64(after.cores)
	add := func(q exobench.Quantity, t time.Duration) {
		values = append(values, exobench.Value{Quantity: q, Value: max(0, t.Seconds()/room)})
	}
	spent := func(from, to *time.Duration) (time.Duration, bool) {
		if from == nil || to == nil || !(room > 0) {
			return 0, false
		}
		return *to - *from, true
	}
	if steal, ok := spent(before.steal, after.steal); ok {
		add(exobench.Steal, steal)
	}
	own, knowsOwn := spent(before.own, after.own)
	if knowsOwn {
		add(exobench.HarnessCPU, own)
	}
	tree, knowsTree := treeTime(before.tree, after.tree, engine)
	if knowsTree && room > 0 {
		add(exobench.EngineCPU, tree)
	}
	busy, knowsBusy := spent(before.busy, after.busy)
	if !knowsBusy || !knowsOwn || engine != 0 && !knowsTree {
		return values
	}
	// We are part of the tree where the engine runs inside this very process.
	if !holds(after.tree, self) {
		busy -= own
	}
	add(exobench.Foreign, busy-tree)
	return values
}

// treeTime is the CPU time that the tree of root used between two readings. It is
// unknown where the root was not there all the time.
//
// Each process is counted with the time of the descendants that it waited for, so a
// child that ends moves from one term of the sum to another, and one that came
// and went is in it too. What ended without being waited for takes its whole
// life out of the sum; the processes that are left then give the better lower
// bound.
func treeTime(before, after map[processID]processTime, root int) (time.Duration, bool) {
	var all, living time.Duration
	lasted := false
	for id, now := range after {
		then, known := before[id]
		all += now.own + now.waited
		living += now.own - then.own
		lasted = lasted || known && id.pid == root
	}
	for _, then := range before {
		all -= then.own + then.waited
	}
	return max(all, living), lasted
}

func holds(tree map[processID]processTime, pid int) bool {
	for id := range tree {
		if id.pid == pid {
			return true
		}
	}
	return false
}
