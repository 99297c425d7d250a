package resource

import (
	"os"
	"os/exec"
	"testing"
	"time"
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

func TestABusyProcessIsForeignUnlessItIsTheEngine(t *testing.T) {
	pid := shell(t, "while :; do :; done")
	const work = 300 * time.Millisecond
	cores := float64(readWork(0).cores)

	m := WatchMachine(0)
	until(t, pid, work)
	d := m.Stop()
	if d.Foreign == nil || d.EngineCPU != nil || *d.Foreign*d.Wall.Seconds()*cores < work.Seconds()/2 {
		t.Errorf("foreign share is %v, engine's %v, over %v: a child used %v", deref(d.Foreign), deref(d.EngineCPU), d.Wall, work)
	}
	if d.Steal == nil || d.HarnessCPU == nil || *d.HarnessCPU <= 0 {
		t.Errorf("steal %v, our own %v", deref(d.Steal), deref(d.HarnessCPU))
	}

	m = WatchMachine(pid)
	until(t, pid, work)
	d = m.Stop()
	if d.EngineCPU == nil || *d.EngineCPU*d.Wall.Seconds()*cores < work.Seconds()-tick.Seconds() || d.Foreign == nil {
		t.Errorf("engine's share is %v over %v, foreign %v: it used %v", deref(d.EngineCPU), d.Wall, deref(d.Foreign), work)
	}
}

func TestChildrenThatEndAreTheEngines(t *testing.T) {
	pid := shell(t, `while :; do /bin/sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done`)
	const work = 300 * time.Millisecond
	m := WatchMachine(pid)
	until(t, pid, work)
	d := m.Stop()
	if d.EngineCPU == nil || *d.EngineCPU*d.Wall.Seconds()*float64(readWork(0).cores) < work.Seconds()/2 {
		t.Errorf("engine's share is %v over %v: its children used %v", deref(d.EngineCPU), d.Wall, work)
	}
}

func TestAnEngineThatEndsLeavesItsShareUnknown(t *testing.T) {
	command := exec.Command("/bin/sh", "-c", "read line")
	in := must(command.StdinPipe())
	if err := command.Start(); err != nil {
		t.Skip(err)
	}
	m := WatchMachine(command.Process.Pid)
	in.Close()
	command.Wait()
	if d := m.Stop(); d.EngineCPU != nil || d.Foreign != nil || d.Steal == nil {
		t.Errorf("engine %v, foreign %v, steal %v", deref(d.EngineCPU), deref(d.Foreign), deref(d.Steal))
	}
}
