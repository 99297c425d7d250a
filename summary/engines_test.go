package summary

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"exobench"
)

// twoEngines is a header of exo and ollama, which knows other models.
func twoEngines() *exobench.Header {
	h := header()
	h.Plan.Models = []string{"one", "two", "three"}
	h.Engines = append(h.Engines, exobench.Engine{Name: "ollama", Models: []exobench.Model{{Name: "two"}, {Name: "four"}}})
	return h
}

func TestTheEnginesOfAModelStandSideBySide(t *testing.T) {
	one, two := on("exo", ok(1, 10, second)), on("ollama", ok(2, 20, second))
	two.Model = "two"
	run := build(t, twoEngines(), two, one)
	// "four" follows "two" since ollama says so; "three" has no ollama.
	want := []Subject{{"exo", "one"}, {"exo", "two"}, {"ollama", "two"}, {"ollama", "four"}, {"exo", "three"}}
	if got := run.Subjects(); !slices.Equal(got, want) {
		t.Errorf("subjects %v, want %v", got, want)
	}
	if run.Cells[0].Engine != "exo" || run.Cells[1].Engine != "ollama" || len(run.CellsOf(Subject{"exo", "two"})) != 0 {
		t.Errorf("cells %+v", run.Cells)
	}
}

func TestModelsAreMergedInThePlansOrder(t *testing.T) {
	models := func(names ...string) (all []exobench.Model) {
		for _, name := range names {
			all = append(all, exobench.Model{Name: name})
		}
		return all
	}
	for _, row := range []struct {
		why     string
		plan    []string
		engines [][]exobench.Model
		want    string
	}{
		{"the plan decides", []string{"a", "b"}, [][]exobench.Model{models("a"), models("b", "a")}, "[a b]"},
		{"engines lack models", []string{"a", "b", "c"}, [][]exobench.Model{models("b"), models("a", "c")}, "[a b c]"},
		{"a model has another name than was asked for", []string{"A", "b"}, [][]exobench.Model{models("a", "b")}, "[a A b]"},
		{"no engine was asked", []string{"b", "a"}, nil, "[b a]"},
	} {
		h := exobench.Header{Plan: exobench.Plan{Models: row.plan}}
		for _, m := range row.engines {
			h.Engines = append(h.Engines, exobench.Engine{Models: m})
		}
		if got := fmt.Sprint(modelOrder(h)); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}

func TestAnEngineThatWasNotAskedHasThePlansModels(t *testing.T) {
	run := build(t, &exobench.Header{RunID: "r", Engines: []exobench.Engine{{Name: "exo"}}, Plan: exobench.Plan{Models: []string{"a"}}})
	if got := run.Subjects(); !slices.Equal(got, []Subject{{"exo", "a"}}) {
		t.Errorf("subjects %v", got)
	}
}

func TestMemoryAndLoadsAreOfTheirEngine(t *testing.T) {
	entries := append(fullLife(), twoEngines(), on("exo", ok(1, 10, second)))
	for _, e := range fullLife() {
		switch e := on("ollama", e).(type) {
		case *exobench.Reading:
			e.At, e.Memory = e.At+700*second, e.Memory*2
		case *exobench.LoadEvent:
			e.At += 700 * second
		}
		entries = append(entries, on("ollama", e))
	}
	entries = append(entries, on("ollama", ok(2, 710, second)))
	run := build(t, entries...)
	var models []exobench.Bytes
	for _, c := range run.Cells {
		model, _ := c.Memory.Model()
		models = append(models, model/mib)
	}
	if !slices.Equal(models, []exobench.Bytes{490, 980}) {
		t.Errorf("model memory in MiB: %v, want 490 and 980", models)
	}
	// ollama's loads were not driven.
	if len(run.Loads) != 1 || run.Loads[0].Engine != "exo" {
		t.Errorf("loads %v", run.Loads)
	}
	for _, engine := range []string{"exo", "ollama"} {
		if f, failed := run.FailureOf(Subject{engine, "two"}, ""); !failed || f.Engine != engine {
			t.Errorf("failure on %s: %v, %+v", engine, failed, f)
		}
	}
}

func TestPlacementsFailApart(t *testing.T) {
	event := func(at exobench.Instant, placement string, stage exobench.Stage) *exobench.LoadEvent {
		return &exobench.LoadEvent{At: at * second, Engine: "exo", Model: "one", Placement: placement, Stage: stage}
	}
	for _, row := range []struct {
		why    string
		events []exobench.Entry
		want   string // the placements that failed
	}{
		{"another placement succeeds later", []exobench.Entry{event(1, "ring", exobench.StageFailed), event(2, "rdma", exobench.StageReady)}, `["ring"]`},
		{"the same succeeds later", []exobench.Entry{event(1, "ring", exobench.StageFailed), event(2, "ring", exobench.StageReady)}, `[]`},
		{"both fail", []exobench.Entry{event(1, "ring", exobench.StageFailed), event(2, "rdma", exobench.StageFailed)}, `["ring" "rdma"]`},
		{"its placement was not chosen yet", []exobench.Entry{event(1, "", exobench.StageFailed), event(2, "rdma", exobench.StageReady)}, `[]`},
		{"only the step before tells the placement", []exobench.Entry{event(1, "ring", exobench.StagePlace), event(2, "", exobench.StageFailed)}, `["ring"]`},
	} {
		run := build(t, append(row.events, header())...)
		placements := []string{}
		for _, f := range run.FailuresOf(Subject{"exo", "one"}) {
			placements = append(placements, f.Placement)
		}
		if got := fmt.Sprintf("%q", placements); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}

func TestAModelLoadedAgainIsWarnedOf(t *testing.T) {
	entries := requests(7)
	for i, wait := range []time.Duration{reload, 2 * time.Second, 3 * time.Second} {
		entries[i].(*exobench.Record).Server = &exobench.ServerStats{LoadTime: wait}
	}
	checkWarnings(t, only(t, entries...), "2 of 7 requests waited for the model to be loaded again, up to 3 s")
}

func TestAnswersOfManyLengthsAreWarnedOfWhereTheModelMayStop(t *testing.T) {
	for _, row := range []struct {
		why         string
		ignoresEOS  bool
		naturalStop bool
		lengths     []exobench.Tokens
		want        []string
	}{
		{"the engine cannot ignore the end", false, false, []exobench.Tokens{12, 64}, []string{"Answers are 12 to 64 tokens long"}},
		{"the plan wants a natural stop", true, true, []exobench.Tokens{12, 64}, []string{"Answers are 12 to 64 tokens long"}},
		{"lengths are forced", true, false, []exobench.Tokens{12, 64}, nil},
		{"all are of one length", false, false, []exobench.Tokens{64, 64}, nil},
	} {
		h := header()
		h.Engines[0].IgnoresEOS, h.Plan.NaturalStop = row.ignoresEOS, row.naturalStop
		entries := []exobench.Entry{h}
		for i, r := range requests(6) {
			r.(*exobench.Record).OutputTokens = &row.lengths[i%2]
			entries = append(entries, r)
		}
		t.Log(row.why)
		checkWarnings(t, build(t, entries...).Cells[0], row.want...)
	}
}
