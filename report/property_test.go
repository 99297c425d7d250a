package report

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"exobench"
	"exobench/summary"
)

// noNumber finds what is written of a number that is none.
var noNumber = regexp.MustCompile(`\b(NaN|[+-]?Inf)\b`)

// wild makes values that a broken server, clock or sensor might bring.
type wild struct{ *rand.Rand }

func (w wild) float() float64 {
	special := []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e300, 1e-300, 1e18, 1e19}
	if w.IntN(2) == 0 {
		return special[w.IntN(len(special))]
	}
	return 100 * w.Float64()
}

func (w wild) whole() int64 {
	special := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1e12, -1e12, 1e18}
	if w.IntN(3) == 0 {
		return special[w.IntN(len(special))]
	}
	return w.Int64N(20e9)
}

func (w wild) instant() exobench.Instant { return exobench.Instant(w.whole()) }

func (w wild) tokens() *exobench.Tokens {
	switch w.IntN(3) {
	case 0:
		return nil
	case 1:
		return new(exobench.Tokens(w.Int64N(200)))
	}
	return new(exobench.Tokens(w.whole()))
}

func (w wild) rate() *float64 { return new(w.float()) }

func (w wild) record(seq, block int) *exobench.Record {
	r := request(exobench.Instant(seq)*second, seq%8)
	r.Seq, r.Block = seq, block
	for _, field := range []*exobench.Instant{
		&r.Scheduled, &r.Sent, &r.FirstToken, &r.FirstAnswer, &r.LastToken, &r.Done, &r.Ended, &r.PrefillStart, &r.PrefillEnd,
	} {
		if w.IntN(4) == 0 {
			*field = w.instant()
		}
	}
	for _, field := range []**exobench.Tokens{&r.PromptTokens, &r.CachedTokens, &r.OutputTokens, &r.ReasoningTokens, &r.HiddenTokens, &r.PrefillTokens} {
		if w.IntN(2) == 0 {
			*field = w.tokens()
		}
	}
	for i := range r.Chunks {
		if w.IntN(8) == 0 {
			r.Chunks[i].At = w.instant()
		}
		if w.IntN(3) == 0 {
			r.Delays = append(r.Delays, w.whole())
		}
	}
	if w.IntN(2) == 0 {
		r.Server = &exobench.ServerStats{
			PrefillTPS: w.rate(), DecodeTPS: w.rate(), PromptTokens: w.tokens(), OutputTokens: w.tokens(), LoadTime: time.Duration(w.whole()),
		}
	}
	r.TokensFrom = []exobench.TokensFrom{exobench.FromUsage, exobench.FromUsage, exobench.FromStats, exobench.FromEvents, ""}[w.IntN(5)]
	if w.IntN(4) == 0 {
		r.Outcome = exobench.Outcomes[w.IntN(len(exobench.Outcomes))]
	}
	if w.IntN(4) == 0 {
		r.Doubts = []exobench.Doubt{{Kind: exobench.DoubtKinds[w.IntN(len(exobench.DoubtKinds))], Said: w.whole(), Seen: w.whole()}}
	}
	return r
}

func (w wild) sample(step, block int) *exobench.Sample {
	sensors := map[string][]exobench.Quantity{
		"processes": {exobench.PSS, exobench.RSS, exobench.Anonymous, exobench.File},
		"nodes":     {exobench.NodeUsed, exobench.NodeTotal, exobench.NodePower, exobench.NodeGPU, exobench.NodeTemperature},
		"machine":   {exobench.Steal, exobench.Foreign, exobench.EngineCPU, exobench.HarnessCPU, exobench.HiccupP99, exobench.HiccupMax, exobench.GCPauseMax, exobench.SchedulerP99},
	}
	sensor := []string{"processes", "nodes", "machine"}[w.IntN(3)]
	s := &exobench.Sample{
		At: w.instant(), Step: step, Block: block, Sensor: sensor, Span: time.Duration(w.whole()),
		Moment: []exobench.Moment{exobench.Before, exobench.Loaded, exobench.During}[w.IntN(3)],
	}
	for _, q := range sensors[sensor] {
		s.Values = append(s.Values, exobench.Value{Quantity: q, Value: w.float()})
	}
	return s
}

// journal is a run of two cells of wild requests and readings.
func (w wild) journal() []exobench.Entry {
	traffic := []exobench.Traffic{{Concurrency: 1}, {Rate: 3, Arrival: exobench.Poisson}}
	s := newScript(planOf("exo", traffic, exobench.Stop{Requests: 9}, "m"), exobench.Host{Name: "h"},
		exobench.Engine{Name: "exo", Driver: "exo", LifeCycle: true, Models: []exobench.Model{{Name: "m", ID: "m"}}})
	s.load(1, 0, "here", 40*mib)
	for nth := range traffic {
		block := s.block(1, 1+nth, exobench.Instant(10+10*nth)*second)
		for i := range 1 + w.IntN(9) {
			s.add(w.record(10*nth+i+1, block), w.sample(1, block))
		}
		s.add(&exobench.BlockEnd{At: w.instant(), Block: block, Reason: exobench.BlockDone})
	}
	s.add(&exobench.StepEnd{At: w.instant(), Step: 1, Reason: exobench.StepReleased}, &exobench.End{At: w.instant(), Session: 1, Reason: exobench.EndFinished})
	return s.entries
}

// check writes every report of entries and returns what is wrong with them.
func check(t *testing.T, entries []exobench.Entry) {
	t.Helper()
	dir := t.TempDir()
	run, again := build(t, entries)
	if err := Write(dir, run, again); err != nil {
		t.Error(err)
	}
	for _, name := range Files() {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		if at := noNumber.FindIndex(text); at != nil && !bytes.HasPrefix(text, []byte("\x89PNG")) {
			t.Errorf("%s: …%s…", name, text[max(0, at[0]-200):min(len(text), at[1]+50)])
		}
	}
}

func TestNoRecordMakesAReportThatCannotBeWrittenOrIsNoNumber(t *testing.T) {
	pictures := files
	defer func() { files = pictures }()
	seeds := uint64(100)
	if testing.Short() {
		seeds = 21
	}
	for seed := range seeds {
		// Pictures take most of the time.
		if files = pictures; seed%20 != 0 {
			files = slices.DeleteFunc(slices.Clone(pictures), func(f file) bool { return filepath.Ext(f.name) == ".png" })
		}
		if check(t, wild{rand.New(rand.NewPCG(seed, 1))}.journal()); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestOneAbsurdFigureLeavesEveryReport(t *testing.T) {
	entries := finished()
	for _, e := range entries {
		if r, ok := e.(*exobench.Record); ok && r.Seq == 3 {
			r.Server = &exobench.ServerStats{DecodeTPS: new(1.7e308), PrefillTPS: new(1.7e308)}
			r.OutputTokens = new(exobench.Tokens(1e12))
		}
	}
	check(t, entries)
	run, _ := build(t, entries)
	found := func(w summary.Warning) bool { return w.Kind == "impossible_figures" }
	if !slices.ContainsFunc(run.Cells[0].Warnings, found) {
		t.Errorf("warnings %+v", run.Cells[0].Warnings)
	}
}
