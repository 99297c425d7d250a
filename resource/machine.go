package resource

import (
	"os"
	"time"

	"exobench"
)

// Machine watches what else the machine does while requests are under way.
type Machine struct {
	engine int
	began  time.Time
	before work
	runner goRuntime
	probe  *probe
}

// WatchMachine begins to watch. The engine's process tree is told from foreign
// work by its root, enginePID. It is 0 where the engine is on another machine or
// its process is not known; an engine that runs here unseen then counts as
// foreign.
//
// Stop must be called in any case. Watching costs about 1 % of one core, by which
// [exobench.Disturbance.HarnessCPU] is the higher.
func WatchMachine(enginePID int) *Machine {
	m := &Machine{engine: enginePID, runner: readRuntime(), before: readWork(enginePID)}
	m.began = time.Now()
	m.probe = startProbe()
	return m
}

// Stop ends the watch and returns what it saw; At and the names of the cell are
// left for the caller, who knows them.
//
// CPU time is told in ticks of 10 ms, which makes the shares of a cell of less than
// a second rough. What the system does not tell is absent: on macOS there is no
// steal, and the time of engine processes that ended meanwhile counts as
// foreign. Where the engine ended, its share and the foreign one are absent.
func (m *Machine) Stop() exobench.Disturbance {
	gaps := m.probe.stop()
	wall := time.Since(m.began)
	after := readWork(m.engine)
	d := exobench.Disturbance{Wall: wall, HiccupP99: gaps.Quantile(0.99), HiccupMax: gaps.Max()}
	shares(&d, m.before, after, m.engine, os.Getpid())
	d.GCPauseMax, d.SchedulerP99 = readRuntime().since(m.runner)
	return d
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

// shares fills in what was used between two readings, as shares of all cores.
func shares(d *exobench.Disturbance, before, after work, engine, self int) {
	room := d.Wall.Seconds() * float64(after.cores)
	share := func(t time.Duration) *float64 { return new(max(0, t.Seconds()/room)) }
	spent := func(from, to *time.Duration) (time.Duration, bool) {
		if from == nil || to == nil || !(room > 0) {
			return 0, false
		}
		return *to - *from, true
	}
	if steal, ok := spent(before.steal, after.steal); ok {
		d.Steal = share(steal)
	}
	own, knowsOwn := spent(before.own, after.own)
	if knowsOwn {
		d.HarnessCPU = share(own)
	}
	tree, knowsTree := treeTime(before.tree, after.tree, engine)
	if knowsTree && room > 0 {
		d.EngineCPU = share(tree)
	}
	busy, knowsBusy := spent(before.busy, after.busy)
	if !knowsBusy || !knowsOwn || engine != 0 && !knowsTree {
		return
	}
	// We are part of the tree where the engine runs inside this very process.
	if !holds(after.tree, self) {
		busy -= own
	}
	d.Foreign = share(busy - tree)
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
