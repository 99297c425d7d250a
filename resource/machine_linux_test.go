package resource

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"exobench"
)

func TestMachineTimeOfAFixture(t *testing.T) {
	data := must(os.ReadFile("testdata/stat"))
	busy, steal, cores, ok := machineTime(data)
	// 261359 + 48713 + 53830 + 11 + 1211 ticks; guests, idle and iowait do not count.
	if want := 365124 * tick; !ok || busy != want || steal != 657*tick || cores != 2 {
		t.Errorf("busy %v, steal %v, %d cores, %v; want %v, %v, 2", busy, steal, cores, ok, want, 657*tick)
	}
	for _, bad := range []string{"", "cpu", "cpu 1 2 3\ncpu0 1 2 3\n", "cpu 1 2 3 4 5 6 7 8\n"} {
		if _, _, _, ok := machineTime([]byte(bad + "\n")); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestParseProcessOfAFixture(t *testing.T) {
	data := must(os.ReadFile("testdata/process_stat"))
	started, time, err := parseProcess(data)
	if want := (processTime{own: 281 * tick, waited: 4177 * tick}); err != nil || started != 987654 || time != want {
		t.Errorf("started %d, %v, %v; want 987654, %v", started, time, err, want)
	}
	for _, bad := range []string{"", "1 (x) S 1 2", "1 (x) S 1 2 3 4 5 6 7 8 9 10 a b c d 1 2 3 4 5 6"} {
		if _, _, err := parseProcess([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// shell starts a shell that works until the test ends.
func shell(t *testing.T, script string) int {
	t.Helper()
	command := exec.Command("/bin/sh", "-c", script)
	if err := command.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	return command.Process.Pid
}

// used is the CPU time of a process and of the children that it waited for.
func used(pid int) time.Duration {
	for id, t := range procRoot("/proc").treeTimes(pid) {
		if id.pid == pid {
			return t.own + t.waited
		}
	}
	return 0
}

// until waits until a process used some more CPU time.
func until(t *testing.T, pid int, more time.Duration) {
	t.Helper()
	for start, deadline := used(pid), time.Now().Add(30*time.Second); used(pid)-start < more; {
		if time.Now().After(deadline) {
			t.Fatal("the child does not work")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// bracket reads what was used before and after a watch, and just inside of it.
// They are the same counters, so what the watch says lies between the two
// whatever else the machine does.
type bracket struct{ from, began, ends, until work }

// watched watches the machine while a process uses that much CPU time. engine is
// the watch's; spent are the seconds of CPU time that the watch says in all, for a
// share of it.
func watched(t *testing.T, pid, engine int, work time.Duration) (seen exobench.Values, b bracket, spent func(share exobench.Quantity) float64) {
	t.Helper()
	b.from = readWork(pid)
	w := startWatch(engine)
	b.began = readWork(pid)
	until(t, pid, work)
	b.ends = readWork(pid)
	wall, seen := w.stop()
	b.until = readWork(pid)
	return seen, b, func(share exobench.Quantity) float64 {
		value, ok := seen.Get(share)
		if !ok {
			t.Fatalf("%s is not known: %v", share, seen)
		}
		return value * wall.Seconds() * float64(b.from.cores)
	}
}

// rounding is that of a share, in seconds.
const rounding = 1e-6

// between fails where a figure is not what was used inside of the watch at
// least, and around it at most.
func between(t *testing.T, what string, got float64, inner, outer time.Duration) {
	t.Helper()
	if inner <= 0 || got < inner.Seconds()-rounding || got > outer.Seconds()+rounding {
		t.Errorf("%s: %v s, want %v to %v", what, got, inner, outer)
	}
}

func TestABusyProcessIsForeignUnlessItIsTheEngine(t *testing.T) {
	pid := shell(t, "while :; do :; done")
	const work = 100 * time.Millisecond

	seen, b, spent := watched(t, pid, 0, work)
	if known(seen, exobench.EngineCPU) || !known(seen, exobench.Steal) {
		t.Errorf("no engine is watched: %v", seen)
	}
	between(t, "our own", spent(exobench.HarnessCPU), *b.ends.own-*b.began.own, *b.until.own-*b.from.own)
	between(t, "foreign", spent(exobench.Foreign),
		*b.ends.busy-*b.began.busy-(*b.until.own-*b.from.own), *b.until.busy-*b.from.busy-(*b.ends.own-*b.began.own))

	_, b, spent = watched(t, pid, pid, work)
	inner, _ := treeTime(b.began.tree, b.ends.tree, pid)
	outer, _ := treeTime(b.from.tree, b.until.tree, pid)
	between(t, "the engine", spent(exobench.EngineCPU), inner, outer)
	if foreign, most := spent(exobench.Foreign), *b.until.busy-*b.from.busy-inner; foreign > max(0, most).Seconds()+rounding {
		t.Errorf("foreign: %v s, want at most the %v without the engine's", foreign, most)
	}
}

func TestChildrenThatEndAreTheEngines(t *testing.T) {
	pid := shell(t, `while :; do /bin/sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done`)
	const work = 300 * time.Millisecond // of some ten children
	_, _, spent := watched(t, pid, pid, work)
	// A child that ends while the tree is read may be missed: one of ten.
	if got := spent(exobench.EngineCPU); got < work.Seconds()/2 {
		t.Errorf("the engine: %v s, of which children that ended alone %v", got, work)
	}
}

func TestAnEngineThatEndsLeavesItsShareUnknown(t *testing.T) {
	command := exec.Command("/bin/sh", "-c", "read line")
	in := must(command.StdinPipe())
	if err := command.Start(); err != nil {
		t.Skip(err)
	}
	w := startWatch(command.Process.Pid)
	in.Close()
	command.Wait()
	if _, seen := w.stop(); known(seen, exobench.EngineCPU) || known(seen, exobench.Foreign) || !known(seen, exobench.Steal) {
		t.Errorf("the engine ended: %v", seen)
	}
}

func known(v exobench.Values, q exobench.Quantity) bool {
	_, ok := v.Get(q)
	return ok
}
