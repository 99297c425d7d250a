package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

const ms = exobench.Instant(1e6)

// machine is an engine on a machine, as runs of it come out.
type machine struct {
	loads, repeats int
	// slower is by what factor everything takes longer.
	slower float64
	// noise is the spread of requests, between that of loads.
	noise, between float64
	// busy is the share of the machine that others take.
	busy    float64
	engines []string
	change  func(*exobench.Header, *exobench.Session)
}

// run returns what one run on it comes to.
func (m machine) run(t testing.TB, r *rand.Rand) *summary.Run {
	t.Helper()
	labels := m.engines
	if labels == nil {
		labels = []string{"exo"}
	}
	header := &exobench.Header{Schema: exobench.SchemaVersion, RunID: "run", Plan: exobench.Plan{
		Workload: exobench.Workload{MaxTokens: 10, Cache: exobench.ColdCache, Prompts: []exobench.Prompt{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}, {ID: "e"}}},
	}}
	model := exobench.Model{Name: "one", ID: "org/one"}
	for _, label := range labels {
		header.Engines = append(header.Engines, exobench.Engine{Name: label, Driver: "exo", Models: []exobench.Model{model}})
	}
	session := &exobench.Session{ID: 1, Host: exobench.Host{CPU: "chip", Cores: 8}}
	if m.change != nil {
		m.change(header, session)
	}
	entries := []exobench.Entry{header, session}
	step, seq, at := 0, 0, exobench.Instant(1000*ms)
	for cell, label := range labels {
		entries = append(entries, &exobench.Cell{ID: cell + 1, Engine: label, Model: model, Traffic: exobench.Traffic{Concurrency: 1}})
	}
	for range m.loads {
		for cell, label := range labels {
			step++
			entries = append(entries, &exobench.Step{ID: step, Session: 1, Engine: label, Model: model},
				&exobench.StageEvent{At: at, Step: step, Stage: exobench.StageReady},
				&exobench.Block{ID: step, Step: step, Cell: cell + 1, At: at})
			factor := math.Exp(m.between * r.NormFloat64())
			if cell > 0 || len(labels) == 1 {
				factor *= m.slower
			}
			for range m.repeats {
				for p, prompt := range header.Plan.Workload.Prompts {
					seq++
					took := float64(1000*ms) * (1 + float64(p)/5) * factor * math.Exp(m.noise*r.NormFloat64())
					entries = append(entries, answer(seq, step, prompt.ID, at, exobench.Instant(took)))
					at += exobench.Instant(took) + 10*ms
				}
			}
			values := exobench.Values{{Quantity: exobench.Foreign, Value: m.busy}, {Quantity: exobench.EngineCPU, Value: 0.5}}
			entries = append(entries, &exobench.Sample{At: at, Step: step, Block: step, Moment: exobench.After, Sensor: "machine", Span: 1e9, Values: values},
				&exobench.BlockEnd{At: at, Block: step, Reason: exobench.BlockDone},
				&exobench.StepEnd{At: at, Step: step, Reason: exobench.StepReleased})
		}
	}
	run, err := summary.Build(slices.Values(append(entries, &exobench.End{At: at, Session: 1, Reason: exobench.EndFinished})))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// answer is a request of ten tokens.
func answer(seq, block int, prompt string, sent, took exobench.Instant) *exobench.Record {
	first := sent + took/10
	r := &exobench.Record{
		Seq: seq, Block: block, PromptID: prompt, Outcome: exobench.OK, Scheduled: sent, Sent: sent,
		FirstToken: first, FirstAnswer: first, LastToken: sent + took, Done: sent + took, Ended: sent + took + ms,
		OutputTokens: new(exobench.Tokens(10)), TokensFrom: exobench.FromUsage,
	}
	for i := range exobench.Instant(10) {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: first + i*(sent+took-first)/9})
	}
	return r
}

func compared(t testing.TB, o Options, runs ...*summary.Run) *Result {
	t.Helper()
	var named []Run
	for i, run := range runs {
		named = append(named, Run{string(rune('A' + i)), run})
	}
	r, err := Compare(named, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// verdicts are those of a pair's one cell, by metric.
func verdicts(p Pair) map[string]Comparison {
	all := map[string]Comparison{}
	for _, c := range p.Cells[0].Comparisons {
		all[c.Metric] = c
	}
	return all
}

func TestIdenticalServersAreSeldomTakenForDifferent(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which the whole tests run")
	}
	r := rand.New(rand.NewPCG(1, 1))
	m := machine{loads: 1, repeats: 3, slower: 1, noise: 0.03}
	wrong, pairs := 0, 200
	for range pairs {
		got := compared(t, Options{}, m.run(t, r), m.run(t, r))
		for _, c := range got.Pairs[0].Cells[0].Comparisons {
			if c.Verdict == Better || c.Verdict == Worse {
				wrong++
				break
			}
		}
	}
	if wrong > pairs*5/100 {
		t.Errorf("%d of %d pairs of equal runs differ", wrong, pairs)
	}
}

func TestASlowdownOfFivePercentIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which the whole tests run")
	}
	r := rand.New(rand.NewPCG(2, 1))
	before := machine{loads: 1, repeats: 3, slower: 1, noise: 0.03}
	after := before
	after.slower = 1.05
	found, pairs := 0, 200
	for range pairs {
		c := verdicts(compared(t, Options{}, before.run(t, r), after.run(t, r)).Pairs[0])[metric.TokenRate]
		if c.Verdict == Worse {
			found++
			if !slices.Contains(c.Cautions, OneLoad) {
				t.Fatal("a verdict of one load each has no caution")
			}
		}
	}
	if found < pairs*9/10 {
		t.Errorf("found %d of %d times", found, pairs)
	}
}

func TestLoadsThatDifferAreNotTakenForAChange(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which the whole tests run")
	}
	r := rand.New(rand.NewPCG(3, 1))
	m := machine{loads: 5, repeats: 3, slower: 1, noise: 0.03, between: 0.04}
	wrong, pairs := 0, 200
	for range pairs {
		for _, c := range compared(t, Options{}, m.run(t, r), m.run(t, r)).Pairs[0].Cells[0].Comparisons {
			if c.Verdict == Better || c.Verdict == Worse {
				wrong++
				break
			}
		}
	}
	if wrong > pairs*5/100 {
		t.Errorf("%d of %d pairs of equal runs differ", wrong, pairs)
	}
}

func TestVariantsOfOneRunAreCompared(t *testing.T) {
	m := machine{loads: 6, repeats: 3, slower: 1.2, noise: 0.01, between: 0.01, busy: 0.3, engines: []string{"exo a", "exo b"}}
	m.change = func(h *exobench.Header, _ *exobench.Session) { h.Plan.Loads = m.loads }
	run := m.run(t, rand.New(rand.NewPCG(4, 1)))
	got, err := Variants(run, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := verdicts(got.Pairs[0])[metric.Latency]
	if got.Pairs[0].A != "a" || got.Pairs[0].B != "b" || c.Verdict != Worse || len(c.Cautions) > 0 ||
		math.Abs(c.Shift.Ratio-1.2) > 0.05 {
		t.Errorf("got %+v, shift %+v", c, c.Shift)
	}
	m.engines = nil
	if _, err := Variants(m.run(t, rand.New(rand.NewPCG(4, 1))), Options{}); err == nil {
		t.Error("a run of one engine has variants")
	}
}

func TestEnoughDataShowsThatTwoAreEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	m := machine{loads: 1, repeats: 20, slower: 1, noise: 0.02}
	c := verdicts(compared(t, Options{}, m.run(t, r), m.run(t, r)).Pairs[0])[metric.TokenRate]
	if c.Verdict != Equal || c.Shift.Equal > DefaultMinEffect || c.Needed == nil || *c.Needed != 1 {
		t.Errorf("got %+v, %+v", c, c.Shift)
	}
}

func TestADisturbedMachineExplainsAChange(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	quiet := machine{loads: 1, repeats: 3, slower: 1, noise: 0.01}
	for _, c := range []struct {
		slower, busy float64
		want         Verdict
		cautious     bool
	}{
		{1.1, 0, Worse, false},
		{1.1, 0.1, Disturbed, false}, // a tenth of the machine is a fifth of the engine's half
		{2, 0.1, Worse, true},
	} {
		after := quiet
		after.slower, after.busy = c.slower, c.busy
		got := verdicts(compared(t, Options{}, quiet.run(t, r), after.run(t, r)).Pairs[0])[metric.Latency]
		if got.Verdict != c.want || slices.Contains(got.Cautions, Unquiet) != c.cautious {
			t.Errorf("%+v: got %s, %v", c, got.Verdict, got.Cautions)
		}
	}
}

func TestWhatIsUnlikeStandsFirstAndCanForbid(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	plain := machine{loads: 1, repeats: 3, slower: 1, noise: 0.01}
	for _, c := range []struct {
		what    string
		forbids bool
		change  func(*exobench.Header, *exobench.Session)
	}{
		{"answers", true, func(h *exobench.Header, _ *exobench.Session) { h.Plan.Workload.MaxTokens = 20 }},
		{"prompt cache", true, func(h *exobench.Header, _ *exobench.Session) { h.Plan.Workload.Cache = exobench.WarmCache }},
		{"temperature", true, func(h *exobench.Header, _ *exobench.Session) { h.Plan.Workload.Temperature = 1 }},
		{"processor", true, func(_ *exobench.Header, s *exobench.Session) { s.Host.Cores = 4 }},
		{"operating system", false, func(_ *exobench.Header, s *exobench.Session) { s.Host.System = "other" }},
		{"build of the system", false, func(_ *exobench.Header, s *exobench.Session) { s.Host.Build = "24A5" }},
		{"power", false, func(_ *exobench.Header, s *exobench.Session) { s.Host.Power.Source = exobench.Battery }},
		{"limits of control groups", false, func(_ *exobench.Header, s *exobench.Session) { s.Host.Limits.CPUs = 2 }},
		// That a GPU was not seen before does not mean that there was none.
		{"GPUs", false, func(_ *exobench.Header, s *exobench.Session) { s.Host.GPUs = []exobench.GPU{{Name: "H100"}} }},
		{"prompts", false, func(h *exobench.Header, _ *exobench.Session) { h.Plan.Workload.Prompts[4].Text = "other" }},
		{"engine's version", false, func(h *exobench.Header, _ *exobench.Session) { h.Engines[0].Version = "2" }},
		{"what answered", true, func(h *exobench.Header, _ *exobench.Session) { h.Engines[0].Label = "random weights" }},
	} {
		other := plain
		other.change = c.change
		a, b := plain.run(t, r), other.run(t, r)
		p := compared(t, Options{}, a, b).Pairs[0]
		if len(p.Unlike) != 1 || p.Unlike[0].What != c.what || p.Forbidden() != c.forbids || p.Forbidden() != (len(p.Cells) == 0) {
			t.Errorf("%s: %+v, cells %d", c.what, p.Unlike, len(p.Cells))
		}
		if forced := compared(t, Options{Force: true}, a, b).Pairs[0]; len(forced.Cells) != 1 || len(forced.Cells[0].Comparisons) == 0 {
			t.Errorf("%s: forced it compares %+v", c.what, forced.Cells)
		}
	}
}

func TestAnotherGPUForbidsAComparison(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	on := func(name string) *summary.Run {
		m := machine{loads: 1, repeats: 3, slower: 1, noise: 0.01}
		m.change = func(_ *exobench.Header, s *exobench.Session) { s.Host.GPUs = []exobench.GPU{{Name: name}} }
		return m.run(t, r)
	}
	if p := compared(t, Options{}, on("H100"), on("H200")).Pairs[0]; !p.Forbidden() {
		t.Errorf("%+v", p.Unlike)
	}
	if p := compared(t, Options{}, on("H100"), on("H100")).Pairs[0]; p.Forbidden() || len(p.Unlike) > 0 {
		t.Errorf("%+v", p.Unlike)
	}
}

func TestALimitIsPassedByTheWholeInterval(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	before := machine{loads: 1, repeats: 10, slower: 1, noise: 0.02}
	for _, c := range []struct {
		slower float64
		limits string
		want   int
	}{
		{1, "tokens_per_second<-5%,ttft>+10%", 0},
		{1.055, "tokens_per_second<-5%", 0}, // beyond it, but not for sure
		{1.2, "tokens_per_second<-5%", 1},
		{1.2, "tokens_per_second < -5 %, ttft_s>+10%, latency>10%", 3},
		{0.8, "tokens_per_second<-5%,ttft>+10%", 0},
	} {
		limits, err := ParseLimits(c.limits)
		if err != nil {
			t.Fatal(err)
		}
		after := before
		after.slower = c.slower
		breaches, _ := compared(t, Options{}, before.run(t, r), after.run(t, r)).Breaches(limits)
		if len(breaches) != c.want {
			t.Errorf("%+v: %v", c, breaches)
		}
	}
}

func TestWhatIsNoLimitSaysSo(t *testing.T) {
	for _, text := range []string{"", "tokens_per_second", "tokens_per_second<5%", "ttft>-10%", "speed<-5%", "ttft>10", "ttft>0%", "ttft<-100%", "load_s>5%"} {
		if limits, err := ParseLimits(text); err == nil {
			t.Errorf("%q gives %v", text, limits)
		} else if strings.Contains(err.Error(), "%!") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCellsThatOnlyOneHasAreNamed(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	plain := machine{loads: 1, repeats: 3, slower: 1, noise: 0.01}
	p := compared(t, Options{}, plain.run(t, r), machine{loads: 1, repeats: 3, slower: 1, engines: []string{"exo x", "exo y"}}.run(t, r)).Pairs[0]
	if got := fmt.Sprint(p.OnlyA, p.OnlyB, len(p.Cells)); got != "[one] [exo x one exo y one] 0" {
		t.Errorf("got %s", got)
	}
}

func TestSharpnessIsThatOfTheNoise(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which the whole tests run")
	}
	r := rand.New(rand.NewPCG(9, 9))
	// Medians of 15 requests with 3 % of noise, and loads that differ by 2 %.
	run := machine{loads: 40, repeats: 3, slower: 1, noise: 0.03, between: 0.02}.run(t, r)
	o := Options{Metrics: []string{metric.TokenRate, metric.Latency}}
	each := 1010 * ms * 15 // about what a load takes
	budgets := []time.Duration{time.Duration(8 * each), time.Duration(20 * each), time.Duration(60 * each)}
	all, err := Sharpen(run, budgets, 200, 1, o)
	if err != nil || len(all) != 6 {
		t.Fatalf("%d, %v", len(all), err)
	}
	for _, s := range all {
		if s.FalseAlarms > 0.08 && s.Apart {
			t.Errorf("%+v: more than some false alarms", s)
		}
	}
	for i := range 2 {
		few, many := all[3*i], all[3*i+1]
		if few.Smallest == nil || many.Smallest == nil {
			t.Fatalf("%+v, %+v", few, many)
		}
		if few.Loads >= many.Loads || *few.Smallest < *many.Smallest || *many.Smallest < 0.02 || *many.Smallest > 0.06 {
			t.Errorf("%s: %v with %d loads, %v with %d", few.Metric, *few.Smallest, few.Loads, *many.Smallest, many.Loads)
		}
		if all[3*i+2].Apart {
			t.Errorf("%+v: there are fewer loads", all[3*i+2])
		}
	}
	again, _ := Sharpen(run, budgets, 200, 1, o)
	if !slices.EqualFunc(all, again, func(a, b Sharpness) bool { return *a.Smallest == *b.Smallest && a.FalseAlarms == b.FalseAlarms }) {
		t.Error("the same run gives another answer")
	}
	if _, err := Sharpen(machine{loads: 3, repeats: 3, slower: 1}.run(t, r), budgets, 200, 1, o); err == nil || !strings.Contains(err.Error(), "--loads") {
		t.Errorf("of three loads: %v", err)
	}
}
