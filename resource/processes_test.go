package resource

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

func TestProportionalSizesAreReadDuringRequestsWhereThatIsQuick(t *testing.T) {
	type reading struct {
		moment exobench.Moment
		pid    int
	}
	before, loaded, during := exobench.Before, exobench.Loaded, exobench.During
	for _, row := range []struct {
		why      string
		readings []reading
		// cost is what a full reading of a process takes.
		cost map[int]time.Duration
		// resident says which of the readings are of resident sizes only.
		resident []bool
	}{
		{"quick", []reading{{loaded, 1}, {during, 1}, {during, 1}},
			map[int]time.Duration{1: 5 * time.Millisecond}, []bool{false, false, false}},
		{"dear", []reading{{before, 1}, {loaded, 1}, {during, 1}, {during, 1}},
			map[int]time.Duration{1: 6 * time.Millisecond}, []bool{false, false, true, true}},
		{"never read before: the first reading tells", []reading{{during, 1}, {during, 1}},
			map[int]time.Duration{1: time.Second}, []bool{false, true}},
		{"another process, as of the next model", []reading{{loaded, 1}, {during, 1}, {before, 0}, {loaded, 2}, {during, 2}},
			map[int]time.Duration{1: time.Second, 2: time.Millisecond}, []bool{false, true, false, false}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var pid int
			var resident []bool
			p := NewProcesses(func() (int, error) { return pid, nil })
			p.read = func(_ context.Context, tree Tree) (exobench.Values, error) {
				resident = append(resident, tree.Resident)
				time.Sleep(row.cost[tree.PID])
				return nil, nil
			}
			for _, r := range row.readings {
				pid = r.pid
				if _, err := p.Read(t.Context(), r.moment); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(resident, row.resident) {
				t.Errorf("%s: readings of resident sizes only: %v, want %v", row.why, resident, row.resident)
			}
		})
	}
}

func TestAnEngineThatIsNotStartedTakesNoMemory(t *testing.T) {
	p := NewProcesses(func() (int, error) { return 0, nil })
	samples, err := p.Read(t.Context(), exobench.Before)
	if err != nil || len(samples) != 1 || samples[0].Sensor != "processes" {
		t.Fatalf("%+v, %v", samples, err)
	}
	kind := exobench.RSS
	if runtime.GOOS == "linux" {
		kind = exobench.PSS
	}
	if size, ok := samples[0].Values.Get(kind); !ok || size != 0 {
		t.Errorf("%s is %v (known: %v), want 0", kind, size, ok)
	}
}

func TestProcessesSaysWhyItCannotRead(t *testing.T) {
	gone := errors.New("nobody listens")
	if _, err := NewProcesses(func() (int, error) { return 0, gone }).Read(t.Context(), exobench.Before); !errors.Is(err, gone) {
		t.Errorf("error is %v, want that of the search", err)
	}
	engine := newEngine(t)
	engine.in.Close()
	engine.command.Wait()
	if _, err := NewProcesses(func() (int, error) { return engine.pid, nil }).Read(t.Context(), exobench.During); !errors.Is(err, ErrGone) {
		t.Errorf("error is %v, want ErrGone", err)
	}
}

func TestProcessesSeesARealTreeGrow(t *testing.T) {
	engine := newEngine(t)
	p := NewProcesses(func() (int, error) { return engine.pid, nil })
	rss := func() float64 {
		samples, err := p.Read(t.Context(), exobench.During)
		if err != nil {
			t.Fatal(err)
		}
		size, _ := samples[0].Values.Get(exobench.RSS)
		return size
	}
	before := rss()
	engine.order("touch 32")
	if grown := rss() - before; grown < 28<<20 || grown > 36<<20 {
		t.Errorf("grew by %v, want 32 MiB", exobench.Bytes(grown))
	}
}
