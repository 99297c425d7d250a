package resource

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"exobench"
)

const mib = exobench.Bytes(1 << 20)

func read(t testing.TB, tree Tree) memory {
	t.Helper()
	m, err := tree.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// grew checks that a size grew by want, give or take 4 MiB of the Go runtime's
// own doings.
func grew(t *testing.T, what string, before, after, want exobench.Bytes) {
	t.Helper()
	if d := after - before - want; d < -4*mib || d > 4*mib {
		t.Errorf("%s grew from %v to %v, by %v; want %v", what, before, after, after-before, want)
	}
}

func TestTreeSeesMemoryThatIsTouched(t *testing.T) {
	for _, resident := range []bool{false, true} {
		engine := newEngine(t)
		tree := Tree{PID: engine.pid, Resident: resident}
		before := read(t, tree)
		engine.order("touch 64")
		after := read(t, tree)

		grew(t, fmt.Sprintf("resident memory (only: %v)", resident), before.rss, after.rss, 64*mib)
		grew(t, "anonymous memory", *before.anonymous, *after.anonymous, 64*mib)
		grew(t, "file-backed memory", *before.file, *after.file, 0)
		if (after.pss == nil) != resident {
			t.Fatalf("resident only: %v, and the proportional size is %v", resident, after.pss)
		}
		if !resident {
			grew(t, "proportional memory", *before.pss, *after.pss, 64*mib)
		}
	}
}

func TestTreeCountsAMappedFileAsFileBacked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights")
	if err := os.WriteFile(path, bytes.Repeat([]byte("weights."), 32<<20/8), 0o600); err != nil {
		t.Fatal(err)
	}
	engine := newEngine(t)
	before := read(t, Tree{PID: engine.pid})
	engine.order("map " + path)
	after := read(t, Tree{PID: engine.pid})

	grew(t, "memory", *before.pss, *after.pss, 32*mib)
	grew(t, "anonymous memory", *before.anonymous, *after.anonymous, 0)
	grew(t, "file-backed memory", *before.file, *after.file, 32*mib)
}

func TestTreeCountsGrandchildren(t *testing.T) {
	engine := newEngine(t)
	alone := read(t, Tree{PID: engine.pid})
	engine.order("fork")
	engine.order("give fork")
	family := read(t, Tree{PID: engine.pid})
	if alone.processes != 1 || family.processes != 3 {
		t.Errorf("processes: %d alone and %d with child and grandchild, want 1 and 3", alone.processes, family.processes)
	}
	engine.order("give give touch 48")
	grew(t, "memory", *family.pss, *read(t, Tree{PID: engine.pid}).pss, 48*mib)
}

func TestTreeSaysWhenItsRootIsGone(t *testing.T) {
	engine := newEngine(t)
	engine.in.Close()
	engine.out.WriteTo(new(bytes.Buffer)) // until it has ended
	check := func(when string) {
		t.Helper()
		if _, err := (Tree{PID: engine.pid}).Read(t.Context()); !errors.Is(err, ErrGone) {
			t.Errorf("%s: error is %v, want ErrGone", when, err)
		}
	}
	for { // its end of the pipe closes a moment before it is a zombie
		if _, state, _ := procRoot("/proc").parent(engine.pid); state == 'Z' {
			break
		}
	}
	check("a zombie")
	engine.command.Wait()
	check("reaped")
}

// fakeProc is a proc file system of ordinary files.
type fakeProc struct {
	t    *testing.T
	root procRoot
}

func newFakeProc(t *testing.T) fakeProc {
	return fakeProc{t, procRoot(t.TempDir())}
}

func (f fakeProc) write(path, text string) {
	f.t.Helper()
	path = filepath.Join(string(f.root), path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f fakeProc) process(pid, parent int, name string) {
	f.write(fmt.Sprintf("%d/stat", pid), fmt.Sprintf("%d (%s) S %d 1 1 0 -1", pid, name, parent))
	f.write(fmt.Sprintf("%d/status", pid), "Name:\tx\nVmRSS:\t  100 kB\nRssAnon:\t 60 kB\nRssFile:\t 30 kB\nRssShmem:\t 10 kB\n")
	f.write(fmt.Sprintf("%d/smaps_rollup", pid), "0-1 ---p [rollup]\nRss: 100 kB\nPss: 50 kB\nPss_Anon: 30 kB\nPss_File: 15 kB\nPss_Shmem: 5 kB\n")
}

func fakeFamily(t *testing.T) fakeProc {
	f := newFakeProc(t)
	f.process(1, 0, "init")
	f.process(100, 1, "engine")
	f.process(101, 100, "runner (gpu 0) S 7")
	f.process(50, 101, "wrapped around")
	f.process(200, 1, "stranger")
	return f
}

func TestTreeIsWalkedByScanOrByLists(t *testing.T) {
	scanned := fakeFamily(t)
	listed := fakeFamily(t)
	listed.write("thread-self/children", "")
	listed.write("100/task/100/children", "")
	listed.write("100/task/107/children", "101 ")
	listed.write("101/task/101/children", "50 999 ")
	for name, proc := range map[string]fakeProc{"scanned": scanned, "listed": listed} {
		m, err := Tree{PID: 100}.readUnder(t.Context(), proc.root, proc.root.resident)
		if err != nil {
			t.Fatal(err)
		}
		// Shared memory counts as anonymous: it cannot be dropped and read again.
		want := exobench.Values{
			{Quantity: exobench.PSS, Value: 150 << 10}, {Quantity: exobench.RSS, Value: 300 << 10},
			{Quantity: exobench.Anonymous, Value: 105 << 10}, {Quantity: exobench.File, Value: 45 << 10},
			{Quantity: exobench.Processes, Value: 3},
		}
		if got := m.values(); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestWhatIsSwappedOutIsCountedBesideTheSizes(t *testing.T) {
	f := newFakeProc(t)
	for _, pid := range []int{100, 101} {
		f.process(pid, map[int]int{100: 1, 101: 100}[pid], "engine")
		f.write(fmt.Sprintf("%d/status", pid), "Name:\tx\nVmHWM:\t  400 kB\nVmRSS:\t  100 kB\nRssAnon:\t 60 kB\nRssFile:\t 30 kB\nRssShmem:\t 10 kB\nVmSwap:\t 70 kB\n")
		f.write(fmt.Sprintf("%d/smaps_rollup", pid), "0-1 ---p [rollup]\nRss: 100 kB\nPss: 50 kB\nPss_Anon: 30 kB\nPss_File: 15 kB\nPss_Shmem: 5 kB\nSwap: 70 kB\nSwapPss: 40 kB\n")
	}
	for resident, swap := range map[bool]float64{true: 140 << 10, false: 80 << 10} {
		m, err := Tree{PID: 100, Resident: resident}.readUnder(t.Context(), f.root, f.root.resident)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := m.values().Get(exobench.Swap)
		peak, _ := m.values().Get(exobench.RSSPeak)
		if got != swap || peak != 800<<10 || m.rss != 200<<10 {
			t.Errorf("resident only: %v: %v swapped out with a high-water mark of %v, in %v", resident, got, peak, m.values())
		}
	}
}

func TestTreeNeverMixesPSSAndRSS(t *testing.T) {
	f := fakeFamily(t)
	if err := os.Remove(filepath.Join(string(f.root), "101/smaps_rollup")); err != nil {
		t.Fatal(err)
	}
	m, err := Tree{PID: 100}.readUnder(t.Context(), f.root, f.root.resident)
	if err != nil {
		t.Fatal(err)
	}
	if m.pss != nil || m.rss != 300<<10 || *m.anonymous != 210<<10 {
		t.Errorf("one rollup is missing: got %v, want 300 KiB resident and its split", m.values())
	}
}

func TestSplitIsAbsentWhereTheKernelDoesNotGiveIt(t *testing.T) {
	f := fakeFamily(t)
	f.write("101/smaps_rollup", "0-1 ---p [rollup]\nRss: 100 kB\nPss: 50 kB\n")
	m, err := Tree{PID: 100}.readUnder(t.Context(), f.root, f.root.resident)
	if err != nil {
		t.Fatal(err)
	}
	if *m.pss != 150<<10 || m.anonymous != nil || m.file != nil {
		t.Errorf("got %v, want 150 KiB without a split", m.values())
	}
}

func TestSizesTakeTheWholeKey(t *testing.T) {
	data := []byte("head\nPss_Dirty: 7 kB\nPss:   386 kB\nThreads:\t3\nBad: 9x kB\nHuge: 99999999999999999999 kB\nLast: 5 kB")
	for key, want := range map[string]exobench.Bytes{"Pss": 386 << 10, "Last": 5 << 10, "Threads": 0, "Nothing": 0, "Bad": 0, "Huge": 0} {
		wanted := []wantedSize{{key: key}}
		if n := sizes(data, wanted); wanted[0].size != want || wanted[0].known != (want > 0) || n != map[bool]int{true: 1}[want > 0] {
			t.Errorf("%s: got %+v, want %d", key, wanted[0], want)
		}
	}
}

func TestScanFindsEveryProcess(t *testing.T) {
	children, err := procRoot("/proc").scan()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(children[os.Getppid()], os.Getpid()) {
		t.Errorf("the test process %d is not among the children of %d: %v", os.Getpid(), os.Getppid(), children[os.Getppid()])
	}
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []int{0, 1024} {
		engine := newEngine(b)
		if size > 0 {
			engine.order(fmt.Sprintf("touch %d", size))
		}
		for _, resident := range []bool{false, true} {
			tree := Tree{PID: engine.pid, Resident: resident}
			b.Run(fmt.Sprintf("%dMiB/resident=%v", size, resident), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					read(b, tree)
				}
			})
		}
	}
}

func BenchmarkScan(b *testing.B) {
	var n int
	for b.Loop() {
		children, _ := procRoot("/proc").scan()
		n = 0
		for _, c := range children {
			n += len(c)
		}
	}
	b.ReportMetric(float64(n), "processes")
}
