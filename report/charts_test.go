package report

import (
	"slices"
	"strings"
	"testing"

	"exobench"
	"exobench/metric"
	"exobench/plot"
)

// bars writes down what the groups of a chart have: a bar, why there is none, or
// that there was to be none.
func bars(f plot.Figure) string {
	var groups []string
	for _, g := range f.Groups {
		var texts []string
		for _, b := range g.Bars {
			switch {
			case b.None:
				texts = append(texts, "-")
			case b.Missing != "":
				texts = append(texts, b.Missing)
			default:
				texts = append(texts, "bar")
			}
		}
		groups = append(groups, g.Name+": "+strings.Join(texts, ", "))
	}
	return strings.Join(groups, "; ")
}

// placedJournal is a run of one model in two placements, and of one whose
// placements nobody came to know.
func placedJournal(measured ...int) []exobench.Entry {
	plan := planOf("exo", []exobench.Traffic{{Concurrency: 1}, {Concurrency: 4}}, exobench.Stop{Repeat: 4}, "m", "n")
	plan.Warmup = 0
	s := newScript(plan, exobench.Host{}, exobench.Engine{Name: "exo", LifeCycle: true, Models: []exobench.Model{{Name: "m", ID: "org/m"}, {Name: "n", ID: "org/n"}}})
	for _, step := range s.outline.Spread(plan, 1, []string{"one", "two"}) {
		s.add(new(*s.outline.Step(step)))
		for _, c := range s.outline.CellsOf(step) {
			s.add(&c)
		}
	}
	for _, b := range s.outline.Blocks {
		if slices.Contains(measured, b.Cell) {
			s.add(&b)
			s.request(b.Step, b.ID, request(exobench.Instant(10+b.ID)*second, 1), 90*mib)
		}
	}
	return append(s.entries, &exobench.StepEnd{At: 90 * second, Step: 2, Reason: exobench.StepFailed, Error: "no"}, &exobench.End{At: 99 * second, Session: 1, Reason: exobench.EndFinished})
}

func TestEachPlannedCellHasABarOrWhyItHasNone(t *testing.T) {
	for _, row := range []struct {
		why         string
		journal     []exobench.Entry
		series, all string
	}{
		{"traffic", finished(), "concurrency 1, concurrency 2",
			"llama-3.2-1b: bar, bar; mistral-7b: bar, not run; qwen-1.5-7b: failed, failed; deepseek-r1: not run, not run"},
		{"rates", openJournal(), "2/s, 12.5/s", "llama-3.2-1b: bar, bar"},
		{"engines", enginesJournal(), "exo, llamacpp†, ollama", "llama-3.2-1b: bar, bar, failed; mistral-7b: bar, bar, -"},
		{"placements and traffic", placedJournal(1, 2, 5, 6),
			"one · concurrency 1, one · concurrency 4, placement unknown · concurrency 1, placement unknown · concurrency 4, two · concurrency 1, two · concurrency 4",
			"m: bar, bar, -, -, bar, bar; n: -, -, failed, failed, -, -"},
		{"placements that did not come", placedJournal(1),
			"one · concurrency 1, one · concurrency 4, placement unknown · concurrency 1, placement unknown · concurrency 4, two · concurrency 1, two · concurrency 4",
			"m: bar, interrupted, -, -, not run, not run; n: -, -, failed, failed, -, -"},
	} {
		run, _ := build(t, row.journal)
		f := medianChart(run, "Latency by model", metric.Latency)
		if got := strings.Join(f.Series, ", "); got != row.series || bars(f) != row.all {
			t.Errorf("%s: series %q, want %q; bars %q, want %q", row.why, got, row.series, bars(f), row.all)
		}
	}
}

// The same traffic twice in a plan gives two cells that nothing else tells apart.
func TestCellsThatAreAlikeHaveBarsOfTheirOwn(t *testing.T) {
	plan := planOf("exo", []exobench.Traffic{{Concurrency: 1}, {Concurrency: 1}}, exobench.Stop{Repeat: 4}, "m")
	s := newScript(plan, exobench.Host{}, exobench.Engine{Name: "exo", Models: []exobench.Model{{Name: "m", ID: "org/m"}}})
	run, _ := build(t, s.entries)
	f := medianChart(run, "Latency by model", metric.Latency)
	if got := strings.Join(f.Series, ", "); got != ", again (2)" || bars(f) != "m: not run, not run" {
		t.Errorf("series %q, bars %q", got, bars(f))
	}
}

func TestMemoryChartStacksItsParts(t *testing.T) {
	run, _ := build(t, finished())
	f := memoryChart(run)
	b := f.Groups[0].Bars[0]
	if len(f.Parts) != 2 || len(b.Parts) != 2 || b.Parts[0] != 40 || b.Parts[0]+b.Parts[1] != b.Value {
		t.Errorf("parts %v, bar %+v", f.Parts, b)
	}
}

func TestLabelsMarkTheirEngines(t *testing.T) {
	entries := enginesJournal()
	h := entries[0].(*exobench.Header)
	h.Engines[0].Label, h.Engines[2].Label = "a toy", "random weights"
	run, _ := build(t, entries)
	var got []string
	for _, e := range h.Engines {
		got = append(got, engineText(run, e.Name))
	}
	if want := []string{"exo†", "llamacpp‡", "ollama‡"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	run, _ = build(t, finished())
	if got := engineText(run, "embedded"); got != "embedded" || len(mainTable(run).Legend) != 0 {
		t.Errorf("with one engine: %q", got)
	}
}

func TestAPictureShowsWhatCanBeRead(t *testing.T) {
	for _, row := range []struct {
		models, engines, traffics int
		groups, series            int
		note                      string
	}{
		{50, 1, 1, 50, 1, ""},
		{51, 1, 1, 50, 1, "Shown: the first 50 of 51 models; the tables have all."},
		{1, 1, 24, 1, 24, ""},
		{3, 1, 30, 3, 24, "Shown: the first 24 of 30 bars of a model; the tables have all."},
		{12, 10, 3, 8, 24, "Shown: the first 8 of 12 models, the first 24 of 30 bars of a model; the tables have all."},
	} {
		run, _ := build(t, large(row.models, row.engines, row.traffics).entries)
		for _, figure := range charts(run) {
			f := figure.Chart
			if len(f.Groups) != row.groups || len(f.Series) != row.series || len(f.Groups[0].Bars) != row.series {
				t.Errorf("%+v: %s has %d groups of %d series", row, figure.File, len(f.Groups), len(f.Series))
			}
			if strings.Contains(f.Footnote, "Shown:") != (row.note != "") || !strings.Contains(f.Footnote, row.note) {
				t.Errorf("%+v: footnote %q", row, f.Footnote)
			}
		}
	}
}
