package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

// bench is a target, a memory and a recorder that log what is asked of them.
// Requests take a second of virtual time.
type bench struct {
	clock exobench.Clock

	mu       sync.Mutex
	log      []string
	entries  []exobench.Entry
	requests []exobench.Request

	// prepare, where set, is what Prepare of the model returns.
	prepare map[string]error
	// found makes Prepare find the model loaded already.
	found bool
	// offered and unplaced are what Placements returns.
	offered  []string
	unplaced error
	// outcome, where set, decides how a request ends.
	outcome func(exobench.Request) exobench.Outcome
	// interrupt, where set, is when the run is interrupted.
	interrupt time.Duration
	// full makes the recorder fail after so many entries.
	full int
	// reads counts readings; memory falls while it settles.
	reads int
}

func (b *bench) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, fmt.Sprintf(format, args...))
}

func (b *bench) Prepare(ctx context.Context, m exobench.Model, report func(exobench.LoadEvent)) (exobench.Deployment, error) {
	b.note("prepare %s", strings.TrimSpace(m.Name+" "+m.Placement))
	if err := b.prepare[m.Name]; err != nil {
		return exobench.Deployment{}, err
	}
	report(exobench.LoadEvent{Stage: exobench.StageReady})
	return exobench.Deployment{Model: m, Placement: "here", Created: !b.found}, ctx.Err()
}

func (b *bench) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	b.note("%s %s", r.Phase, d.Model.Name)
	b.mu.Lock()
	b.requests = append(b.requests, r)
	b.mu.Unlock()
	record := exobench.Record{Sent: b.clock.Now(), Outcome: exobench.OK}
	if b.outcome != nil {
		record.Outcome = b.outcome(r)
	}
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		record.Outcome = exobench.Canceled
	}
	return record
}

func (b *bench) Release(ctx context.Context, d exobench.Deployment, report func(exobench.LoadEvent)) error {
	b.note("release %s", d.Model.Name)
	if ctx.Err() != nil {
		return errors.New("released with a context that is done")
	}
	report(exobench.LoadEvent{Stage: exobench.StageReleased})
	return nil
}

func (b *bench) Read(context.Context) (exobench.Reading, error) {
	b.reads++
	settling := max(0, 3-b.reads)
	return exobench.Reading{Memory: exobench.Bytes(100<<20 + settling<<25)}, nil
}

func (b *bench) Sample(_ context.Context, sink func(exobench.Reading)) (stop func() error) {
	b.note("sample")
	sink(exobench.Reading{Memory: 200 << 20})
	return func() error { b.note("stop sampling"); return nil }
}

func (b *bench) ReadNodes(context.Context) ([]exobench.NodeReading, error) {
	return []exobench.NodeReading{{Node: "n1"}, {Node: "n2"}}, nil
}

func (b *bench) Placements(context.Context, exobench.Model) ([]string, error) {
	return b.offered, b.unplaced
}

func (b *bench) Append(e exobench.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full > 0 && len(b.entries) >= b.full {
		return errors.New("disk full")
	}
	b.entries = append(b.entries, e)
	return nil
}

func plan(models ...string) exobench.Plan {
	return exobench.Plan{
		Models: models, MaxTokens: 8, Repeat: 2, Warmup: 1, Concurrency: []int{1}, Cache: "cold",
		Prompts: []exobench.Prompt{{ID: "p1", Text: "one"}, {ID: "p2", Text: "two"}, {ID: "p3", Text: "three"}},
	}
}

// execute runs a plan in a bubble of virtual time.
func execute(t *testing.T, b *bench, p exobench.Plan, change func(*Config), check func(reason exobench.EndReason, err error)) {
	synctest.Test(t, func(t *testing.T) {
		b.clock = exobench.NewClock()
		engine := exobench.Engine{Name: "e"}
		for _, name := range p.Models {
			engine.Models = append(engine.Models, exobench.Model{Name: name, ID: "org/" + name})
		}
		c := Config{Plan: p, Benches: []Bench{{Engine: engine, Target: b, Memory: b, Nodes: b}}, Recorder: b, Clock: b.clock}
		ctx := t.Context()
		if change != nil {
			change(&c)
		}
		if b.interrupt > 0 {
			short, cancel := context.WithTimeout(ctx, b.interrupt)
			defer cancel()
			ctx = short
		}
		check(Execute(ctx, c))
	})
}

func entriesOf[E exobench.Entry](b *bench) []E {
	var out []E
	for _, e := range b.entries {
		if e, ok := e.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

func TestStepsComeInOrder(t *testing.T) {
	b := &bench{}
	p := plan("a", "b")
	p.Repeat = 1
	execute(t, b, p, nil, func(reason exobench.EndReason, err error) {
		var want []string
		for _, m := range p.Models {
			want = append(want, "prepare "+m, "sample", "warmup "+m, "measured "+m, "measured "+m, "measured "+m, "stop sampling", "release "+m)
		}
		if reason != exobench.EndFinished || err != nil || !slices.Equal(b.log, want) {
			t.Errorf("reason %s, err %v, steps\n%s\nwant\n%s", reason, err, strings.Join(b.log, "\n"), strings.Join(want, "\n"))
		}
		if last, ok := b.entries[len(b.entries)-1].(*exobench.End); !ok || last.Reason != exobench.EndFinished {
			t.Errorf("last entry %#v, want the end", b.entries[len(b.entries)-1])
		}
	})
}

func TestAModelThatDoesNotLoadIsRecordedAndTheNextOneRuns(t *testing.T) {
	b := &bench{prepare: map[string]error{"a": errors.New("download failed")}}
	execute(t, b, plan("a", "b"), nil, func(reason exobench.EndReason, err error) {
		failed := entriesOf[*exobench.LoadEvent](b)[0]
		if failed.Stage != exobench.StageFailed || failed.Model != "a" || failed.ModelID != "org/a" || failed.Error != "download failed" {
			t.Errorf("first load event %+v", failed)
		}
		if n := len(entriesOf[*exobench.Record](b)); n != 7 || reason != exobench.EndFinished || err != nil {
			t.Errorf("%d records, reason %s, err %v; want 7 of b", n, reason, err)
		}
	})
}

func TestAnInterruptReleasesTheModelAndWritesTheEnd(t *testing.T) {
	b := &bench{interrupt: 3500 * time.Millisecond}
	execute(t, b, plan("a", "b"), nil, func(reason exobench.EndReason, err error) {
		records := entriesOf[*exobench.Record](b)
		last := records[len(records)-1]
		end := b.entries[len(b.entries)-1].(*exobench.End)
		if reason != exobench.EndInterrupted || err != nil || end.Reason != exobench.EndInterrupted || last.Outcome != exobench.Canceled {
			t.Errorf("reason %s, err %v, end %+v, last request %s", reason, err, end, last.Outcome)
		}
		if !slices.Contains(b.log, "release a") || slices.Contains(b.log, "prepare b") {
			t.Errorf("steps %v, want a released and b not begun", b.log)
		}
	})
}

func TestEveryRepeatHasEveryPromptInAnOrderThatTheSeedGives(t *testing.T) {
	orders := func(seed uint64) (ids []string) {
		b := &bench{}
		p := plan("a")
		p.Repeat, p.Warmup, p.Seeds.Order = 8, 0, seed
		execute(t, b, p, nil, func(exobench.EndReason, error) {
			for repeat := 1; repeat <= p.Repeat; repeat++ {
				var seen []string
				for _, r := range b.requests {
					if r.Repeat == repeat {
						seen = append(seen, r.Prompt.ID)
					}
				}
				ids = append(ids, strings.Join(seen, " "))
				slices.Sort(seen)
				if strings.Join(seen, " ") != "p1 p2 p3" {
					t.Errorf("repeat %d has prompts %v", repeat, seen)
				}
			}
		})
		return ids
	}
	if a, b := orders(1), orders(1); !slices.Equal(a, b) {
		t.Errorf("one seed, two orders: %v and %v", a, b)
	}
	if a, b := orders(1), orders(2); slices.Equal(a, b) {
		t.Errorf("two seeds, one order: %v", a)
	}
}

func TestRequestsTakesThePlaceOfRepeat(t *testing.T) {
	b := &bench{}
	p := plan("a")
	p.Requests, p.Warmup = 7, 0
	execute(t, b, p, nil, func(exobench.EndReason, error) {
		if len(b.requests) != 7 || b.requests[6].Repeat != 3 {
			t.Errorf("%d requests, the last of repeat %d; want 7 and 3", len(b.requests), b.requests[len(b.requests)-1].Repeat)
		}
	})
}

func TestColdPromptsDifferFromTheirFirstCharacterUnlessTheEngineHasASwitch(t *testing.T) {
	for _, c := range []struct {
		name        string
		cacheSwitch bool
		cache       string
		unique      bool
	}{
		{"no switch, cold", false, "cold", true},
		{"a switch, cold", true, "cold", false},
		{"no switch, warm", false, "warm", false},
	} {
		b := &bench{}
		p := plan("a")
		p.Cache = c.cache
		execute(t, b, p, func(cfg *Config) { cfg.Benches[0].Engine.CacheSwitch = c.cacheSwitch }, func(exobench.EndReason, error) {
			texts := map[string]bool{}
			for _, r := range b.requests {
				texts[r.Prompt.Text] = true
			}
			if unique := len(texts) == len(b.requests); unique != c.unique {
				t.Errorf("%s: %d texts in %d requests", c.name, len(texts), len(b.requests))
			}
		})
	}
}

func TestAnEngineThatStoppedAnsweringIsNotAskedForEver(t *testing.T) {
	b := &bench{outcome: func(exobench.Request) exobench.Outcome { return exobench.IdleTimeout }}
	execute(t, b, plan("a"), nil, func(exobench.EndReason, error) {
		var dropped int
		records := entriesOf[*exobench.Record](b)
		for _, r := range records {
			if r.Outcome == exobench.Dropped {
				dropped++
			}
		}
		if len(b.requests) != breakAfter || len(records) != 7 || dropped != 7-breakAfter {
			t.Errorf("%d requests sent, %d records, %d dropped", len(b.requests), len(records), dropped)
		}
		if len(entriesOf[*exobench.Note](b)) != 1 {
			t.Errorf("notes %v, want one that says so", entriesOf[*exobench.Note](b))
		}
	})
}

func TestMemoryIsReadWhenItHoldsStill(t *testing.T) {
	b := &bench{}
	execute(t, b, plan("a"), nil, func(exobench.EndReason, error) {
		readings := entriesOf[*exobench.Reading](b)
		if len(readings) != 3 || readings[0].Moment != exobench.MomentBefore || readings[1].Moment != exobench.MomentLoaded || readings[2].Moment != exobench.MomentDuring {
			t.Fatalf("readings %+v", readings)
		}
		if readings[0].Memory != 100<<20 {
			t.Errorf("before the load %v, want the settled 100 MiB", readings[0].Memory)
		}
	})
}

func TestARecorderThatFailsEndsTheRun(t *testing.T) {
	b := &bench{full: 5}
	execute(t, b, plan("a", "b"), nil, func(reason exobench.EndReason, err error) {
		if reason != exobench.EndFailed || err == nil || err.Error() != "disk full" {
			t.Errorf("reason %s, err %v", reason, err)
		}
		if slices.Contains(b.log, "prepare b") || !slices.Contains(b.log, "release a") {
			t.Errorf("steps %v, want a released and b not begun", b.log)
		}
	})
}

func TestEnginesAreMeasuredOneAfterTheOther(t *testing.T) {
	b := &bench{}
	p := plan("a")
	p.Repeat, p.Warmup = 1, 0
	execute(t, b, p, func(c *Config) {
		second := c.Benches[0]
		second.Engine.Name = "f"
		c.Benches = append(c.Benches, second)
	}, func(reason exobench.EndReason, err error) {
		var engines []string
		for _, r := range entriesOf[*exobench.Record](b) {
			engines = append(engines, r.Engine)
		}
		if want := []string{"e", "e", "e", "f", "f", "f"}; !slices.Equal(engines, want) || reason != exobench.EndFinished || err != nil {
			t.Errorf("engines %v, reason %s, err %v", engines, reason, err)
		}
		for _, e := range entriesOf[*exobench.LoadEvent](b) {
			if e.Engine == "" {
				t.Errorf("a load event of no engine: %+v", e)
			}
		}
	})
}

func TestAllPlacementsAreStepsOfTheirOwn(t *testing.T) {
	b := &bench{offered: []string{"one node", "two nodes"}}
	p := plan("a")
	p.AllPlacements, p.Repeat, p.Warmup = true, 1, 0
	var last exobench.Progress
	execute(t, b, p, func(c *Config) { c.Watch = func(p exobench.Progress) { last = p } }, func(exobench.EndReason, error) {
		var prepared []string
		for _, line := range b.log {
			if strings.HasPrefix(line, "prepare") {
				prepared = append(prepared, line)
			}
		}
		if want := []string{"prepare a one node", "prepare a two nodes"}; !slices.Equal(prepared, want) {
			t.Errorf("%v, want %v", prepared, want)
		}
		if last.Steps != 2 || last.Done != 6 || last.Total != 6 {
			t.Errorf("step %d of %d, %d of %d requests", last.Step, last.Steps, last.Done, last.Total)
		}
	})
}

func TestAModelThatCanBePutNowhereIsAFailure(t *testing.T) {
	b := &bench{unplaced: errors.New("no room")}
	p := plan("a", "b")
	p.AllPlacements = true
	execute(t, b, p, nil, func(reason exobench.EndReason, err error) {
		loads := entriesOf[*exobench.LoadEvent](b)
		if len(loads) != 2 || loads[0].Error != "no room" || loads[1].Model != "b" || reason != exobench.EndFinished {
			t.Errorf("reason %s, load events %+v", reason, loads)
		}
	})
}

func TestNodesAreReadBeforeAfterAndDuring(t *testing.T) {
	b := &bench{}
	p := plan("a")
	p.Repeat, p.Warmup = 1, 0 // three requests of a second each
	execute(t, b, p, nil, func(exobench.EndReason, error) {
		moments := map[exobench.Moment]int{}
		for _, r := range entriesOf[*exobench.NodeReading](b) {
			moments[r.Moment]++
			if r.Engine != "e" || r.Model != "a" || !r.At.Reached() {
				t.Errorf("reading %+v", r)
			}
		}
		if moments[exobench.MomentBefore] != 2 || moments[exobench.MomentLoaded] != 2 || moments[exobench.MomentDuring] < 6 {
			t.Errorf("readings by moment %v, want two nodes each, and three or more times during", moments)
		}
	})
}

func TestAModelThatWasLoadedAlreadyIsToldOf(t *testing.T) {
	for _, found := range []bool{true, false} {
		b := &bench{found: found}
		execute(t, b, plan("a"), func(c *Config) { c.Benches[0].Engine.LifeCycle = true }, func(exobench.EndReason, error) {
			if notes := entriesOf[*exobench.Note](b); (len(notes) == 1) != found {
				t.Errorf("found %v: notes %+v", found, notes)
			}
		})
	}
}

func TestProgressEndsAtItsTotal(t *testing.T) {
	b := &bench{prepare: map[string]error{"a": errors.New("x")}}
	p := plan("a", "b")
	p.Concurrency = []int{1, 2}
	var last exobench.Progress
	execute(t, b, p, func(c *Config) { c.Watch = func(p exobench.Progress) { last = p } }, func(exobench.EndReason, error) {
		if want := 2 * (1 + 2*6); last.Total != want || last.Done != want {
			t.Errorf("done %d of %d, want %d of %d", last.Done, last.Total, want, want)
		}
	})
}
