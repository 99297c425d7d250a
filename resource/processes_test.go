package resource

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

func TestDuringRequestsOnlyResidentSizesAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pid, children := 1, []int{2}
		p := NewProcesses(func() (int, error) { return pid, nil })
		lists := 0
		p.list = func(_ context.Context, tree Tree) ([]int, error) {
			lists++
			return append([]int{tree.PID}, children...), nil
		}
		var last Tree
		p.read = func(_ context.Context, tree Tree) (exobench.Values, error) {
			last = tree
			return nil, nil
		}
		for i, row := range []struct {
			why    string
			moment exobench.Moment
			pid    int
			wait   time.Duration
			// lists is how often the tree was listed by then.
			lists int
			want  Tree
		}{
			{"before the load", exobench.Before, 1, 0, 0, Tree{PID: 1}},
			{"loaded", exobench.Loaded, 1, 0, 0, Tree{PID: 1}},
			{"the first reading during requests", exobench.During, 1, 0, 1, Tree{PID: 1, Resident: true, members: []int{1, 2}}},
			{"soon after", exobench.During, 1, 950 * time.Millisecond, 1, Tree{PID: 1, Resident: true, members: []int{1, 2}}},
			{"a second later: a child that is new is seen", exobench.During, 1, 50 * time.Millisecond, 2, Tree{PID: 1, Resident: true, members: []int{1, 2, 3}}},
			{"after the block", exobench.After, 1, 0, 2, Tree{PID: 1}},
			{"another process, as after a restart", exobench.During, 7, 0, 3, Tree{PID: 7, Resident: true, members: []int{7, 2, 3}}},
		} {
			time.Sleep(row.wait)
			if i == 3 {
				children = []int{2, 3}
			}
			pid = row.pid
			if _, err := p.Read(t.Context(), row.moment); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(last, row.want) || lists != row.lists {
				t.Errorf("%s: reads %+v after %d listings, want %+v after %d", row.why, last, lists, row.want, row.lists)
			}
		}
	})
}

func TestAnEngineThatIsNotStartedTakesNoMemory(t *testing.T) {
	p := NewProcesses(func() (int, error) { return 0, nil })
	samples, err := p.Read(t.Context(), exobench.Before)
	if err != nil || len(samples) != 1 || samples[0].Sensor != "processes" {
		t.Fatalf("%+v, %v", samples, err)
	}
	kind := exobench.RSS
	switch runtime.GOOS {
	case "linux":
		kind = exobench.PSS
	case "darwin":
		kind = exobench.Footprint
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
	p := NewProcesses(func() (int, error) { return engine.pid, nil })
	if _, err := p.Read(t.Context(), exobench.During); err != nil {
		t.Error(err)
	}
	engine.in.Close()
	engine.command.Wait()
	if _, err := p.Read(t.Context(), exobench.During); !errors.Is(err, ErrGone) {
		t.Errorf("of a tree that was listed while it lived: %v, want ErrGone", err)
	}
	if _, err := NewProcesses(func() (int, error) { return engine.pid, nil }).Read(t.Context(), exobench.During); !errors.Is(err, ErrGone) {
		t.Errorf("error is %v, want ErrGone", err)
	}
}

// The engine is asked for once a second while requests are under way, and at once
// where it has ended.
func TestAnEngineThatIsStartedAnewIsReadAtOnce(t *testing.T) {
	old, anew := newEngine(t), newEngine(t)
	pid, asked := old.pid, 0
	p := NewProcesses(func() (int, error) { asked++; return pid, nil })
	read := func() int {
		t.Helper()
		samples, err := p.Read(t.Context(), exobench.During)
		if err != nil {
			t.Fatal(err)
		}
		of, _ := samples[0].Values.Get(exobench.Process)
		return int(of)
	}
	for range 3 {
		if of := read(); of != old.pid {
			t.Errorf("reads %d, want %d", of, old.pid)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times for the engine", asked)
	}
	pid = anew.pid
	old.in.Close()
	old.command.Wait()
	if of := read(); of != anew.pid {
		t.Errorf("reads %d, want %d, since %d has ended", of, anew.pid, old.pid)
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
