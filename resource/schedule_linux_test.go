package resource

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
)

// childrenOf lists the descendants of a process.
func childrenOf(pid int) ([]int, error) {
	pids, err := procRoot("/proc").tree(pid)
	return pids[1:], err
}

// drop has the kernel forget a file, so that it is charged to who reads it next.
func drop(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err == nil {
		defer file.Close()
		err = unix.Fsync(int(file.Fd()))
	}
	if err == nil {
		err = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rollup sums a key of /proc/PID/smaps_rollup over processes, read by other means
// than the sensor's.
func rollup(t *testing.T, key string, pids ...int) exobench.Bytes {
	t.Helper()
	sum := exobench.Bytes(0)
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, after, ok := strings.Cut(string(text), "\n"+key+":")
		if !ok {
			t.Fatalf("no %s in %s", key, text)
		}
		sum += exobench.Bytes(must(strconv.Atoi(strings.Fields(after)[0]))) << 10
	}
	return sum
}

// within checks that a size is within 1 % of the truth.
func within(t *testing.T, what string, got, want exobench.Bytes) {
	t.Helper()
	if off := math.Abs(float64(got-want)) / float64(want); off > 0.01 {
		t.Errorf("%s: %v where the truth is %v, %.2f %% off", what, got, want, 100*off)
	}
}

// agrees checks a reading against the kernel's own figures of the processes, which
// must be idle.
func agrees(t *testing.T, m memory, root int, others ...int) {
	t.Helper()
	pids := append([]int{root}, others...)
	within(t, "proportional size", *m.pss, rollup(t, "Pss", pids...))
	within(t, "anonymous", *m.anonymous, rollup(t, "Pss_Anon", pids...)+rollup(t, "Pss_Shmem", pids...))
	within(t, "resident size", m.rss, rollup(t, "Rss", pids...))
	within(t, "file-backed", *m.file, rollup(t, "Pss_File", pids...))
}

// observed is a reading with the time in which it was taken.
type observed struct {
	began, ended time.Time
	rss          exobench.Bytes
}

// observe reads the sensor at its own period until the function that it returns is
// called.
func observe(t *testing.T, pid int) (stop func() []observed) {
	sensor := NewProcesses(func() (int, error) { return pid, nil })
	var all []observed
	done := make(chan struct{})
	var under sync.WaitGroup
	under.Go(func() {
		tick := time.NewTicker(sensor.Every())
		defer tick.Stop()
		for {
			began := time.Now()
			samples, err := sensor.Read(t.Context(), exobench.During)
			if err != nil {
				t.Error(err)
				return
			}
			rss, _ := samples[0].Values.Get(exobench.RSS)
			all = append(all, observed{began, time.Now(), exobench.Bytes(rss)})
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() []observed {
		close(done)
		under.Wait()
		return all
	}
}

// stage is one entry of the schedule: an order, and by how much memory grows by it.
type stage struct {
	order string
	grows exobench.Bytes
}

// edge is when a stage's memory was taken or given back, and what was there after.
type edge struct {
	stage
	began, ended time.Time
	level        exobench.Bytes
}

// TestASchedule has a program take memory, map a file, fork, and give back, at
// known times. What is read during each stage is within 1 % of what it took, and no
// reading shows another stage than the one it was taken in: those that began after a
// stage had changed show the new one, those that ended before show the old one. So
// stages are aligned to within the time between two readings.
//
// A child that is new is seen within a second: the stage that forks lasts as long.
func TestASchedule(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights")
	if err := os.WriteFile(path, bytes.Repeat([]byte("weights."), 96<<20/8), 0o600); err != nil {
		t.Fatal(err)
	}
	engine := newEngine(t)
	engine.order("fork")
	engine.order("touch 128")
	follow(t, engine, []stage{
		{"touch 256", 256 * mib},
		{"map " + path, 96 * mib},
		{"give touch 192", 192 * mib},
		{"give free", -192 * mib},
		{"free", -96 * mib},
		{"free", -256 * mib},
	})
}

// follow carries out the stages and checks the readings.
func follow(t *testing.T, engine *engine, stages []stage) {
	t.Helper()
	stop := observe(t, engine.pid)
	time.Sleep(300 * time.Millisecond)
	base := read(t, Tree{PID: engine.pid, Resident: true}).rss
	edges := []edge{{level: base, ended: time.Now()}}
	time.Sleep(200 * time.Millisecond)
	for _, s := range stages {
		began := time.Now()
		engine.order(s.order)
		edges = append(edges, edge{s, began, time.Now(), edges[len(edges)-1].level + s.grows})
		time.Sleep(300 * time.Millisecond)
	}
	readings := stop()
	seen := make([]int, len(edges))
	for _, r := range readings {
		for i, e := range edges {
			if r.began.Before(e.ended) || i+1 < len(edges) && r.ended.After(edges[i+1].began) {
				continue
			}
			seen[i]++
			within(t, fmt.Sprintf("during stage %d (%s)", i, e.order), r.rss, e.level)
		}
	}
	for i, n := range seen {
		if n == 0 {
			t.Errorf("no reading fell into stage %d", i)
		}
	}
	logGaps(t, edges[1:], readings)
}

// logGaps tells how far apart the readings around each edge were.
func logGaps(t *testing.T, edges []edge, readings []observed) {
	t.Helper()
	near := 0
	for _, e := range edges {
		var before, after time.Time
		for _, r := range readings {
			if r.ended.Before(e.began) {
				before = r.began
			} else if after.IsZero() && r.began.After(e.ended) {
				after = r.ended
			}
		}
		late := after.Sub(e.ended)
		if late <= 100*time.Millisecond {
			near++
		}
		t.Logf("%-40.40s seen %v after it was done; the last reading before it was %v earlier", e.order, late.Round(time.Millisecond), e.began.Sub(before).Round(time.Millisecond))
	}
	if near < len(edges)/2 {
		t.Errorf("%d of %d stages were seen within 100 ms", near, len(edges))
	}
}

// What a program takes and gives back between two readings is in the kernel's
// high-water mark, and in that of the control group.
func TestTheKernelSeesWhatFallsBetweenReadings(t *testing.T) {
	engine := newEngine(t)
	engine.order("touch 64")
	before := read(t, Tree{PID: engine.pid})
	engine.order("touch 256")
	engine.order("free")
	after := read(t, Tree{PID: engine.pid})
	if d := after.rss - before.rss; d < -4*mib || d > 4*mib {
		t.Errorf("grew by %v although all was given back", d)
	}
	if before.peak == nil || after.peak == nil {
		t.Fatal("no high-water mark")
	}
	within(t, "high-water mark", *after.peak, before.rss+256*mib)
	if *before.peak > before.rss+8*mib {
		t.Errorf("the mark was %v before, with %v resident", *before.peak, before.rss)
	}
}
