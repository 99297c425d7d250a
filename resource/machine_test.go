package resource

import (
	"math"
	"runtime"
	"testing"
	"time"

	"exobench"
)

func TestSharesByHand(t *testing.T) {
	const cores, wall = 4, 10 * time.Second // 40 s of CPU time in all
	id := processID{pid: 7, started: 1}
	before := work{cores: cores, busy: new(100 * time.Second), steal: new(2 * time.Second), own: new(time.Second),
		tree: map[processID]processTime{id: {own: 50 * time.Second}}}
	after := work{cores: cores, busy: new(130 * time.Second), steal: new(4 * time.Second), own: new(3 * time.Second),
		tree: map[processID]processTime{id: {own: 70 * time.Second}}}
	const absent = -1
	for _, row := range []struct {
		why                           string
		change                        func(before, after *work)
		engine                        int
		steal, foreign, inTree, inOwn float64
	}{
		// Busy 30 s, of which the engine 20 s and we 2 s.
		{"everything known", func(_, _ *work) {}, 7, 2.0 / 40, 8.0 / 40, 20.0 / 40, 2.0 / 40},
		{"no engine: all but our own is foreign", func(b, a *work) { b.tree, a.tree = nil, nil }, 0, 2.0 / 40, 28.0 / 40, absent, 2.0 / 40},
		{"the engine ended", func(_, a *work) { a.tree = nil }, 7, 2.0 / 40, absent, absent, 2.0 / 40},
		{"its number went to another process", func(_, a *work) {
			a.tree = map[processID]processTime{{pid: 7, started: 2}: {own: time.Second}}
		}, 7, 2.0 / 40, absent, absent, 2.0 / 40},
		{"ticks that lag behind do not make it negative", func(_, a *work) { a.busy = new(121 * time.Second) }, 7, 2.0 / 40, 0, 20.0 / 40, 2.0 / 40},
		{"no steal, as on macOS", func(b, a *work) { b.steal, a.steal = nil, nil }, 7, absent, 8.0 / 40, 20.0 / 40, 2.0 / 40},
		{"we are the engine: our time is in the tree's", func(b, a *work) {
			b.tree = map[processID]processTime{id: {}, {pid: 99}: {}}
			a.tree = map[processID]processTime{id: {}, {pid: 99}: {own: 2 * time.Second}}
		}, 7, 2.0 / 40, 28.0 / 40, 2.0 / 40, 2.0 / 40},
		{"nothing can be read", func(b, a *work) { *b, *a = work{}, work{} }, 0, absent, absent, absent, absent},
	} {
		b, a := before, after
		row.change(&b, &a)
		values := shares(wall, b, a, row.engine, 99)
		for quantity, want := range map[exobench.Quantity]float64{
			exobench.Steal: row.steal, exobench.Foreign: row.foreign, exobench.EngineCPU: row.inTree, exobench.HarnessCPU: row.inOwn,
		} {
			if got, ok := values.Get(quantity); ok != (want != absent) || ok && math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: %s is %v (known: %v), want %v", row.why, quantity, got, ok, want)
			}
		}
	}
}

func TestMachineTellsOfTheSpanSinceItWasReadBefore(t *testing.T) {
	m := NewMachine(func() int { return 0 })
	defer m.Close()
	first, err := m.Read(t.Context(), exobench.During)
	if err != nil || len(first) != 0 {
		t.Fatalf("the first reading is %v, %v", first, err)
	}
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	second, _ := m.Read(t.Context(), exobench.During)
	if len(second) != 1 || second[0].Sensor != "machine" || second[0].Span < 50*time.Millisecond {
		t.Fatalf("the second reading is %+v", second)
	}
	values := second[0].Values
	get := func(q exobench.Quantity) float64 {
		v, ok := values.Get(q)
		if !ok || v <= 0 {
			t.Errorf("%s is %v (known: %v)", q, v, ok)
		}
		return v
	}
	get(exobench.GCPauseMax)
	get(exobench.SchedulerP99)
	wanted := []exobench.Quantity{exobench.RunDelayShare, exobench.RunDelayMax}
	if len(ownThreads()) == 0 {
		wanted = []exobench.Quantity{exobench.HiccupP99, exobench.HiccupMax}
	}
	for _, q := range wanted {
		if v, ok := values.Get(q); !ok || v < 0 {
			t.Errorf("%s is %v (known: %v)", q, v, ok)
		}
	}
	if third, _ := m.Read(t.Context(), exobench.During); len(third) != 1 {
		t.Errorf("the third reading is %+v", third)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if fresh, _ := m.Read(t.Context(), exobench.During); len(fresh) != 0 {
		t.Errorf("after Close the next reading is %+v, want none as at the first", fresh)
	}
}

func TestTreeTimeFollowsProcessesThatComeAndGo(t *testing.T) {
	type tree = map[processID]processTime
	const s = time.Second
	root, child := processID{1, 10}, processID{2, 20}
	for _, row := range []struct {
		why           string
		before, after tree
		want          time.Duration
	}{
		{"a child that stays", tree{root: {5 * s, 0}, child: {7 * s, 0}}, tree{root: {6 * s, 0}, child: {9 * s, 0}}, 3 * s},
		{"a child that comes", tree{root: {5 * s, 0}}, tree{root: {6 * s, 0}, child: {9 * s, 0}}, 10 * s},
		{"a child that comes and goes", tree{root: {5 * s, 2 * s}}, tree{root: {6 * s, 5 * s}}, 4 * s},
		// The child used 2 s more until it ended; all of its 9 s are then its parent's.
		{"a child that goes", tree{root: {5 * s, 0}, child: {7 * s, 0}}, tree{root: {6 * s, 9 * s}}, 3 * s},
		{"a child that nobody waited for", tree{root: {5 * s, 0}, child: {7 * s, 0}}, tree{root: {6 * s, 0}}, s},
	} {
		if got, ok := treeTime(row.before, row.after, 1); !ok || got != row.want {
			t.Errorf("%s: %v, %v, want %v", row.why, got, ok, row.want)
		}
	}
}
