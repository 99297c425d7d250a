package exobench_test

import (
	"fmt"
	"slices"
	"testing"

	"exobench"
)

func planOf(loads int) (exobench.Plan, []exobench.Engine) {
	p := exobench.Plan{
		Traffic: []exobench.Traffic{{Concurrency: 1}, {Concurrency: 4}},
		Warmup:  1, Loads: loads, Seeds: exobench.Seeds{Order: 1},
	}
	models := []exobench.Model{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	return p, []exobench.Engine{{Name: "x", Models: models}, {Name: "y", Models: models}}
}

// subjects are the steps of an outline by engine and model, round by round.
func subjects(o *exobench.Outline, each int) [][]string {
	var all []string
	for _, s := range o.Steps {
		all = append(all, s.Engine+s.Model.Name)
	}
	return slices.Collect(slices.Chunk(all, each))
}

func TestOneLoadRunsInThePlansOrder(t *testing.T) {
	for _, loads := range []int{0, 1} { // 0 is of plans from before there were several
		p, engines := planOf(loads)
		o := exobench.NewOutline(p, engines, 1)
		if got := fmt.Sprint(subjects(o, 6)); got != "[[xa xb xc ya yb yc]]" {
			t.Errorf("%d loads: %s", loads, got)
		}
		if len(o.Cells) != 12 || len(o.Blocks) != 18 || o.Blocks[4].Cell != 3 {
			t.Errorf("%d loads: %d cells, blocks %v", loads, len(o.Cells), o.Blocks)
		}
	}
}

func TestRoundsOfLoadsRunToAndFro(t *testing.T) {
	p, engines := planOf(6)
	o := exobench.NewOutline(p, engines, 1)
	rounds := subjects(o, 6)
	if len(rounds) != 6 || len(o.Cells) != 12 || len(o.Blocks) != 6*18 {
		t.Fatalf("%d rounds, %d cells, %d blocks", len(rounds), len(o.Cells), len(o.Blocks))
	}
	orders := map[string]bool{}
	for i, round := range rounds {
		if i%2 == 1 {
			back := slices.Clone(rounds[i-1])
			slices.Reverse(back)
			if !slices.Equal(round, back) {
				t.Errorf("round %d is %v after %v", i+1, round, rounds[i-1])
			}
			continue
		}
		orders[fmt.Sprint(round)] = true
		round = slices.Sorted(slices.Values(round))
		if fmt.Sprint(round) != "[xa xb xc ya yb yc]" {
			t.Errorf("round %d has %v", i+1, round)
		}
	}
	if len(orders) < 2 {
		t.Errorf("the rounds have the orders %v", orders)
	}
	// Every load of a model has a block of each of its cells.
	for _, s := range o.Steps {
		var got []string
		for _, c := range o.CellsOf(s.ID) {
			got = append(got, fmt.Sprint(c.Engine, c.Model.Name, c.Traffic))
		}
		want := []string{fmt.Sprint(s.Engine, s.Model.Name, "1"), fmt.Sprint(s.Engine, s.Model.Name, "4")}
		if !slices.Equal(got, want) {
			t.Errorf("step %d has the cells %v, want %v", s.ID, got, want)
		}
	}
	again := exobench.NewOutline(p, engines, 1)
	if !slices.Equal(o.Steps, again.Steps) || !slices.Equal(o.Blocks, again.Blocks) {
		t.Error("the same plan has another outline the second time")
	}
}

func TestPlacementsOfSeveralLoadsShareTheirCells(t *testing.T) {
	p, _ := planOf(2)
	o := exobench.NewOutline(p, []exobench.Engine{{Name: "x", Models: []exobench.Model{{Name: "a"}}}}, 1)
	first := o.Spread(p, 1, []string{"one", "two"})
	second := o.Spread(p, 2, []string{"two", "three", "one"}) // the engine may see it otherwise later
	var cells []string
	for _, c := range o.Cells {
		cells = append(cells, c.Placement+" "+c.Traffic.String())
	}
	if want := []string{"one 1", "one 4", "two 1", "two 4", "three 1", "three 4"}; !slices.Equal(cells, want) {
		t.Errorf("cells %v", cells)
	}
	for _, step := range slices.Concat(first, second) {
		for _, c := range o.CellsOf(step) {
			if c.Placement != o.Step(step).Placement {
				t.Errorf("step %d on %q measures the cell of %q", step, o.Step(step).Placement, c.Placement)
			}
		}
	}
	if len(second) != 3 || o.Step(second[1]).Load != 2 {
		t.Errorf("second load: steps %v", second)
	}
}

func TestAModelThatIsKeptCannotBeLoadedAgain(t *testing.T) {
	p, _ := planOf(2)
	p.KeepLoaded = true
	err := p.Validate()
	if err == nil || !slices.ContainsFunc(err.(interface{ Unwrap() []error }).Unwrap(), func(e error) bool {
		problem, ok := e.(*exobench.PlanError)
		return ok && problem.Member == "loads"
	}) {
		t.Errorf("got %v", err)
	}
}
