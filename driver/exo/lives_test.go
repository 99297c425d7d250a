package exo

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"exobench"
)

// host is what exo has started on this host: processes with the instants of their
// starts.
type host struct {
	mu   sync.Mutex
	pids map[int]uint64
}

func (h *host) set(pids map[int]uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pids = pids
}

func (h *host) children(context.Context, int) ([]int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []int
	for pid := range h.pids {
		all = append(all, pid)
	}
	slices.Sort(all)
	return all, nil
}

func (h *host) started(_ context.Context, pid int) (uint64, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	since, lives := h.pids[pid]
	return since, lives
}

func TestARunnerThatIsAnotherProcessWasRestarted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems may not tell who listens")
	}
	const tracker, runner, momentary = 7, 8, 9
	for _, row := range []struct {
		why string
		// ready is what there is when the instance is ready, and loaded at the look
		// after, during is while a request is under way, in which no look is taken.
		ready, loaded, during map[int]uint64
		want                  exobench.Outcome
	}{
		{"nothing happens", map[int]uint64{tracker: 1, runner: 2}, nil, nil, exobench.OK},
		{"the runner is started again", map[int]uint64{tracker: 1, runner: 2}, nil, map[int]uint64{tracker: 1, 10: 5}, exobench.Restarted},
		{"with the same number", map[int]uint64{tracker: 1, runner: 2}, nil, map[int]uint64{tracker: 1, runner: 5}, exobench.Restarted},
		{"it is gone", map[int]uint64{tracker: 1, runner: 2}, nil, map[int]uint64{tracker: 1}, exobench.Restarted},
		{"something ran for a moment", map[int]uint64{tracker: 1, runner: 2, momentary: 3}, map[int]uint64{tracker: 1, runner: 2}, map[int]uint64{tracker: 1, runner: 2}, exobench.OK},
		{"something runs for a moment", map[int]uint64{tracker: 1, runner: 2}, nil, map[int]uint64{tracker: 1, runner: 2, momentary: 3}, exobench.OK},
		{"more than the instance can have", map[int]uint64{tracker: 1, runner: 2, 11: 3, 12: 3}, nil, map[int]uint64{tracker: 1, runner: 2, 11: 3}, exobench.OK},
		{"nothing is seen", nil, nil, map[int]uint64{tracker: 1}, exobench.OK},
	} {
		d, h := newDouble(t), &host{}
		config := d.quick()
		config.children, config.started = h.children, h.started
		d.walk = append(d.ready("i-1"), func() { h.set(row.ready) })
		e := d.dial(config)
		deployment, err := e.Prepare(t.Context(), tiny, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		h.set(row.ready)
		e.lookAtProcesses(t.Context())
		if row.loaded != nil {
			h.set(row.loaded)
		}
		d.look(e, exobench.Loaded)
		d.answers["POST /bench/chat/completions"] = func(w http.ResponseWriter) {
			if row.during != nil {
				h.set(row.during)
			}
			answer(w)
		}
		r := d.ask(e, deployment)
		if r.Outcome != row.want || (row.want == exobench.Restarted) != strings.Contains(r.Error, endedText) {
			t.Errorf("%s: outcome %s, error %q", row.why, r.Outcome, r.Error)
		}
		if seen := observed(e); (row.want == exobench.Restarted) != strings.Contains(seen, endedText) {
			t.Errorf("%s: observed %q", row.why, seen)
		}
		if row.want == exobench.OK {
			continue
		}
		// Once what took its place has been seen, requests are as any other.
		h.set(map[int]uint64{tracker: 1, 20: 9})
		for range 3 {
			d.look(e, exobench.During)
		}
		row.during = nil
		if last := d.ask(e, deployment); last.Outcome != exobench.OK {
			t.Errorf("%s: a later one ends %s, %q", row.why, last.Outcome, last.Error)
		}
		if seen := observed(e); seen != "" {
			t.Errorf("%s: told again: %q", row.why, seen)
		}
	}
}

func TestARunnerThatOutlivesItsExoIsTold(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems may not tell who listens")
	}
	for _, row := range []struct {
		why string
		// after is what lives when the instance is gone, and adopted is set where exo
		// still has it.
		after   map[int]uint64
		adopted bool
		want    string
	}{
		{"it ended", map[int]uint64{7: 1}, true, ""},
		{"it lives, and exo is another", map[int]uint64{8: 2}, false, "process 8 of its runners outlived the exo"},
		{"another process has its number", map[int]uint64{8: 9}, false, ""},
	} {
		d, h := newDouble(t), &host{}
		config := d.quick()
		config.children, config.started = h.children, h.started
		d.walk = append(d.ready("i-1"), func() { h.set(map[int]uint64{7: 1, 8: 2}) })
		e := d.dial(config)
		deployment, err := e.Prepare(t.Context(), tiny, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		h.set(map[int]uint64{7: 1, 8: 2})
		for range 2 {
			d.look(e, exobench.Loaded)
		}
		h.set(row.after)
		if !row.adopted {
			e.config.children = func(context.Context, int) ([]int, error) { return nil, nil }
		}
		if err := e.Release(t.Context(), deployment, nil); err != nil {
			t.Errorf("%s: %v", row.why, err)
		}
		if seen := observed(e); !strings.Contains(seen, row.want) || row.want == "" && strings.Contains(seen, "outlived") {
			t.Errorf("%s: observed %q", row.why, seen)
		}
	}
}
