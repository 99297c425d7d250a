package resource

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"exobench"
)

// openStatuses counts the status files of processes that this one has open.
func openStatuses(t *testing.T, pids ...int) int {
	t.Helper()
	n := 0
	for _, file := range must(os.ReadDir("/proc/self/fd")) {
		to, err := os.Readlink("/proc/self/fd/" + file.Name())
		for _, pid := range pids {
			if err == nil && to == fmt.Sprintf("/proc/%d/status", pid) {
				n++
			}
		}
	}
	return n
}

// What is kept open says what a new file says, and no more than what lives is kept.
func TestStatusesThatAreKeptOpenSayWhatIsNow(t *testing.T) {
	engine := newEngine(t)
	child := must(strconv.Atoi(engine.order("fork")))
	c := newCensus()
	tree := Tree{PID: engine.pid, Resident: true, members: []int{engine.pid, child}}
	rss := func() float64 {
		t.Helper()
		got, _ := must(c.read(t.Context(), tree)).Get(exobench.RSS)
		anew, _ := must(tree.Read(t.Context())).Get(exobench.RSS)
		if off := got - anew; off < -1<<20 || off > 1<<20 {
			t.Errorf("%v of kept files, %v of new ones", got, anew)
		}
		return got
	}
	before := rss()
	engine.order("touch 64")
	engine.order("give touch 32")
	if grown := rss() - before; grown < 92<<20 || grown > 104<<20 {
		t.Errorf("grown by %v, want 96 MiB", exobench.Bytes(grown))
	}
	if n := openStatuses(t, engine.pid, child); n != 2 {
		t.Errorf("%d files are open, of 2 processes", n)
	}
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range 100 { // what was killed ends a moment later
		if v, _ := must(c.read(t.Context(), tree)).Get(exobench.Processes); v == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	values := must(c.read(t.Context(), tree))
	if v, _ := values.Get(exobench.Processes); v != 1 {
		t.Errorf("%v once the child has ended", values)
	}
	if n := openStatuses(t, engine.pid, child); n > 2 {
		t.Errorf("%d files are open, of 1 process and a zombie", n)
	}
	if must(c.read(t.Context(), Tree{PID: engine.pid})) == nil || openStatuses(t, engine.pid, child) != 0 {
		t.Errorf("%d files are open after a reading that keeps none", openStatuses(t, engine.pid, child))
	}
	if _, err := c.read(t.Context(), Tree{PID: child, Resident: true, members: []int{child}}); !errors.Is(err, ErrGone) {
		t.Errorf("error %v of a process that is gone", err)
	}
}

// Of a tree of more processes than files are kept, all are counted.
func TestMoreProcessesThanFilesAreKept(t *testing.T) {
	f := newFakeProc(t)
	var pids []int
	for i := range mostStatuses + 20 {
		pid := 100 + i
		pids = append(pids, pid)
		f.process(pid, 100, "engine")
		f.write(fmt.Sprintf("%d/statm", pid), "100 25 0 1 0 1 0\n")
		f.write(fmt.Sprintf("%d/status", pid), "Name:\tx\nVmRSS:\t  100 kB\n")
	}
	c := census{proc: f.root, statuses: statuses{proc: f.root}}
	for range 3 {
		values := must(c.read(t.Context(), Tree{PID: 100, Resident: true, members: pids}))
		if rss, _ := values.Get(exobench.RSS); rss != float64(len(pids)*100<<10) {
			t.Errorf("%v of %d processes with 100 KiB", values, len(pids))
		}
	}
	if n := len(c.statuses.kept); n != mostStatuses {
		t.Errorf("%d are kept, of at most %d", n, mostStatuses)
	}
	c.statuses.keep(nil)
}

// The GPU's sensor lists the processes while the memory's does.
func TestProcessesAreListedWhileTheyAreRead(t *testing.T) {
	engine := newEngine(t)
	engine.order("fork")
	p := NewProcesses(func() (int, error) { return engine.pid, nil })
	var under sync.WaitGroup
	for range 2 {
		under.Go(func() {
			for range 100 {
				if members, err := p.Members(t.Context()); err != nil || len(members) != 2 {
					t.Errorf("%v, %v; want two", members, err)
				}
			}
		})
	}
	for range 100 {
		p.listed = time.Time{}
		must(p.Read(t.Context(), exobench.During))
	}
	under.Wait()
	must(p.Read(t.Context(), exobench.After))
}

// BenchmarkStatus is the reading of one process's memory while requests are under
// way.
func BenchmarkStatus(b *testing.B) {
	engine := newEngine(b)
	kept := statuses{proc: "/proc"}
	defer kept.keep(nil)
	for name, resident := range map[string]func(int) (usage, error){"opened anew": procRoot("/proc").resident, "kept open": kept.resident} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(resident(engine.pid))
			}
		})
	}
}

// What statm leaves out is read again once in a while: what is swapped out, and the
// high-water mark.
func TestAStatusIsReadAgainThoughTheSizesAreTheSame(t *testing.T) {
	f := newFakeProc(t)
	f.process(100, 1, "engine")
	f.write("100/statm", "100 25 0 1 0 1 0\n")
	s := statuses{proc: f.root}
	defer s.keep(nil)
	for _, row := range []struct {
		text string
		long bool // it was read long ago
		want exobench.Bytes
	}{{"100", true, 100}, {"200", false, 100}, {"200", true, 200}} {
		f.write("100/status", "Name:\tx\nVmHWM:\t  "+row.text+" kB\nVmRSS:\t  100 kB\n")
		if k := s.kept[100]; k != nil && row.long {
			k.read = time.Now().Add(-listEvery)
		}
		if u := must(s.resident(100)); u.peak != row.want<<10 {
			t.Errorf("status says %s kB (read long ago: %v): %v, want %v", row.text, row.long, u.peak, row.want<<10)
		}
	}
}
