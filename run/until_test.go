package run

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
)

// until is a plan of one model that goes on until latency is known so well.
func until(goal exobench.Until) exobench.Plan {
	p := plan("a")
	p.Seeds = exobench.Seeds{Order: 5}
	p.Stop = exobench.Stop{Repeat: 2, Until: goal, MaxRepeat: 40}
	return p
}

// varied answers take from 0.8 to 1.2 s, by their number.
func varied(r exobench.Request) time.Duration {
	return time.Second + time.Duration(r.Seq*17%41-20)*10*ms
}

// cellEnds returns the ends of the blocks of cells.
func (r result) cellEnds() []exobench.BlockEnd {
	var all []exobench.BlockEnd
	warm := map[int]bool{}
	for _, e := range r.entries {
		switch e := e.(type) {
		case *exobench.Block:
			warm[e.ID] = e.Warmup()
		case *exobench.BlockEnd:
			if !warm[e.Block] {
				all = append(all, *e)
			}
		}
	}
	return all
}

func TestACellGoesOnUntilItsMedianIsKnownOrABoundIsMet(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(*exobench.Plan)
		reason exobench.BlockEndReason
		least  int // repeats
		most   int
	}{
		{"an easy goal: two looks, the first after 30 requests", func(p *exobench.Plan) { p.Stop.Until = "latency_s=50%" }, exobench.BlockPrecise, 12, 12},
		{"a goal that takes longer", func(*exobench.Plan) {}, exobench.BlockPrecise, 13, 39},
		{"two requests under way: those of repeats that were begun are finished", func(p *exobench.Plan) { p.Traffic[0].Concurrency = 2 }, exobench.BlockPrecise, 13, 39},
		{"an open loop", func(p *exobench.Plan) {
			p.Traffic[0] = exobench.Traffic{Rate: 3, Arrival: exobench.Poisson}
		}, exobench.BlockPrecise, 13, 39},
		{"out of reach", func(p *exobench.Plan) { p.Stop.Until = "latency_s=0.001%" }, exobench.BlockDone, 40, 40},
		{"no time for it", func(p *exobench.Plan) { p.Stop.MaxTime = exobench.Duration(20 * time.Second) }, exobench.BlockTime, 7, 7},
		{"of the least repeats there are always as many", func(p *exobench.Plan) {
			p.Stop.MaxTime, p.Stop.Repeat = exobench.Duration(time.Second), 30
		}, exobench.BlockTime, 30, 30},
	} {
		p := until("latency_s=5%")
		row.change(&p)
		r := execute(t, &double{service: varied}, p, 0, nil)
		ends := r.cellEnds()
		if len(ends) != 1 || ends[0].Reason != row.reason || ends[0].Repeats < row.least || ends[0].Repeats > row.most {
			t.Errorf("%s: the ends are %+v, want %q after %d to %d repeats", row.why, ends, row.reason, row.least, row.most)
			continue
		}
		asked := map[string]int{}
		for _, e := range r.entries {
			if e, ok := e.(*exobench.Record); ok && e.Repeat > 0 {
				asked[e.PromptID]++
			}
		}
		for _, id := range []string{"p1", "p2", "p3"} {
			if asked[id] != ends[0].Repeats {
				t.Errorf("%s: %s was asked %d times in %d repeats", row.why, id, asked[id], ends[0].Repeats)
			}
		}
	}
}

func TestEachLoadOfAModelGoesOnByItself(t *testing.T) {
	p := until("latency_s=5%")
	p.Loads = 3
	slow := 0
	d := &double{}
	d.service = func(r exobench.Request) time.Duration {
		slow = max(slow, r.Block)
		if r.Block == 4 { // the second load
			return time.Second + time.Duration(r.Seq*17%41-20)*20*ms
		}
		return time.Second
	}
	ends := execute(t, d, p, 0, nil).cellEnds()
	if len(ends) != 3 || ends[0].Repeats != 12 || ends[1].Repeats <= 12 || ends[2].Repeats != 12 {
		t.Errorf("the loads ended so: %+v", ends)
	}
}

func TestASilentEngineOwesTheLeastRepeatsAlone(t *testing.T) {
	p := until("latency_s=1%")
	p.Stop.Repeat = 4
	d := &double{outcome: func(r exobench.Request) exobench.Outcome {
		if r.Seq > 4 {
			return exobench.Timeout
		}
		return exobench.OK
	}}
	r := execute(t, d, p, 0, nil)
	n := 0
	for _, e := range r.entries {
		if e, ok := e.(*exobench.Record); ok && e.Repeat > 0 {
			n++
		}
	}
	if ends := r.cellEnds(); len(ends) != 1 || ends[0].Reason != exobench.BlockNoAnswer || n != 12 {
		t.Errorf("%d requests have a record, want the 12 of the least repeats; the ends are %+v", n, ends)
	}
}

// A cell that was cut short is measured anew until it is known; one that is known
// stays, though it has fewer requests than the most.
func TestARunThatIsKilledInACellOfThatKindGoesOnRightly(t *testing.T) {
	p := until("latency_s=5%")
	p.Traffic = append(p.Traffic, exobench.Traffic{Concurrency: 2})
	engine := func() *double {
		return &double{sensors: []driver.Sensor{steady("processes", 500*ms)}, prepare: map[string]error{}, service: func(r exobench.Request) time.Duration {
			random := rand.New(rand.NewPCG(uint64(r.Repeat), uint64(len(r.Prompt.Text))))
			return 900*ms + time.Duration(200*random.Float64())*ms
		}}
	}
	straight := begin(t, engine(), p, 0, nil)
	want, _ := measured(t, history(p, straight))
	slices.Sort(want)
	for cut := 1; cut < len(straight); cut += 37 {
		entries := straight[:cut]
		entries = slices.Concat(entries, begin(t, engine(), p, 0, entries))
		got, run := measured(t, history(p, entries))
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("killed after %d entries: %d rows, want %d", cut, len(got), len(want))
		}
		for _, c := range run.Cells {
			if !slices.Equal(c.Ends, []exobench.BlockEndReason{exobench.BlockPrecise}) && !slices.Contains(c.Ends, exobench.BlockInterrupted) {
				t.Errorf("killed after %d entries: cell %d ended %v", cut, c.ID, c.Ends)
			}
		}
	}
	// Of one that was known, requests are lost to damage: it is done again.
	lost := slices.DeleteFunc(slices.Clone(straight), func(e exobench.Entry) bool {
		r, ok := e.(*exobench.Record)
		return ok && r.Repeat == 3 && r.PromptID == "p2"
	})
	if again := begin(t, engine(), p, 0, lost); len(again) < 20 {
		t.Errorf("cells that lost requests were left as they are: %d entries", len(again))
	}
	if again := begin(t, engine(), p, 0, straight); len(again) > 3 {
		t.Errorf("a run that was over did something: %d entries", len(again))
	}
}
