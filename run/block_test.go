package run

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestEveryRepeatHasEveryPromptInAnOrderThatTheSeedAndTheBlockGive(t *testing.T) {
	orders := func(seed uint64) (blocks [2]string) {
		d := &double{}
		p := plan("a")
		p.Warmup, p.Seeds.Order, p.Stop.Repeat = 1, seed, 8
		p.Traffic = append(p.Traffic, exobench.Traffic{Concurrency: 1})
		execute(t, d, p, 0, nil)
		for block := 2; block <= 3; block++ {
			for repeat := 1; repeat <= 8; repeat++ {
				var seen []string
				for _, r := range d.requests {
					if r.Block == block && r.Repeat == repeat {
						seen = append(seen, r.Prompt.ID)
					}
				}
				blocks[block-2] += strings.Join(seen, " ") + ";"
				slices.Sort(seen)
				if strings.Join(seen, " ") != "p1 p2 p3" {
					t.Errorf("repeat %d has prompts %v", repeat, seen)
				}
			}
		}
		return blocks
	}
	one, again, two := orders(1), orders(1), orders(2)
	if one != again {
		t.Errorf("one seed, two orders: %v and %v", one, again)
	}
	if one == two || one[0] == one[1] {
		t.Errorf("seeds or blocks share an order: %v and %v", one, two)
	}
}

func TestRequestsTellWhatThePlanWants(t *testing.T) {
	d := &double{}
	p := plan("a")
	p.Warmup, p.Stop, p.Seeds.Sampling = 4, exobench.Stop{Requests: 7, Repeat: 9}, 11
	execute(t, d, p, 0, nil)
	if len(d.requests) != 11 {
		t.Fatalf("%d requests, want 4 warm-ups and 7", len(d.requests))
	}
	for i, r := range d.requests {
		if r.Seq != i+1 || r.MaxTokens != 8 || r.Seed != 11 || !r.IgnoreEOS || r.WarmCache || r.Scheduled.Reached() {
			t.Errorf("request %+v", r)
		}
	}
	if warm := d.requests[3]; warm.Block != 1 || warm.Repeat != 0 || warm.Prompt.ID != "p1" {
		t.Errorf("the fourth warm-up is %+v, want the first prompt again", warm)
	}
	if last := d.requests[10]; last.Block != 2 || last.Repeat != 3 {
		t.Errorf("the last of seven is %+v, want repeat 3", last)
	}
}

func TestColdPromptsDifferFromTheirFirstCharacterUnlessTheEngineHasASwitch(t *testing.T) {
	for _, row := range []struct {
		why         string
		cacheSwitch bool
		cache       exobench.CachePolicy
		unique      bool
	}{
		{"no switch, cold", false, exobench.ColdCache, true},
		{"a switch, cold", true, exobench.ColdCache, false},
		{"no switch, warm", false, exobench.WarmCache, false},
	} {
		d := &double{}
		p := plan("a")
		p.Workload.Cache = row.cache
		execute(t, d, p, 0, func(c *Config) { c.Engines[0].Entry.CacheSwitch = row.cacheSwitch })
		texts := map[string]bool{}
		for _, r := range d.requests {
			texts[r.Prompt.Text] = true
		}
		if unique := len(texts) == len(d.requests); unique != row.unique {
			t.Errorf("%s: %d texts in %d requests", row.why, len(texts), len(d.requests))
		}
	}
}

func TestAWarmPlanSendsEveryPromptBeforeItsFirstCell(t *testing.T) {
	for warmup, want := range map[int]string{0: "one two three", 1: "one two three", 4: "one two three one"} {
		d := &double{}
		p := plan("a", "b")
		p.Workload.Cache, p.Warmup = exobench.WarmCache, warmup
		r := execute(t, d, p, 0, nil)
		warm := map[int]bool{}
		for _, b := range of[*exobench.Block](r.recorder) {
			warm[b.ID] = b.Warmup()
		}
		var blocks []string
		for _, request := range d.requests {
			if warm[request.Block] {
				blocks = append(blocks, request.Prompt.Text)
			}
		}
		if got := strings.Join(blocks, " "); got != want+" "+want { // of both models
			t.Errorf("--warmup %d sends %q", warmup, got)
		}
	}
}

func TestPromptsOfTwoSeedsDifferAndOfOneDoNot(t *testing.T) {
	sent := func(seed uint64) (texts string) {
		d := &double{}
		execute(t, d, plan("a"), 0, func(c *Config) { c.PromptSeed = seed })
		for _, r := range d.requests {
			texts += r.Prompt.Text + "\n"
		}
		return texts
	}
	if sent(5) != sent(5) || sent(5) == sent(6) {
		t.Error("the seed does not make the prompts")
	}
	drawn := PromptSeed(exobench.Plan{})
	if again := PromptSeed(exobench.Plan{}); drawn == 0 || drawn == again {
		t.Errorf("seeds %d and %d were drawn", drawn, again)
	}
	if seed := PromptSeed(exobench.Plan{Seeds: exobench.Seeds{Prompts: 9}}); seed != 9 {
		t.Errorf("the plan's seed 9 became %d", seed)
	}
}

func TestABlockEndsWithItsTime(t *testing.T) {
	d := &double{}
	p := plan("a")
	p.Warmup, p.Stop = 0, exobench.Stop{Duration: exobench.Duration(2500 * ms)}
	p.Traffic = []exobench.Traffic{{Concurrency: 2}, {Rate: 2, Arrival: exobench.Constant}}
	r := execute(t, d, p, 0, nil)
	ends := of[*exobench.BlockEnd](r.recorder)
	begun := of[*exobench.Block](r.recorder)
	if len(ends) != 2 || ends[0].Reason != exobench.BlockTime || ends[1].Reason != exobench.BlockTime {
		t.Fatalf("blocks ended %+v", ends)
	}
	// Two workers begin their third requests at 2 s; in the open loop the fifth is
	// due at 2 s. Both last a second.
	if n := len(d.requests); n != 6+5 {
		t.Errorf("%d requests, want 6 and 5", n)
	}
	if a, b := ends[0].At.Sub(begun[0].At), ends[1].At.Sub(begun[1].At); a != 3*sec || b != 3*sec+5*ms {
		t.Errorf("blocks took %v and %v, want 3 s and, with its lead, 3.005 s", a, b)
	}
	if last := d.requests[len(d.requests)-1]; last.Seq != len(d.requests) {
		t.Errorf("the last request has number %d of %d", last.Seq, len(d.requests))
	}
}

func TestAnOpenLoopSendsAtItsTimesAndDropsWhatIsTooMuch(t *testing.T) {
	sent := func(arrival exobench.Arrival, seed uint64) (first []time.Duration, dropped int) {
		d := &double{service: func(exobench.Request) time.Duration { return 5 * sec }}
		p := plan("a")
		p.Warmup, p.Stop, p.Seeds.Arrivals = 0, exobench.Stop{Requests: 10}, seed
		p.Traffic = []exobench.Traffic{{Rate: 4, Arrival: arrival, MaxUnderWay: 3}}
		records := of[*exobench.Record](execute(t, d, p, 0, nil).recorder)
		slices.SortFunc(records, func(a, b *exobench.Record) int { return a.Seq - b.Seq })
		for _, r := range records {
			first = append(first, r.Scheduled.Sub(records[0].Scheduled))
			if r.Outcome == exobench.Dropped {
				dropped++
			} else if r.Sent != r.Scheduled {
				t.Errorf("request %d was sent %v late", r.Seq, r.Sent.Sub(r.Scheduled))
			}
		}
		return first, dropped
	}
	even, dropped := sent(exobench.Constant, 1)
	for i, at := range even {
		if at != time.Duration(i)*250*ms {
			t.Errorf("request %d is due at %v", i+1, at)
		}
	}
	if dropped != 7 {
		t.Errorf("%d of 10 were dropped, want all but three", dropped)
	}
	one, _ := sent(exobench.Poisson, 1)
	again, _ := sent(exobench.Poisson, 1)
	two, _ := sent(exobench.Poisson, 2)
	if !slices.Equal(one, again) || slices.Equal(one, two) || slices.Equal(one, even) {
		t.Errorf("arrivals of seed 1 %v and %v, of seed 2 %v", one, again, two)
	}
}
