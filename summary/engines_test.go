package summary

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"exobench"
)

func TestOneModelOnTwoEnginesStandsSideBySideAndApart(t *testing.T) {
	h := header()
	h.Engines = append(h.Engines, exobench.Engine{Name: "ollama", LifeCycle: true, Models: []exobench.Model{{Name: "one"}, {Name: "two"}}})
	other := ok(2, 20, 3*second)
	other.Engine = "ollama"
	before := readingAt(15, exobench.MomentBefore, 1000*mib)
	loaded := readingAt(16, exobench.MomentLoaded, 1500*mib)
	during := readingAt(21, exobench.MomentDuring, 1600*mib)
	for _, r := range []*exobench.Reading{before, loaded, during} {
		r.Engine = "ollama"
	}
	run := build(t, h, readingAt(1, exobench.MomentBefore, 100*mib), readingAt(2, exobench.MomentLoaded, 600*mib),
		readingAt(10, exobench.MomentDuring, 700*mib), ok(1, 10, second), before, loaded, during, other,
		&exobench.LoadEvent{Engine: "ollama", Model: "two", At: 30 * second, Stage: exobench.StageFailed, Error: "no room"}, end(1000))
	var subjects []string
	for _, s := range run.Subjects() {
		subjects = append(subjects, s.Model+" "+s.Engine)
	}
	if want := []string{"one exo", "one ollama", "two exo", "two ollama", "three exo"}; !slices.Equal(subjects, want) {
		t.Errorf("subjects %q, want %q", subjects, want)
	}
	for i, want := range []exobench.Bytes{600 * mib, 600 * mib} { // 700 − 100, and 1600 − 1000
		if got, known := run.Cells[i].Memory.Additional(); !known || got != want {
			t.Errorf("%s: additional memory %v, want %v", run.Cells[i].Engine, got, want)
		}
	}
	if _, failed := run.FailureOf(Subject{"exo", "two"}); failed {
		t.Error("the failure of one engine is the other's too")
	}
	if f, failed := run.FailureOf(Subject{"ollama", "two"}); !failed || f.Error != "no room" {
		t.Errorf("failure %+v", f)
	}
}

// served is an OK request whose server tells these rates.
func served(seq int, decode, prefill float64) *exobench.Record {
	r := ok(seq, exobench.Instant(10*seq), second)
	r.PromptTokens = tokens(50) // prefill by the client: 50 / 0.1 s
	r.Server = &exobench.ServerStats{DecodeTPS: &decode, PrefillTPS: &prefill, OutputTokens: tokens(10)}
	return r
}

func TestClientAndServerAreReconciled(t *testing.T) {
	var entries []exobench.Entry
	for i, decode := range []float64{10, 10, 10, 10, 10, 20} { // the client sees 9 tokens in 0.9 s
		entries = append(entries, served(i+1, decode, 500))
	}
	c := only(t, entries...)
	d := c.Reconciled.Decode
	if d.N != 6 || d.Off != 1 || fmt.Sprintf("%.4f %.4f %.4f", d.Client, d.Server, d.Ratio) != "10.0000 10.0000 1.0000" {
		t.Errorf("decode %+v", d)
	}
	if p := c.Reconciled.Prefill; p.N != 6 || fmt.Sprintf("%.4f", p.Ratio) != "1.0000" {
		t.Errorf("prefill %+v", p)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings %q, want none", c.Warnings)
	}
}

func TestADisagreementIsWarnedOfWithItsLikelyCause(t *testing.T) {
	for _, row := range []struct {
		name            string
		decode, prefill float64
		change          func(*exobench.Record)
		want            string
	}{
		{"short answers", 12, 500, func(*exobench.Record) {}, "too short to tell a rate"},
		{"events held back", 12, 500, func(r *exobench.Record) {
			for i := 1; i < 5; i++ {
				r.Chunks[i].At = r.Chunks[0].At
			}
		}, "holds tokens back"},
		{"a slow stream", 12, 500, func(r *exobench.Record) {
			r.OutputTokens, r.Server.OutputTokens = tokens(100), tokens(100)
			r.Server.DecodeTPS = new(130.0)
		}, "slower than the engine"},
		{"another definition", 12, 500, func(r *exobench.Record) {
			r.OutputTokens, r.Server.OutputTokens = tokens(100), tokens(100)
			r.Server.DecodeTPS = new(80.0)
		}, "different ways"},
		{"prefill that cannot be", 10, 400, func(*exobench.Record) {}, "cannot be by time"},
		{"a queue before the prefill", 10, 2000, func(*exobench.Record) {}, "wait in a queue"},
		{"two counts of tokens", 10, 500, func(r *exobench.Record) { r.Server.OutputTokens = tokens(11) }, "different numbers of output tokens"},
		{"a reload", 10, 500, func(r *exobench.Record) { r.Server.LoadTime = 2e9 }, "loaded again"},
	} {
		var entries []exobench.Entry
		for seq := 1; seq <= 6; seq++ {
			r := served(seq, row.decode, row.prefill)
			row.change(r)
			entries = append(entries, r)
		}
		if c := only(t, entries...); len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], row.want) {
			t.Errorf("%s: warnings %q, want one with %q", row.name, c.Warnings, row.want)
		}
	}
}

func TestAnswersOfDifferentLengthsAreWarnedOf(t *testing.T) {
	var entries []exobench.Entry
	for seq := 1; seq <= 6; seq++ {
		r := ok(seq, exobench.Instant(10*seq), second)
		r.OutputTokens = tokens(exobench.Tokens(10 + seq))
		entries = append(entries, r)
	}
	if c := only(t, entries...); len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "11 to 16 tokens") {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestNodesAreSummarisedByWhatTheyTell(t *testing.T) {
	node := func(sec exobench.Instant, moment exobench.Moment, used exobench.Bytes, power *float64) *exobench.NodeReading {
		return &exobench.NodeReading{Engine: "exo", Model: "one", Node: "studio", At: sec * second, Moment: moment, MemoryUsed: &used, Power: power}
	}
	run := build(t, header(), node(1, exobench.MomentBefore, 10, nil), node(2, exobench.MomentLoaded, 50, nil),
		node(4, exobench.MomentDuring, 70, new(40.0)), node(3, exobench.MomentDuring, 60, new(20.0)), end(9))
	if len(run.Nodes) != 1 {
		t.Fatalf("nodes %+v", run.Nodes)
	}
	n := run.Nodes[0]
	if *n.Before != 10 || *n.Loaded != 50 || *n.Peak != 70 || *n.Power != 30 || n.GPU != nil || n.Temperature != nil {
		t.Errorf("node %+v", n)
	}
}
