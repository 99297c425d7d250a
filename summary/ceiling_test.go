package summary

import (
	"math"
	"slices"
	"testing"

	"exobench"
	"exobench/metric"
)

// aCeiling is of model one: 100 GB/s, 1 GB of weights and 1 MB for a position.
func aCeiling(session int, perSecond float64) *exobench.Ceiling {
	return &exobench.Ceiling{
		Session: session, Engine: "exo", Model: "one", Weights: 1e9, Position: 1e6, Basis: exobench.CeilingOfFile,
		Bandwidth: exobench.Bandwidth{PerSecond: perSecond, From: exobench.BandwidthMeasured, Of: "this machine's CPU"},
	}
}

// within is a request with a prompt of so many tokens, 10 tokens/s and 10 tokens.
func within(seq int, prompt exobench.Tokens) *exobench.Record {
	r := ok(seq, exobench.Instant(10*seq), second)
	r.PromptTokens = &prompt
	return r
}

func TestShareOfTheCeilingByHand(t *testing.T) {
	// 10 tokens/s; a token has the prompt and half of 10 tokens before it: 95 + 5
	// and 295 + 5 positions, 200 on average, of 1 MB each beside 1 GB.
	c := only(t, within(1, 95), within(2, 295), aCeiling(1, 24e9))
	if c.Ceiling == nil || c.Ceiling.Positions != 200 || c.Ceiling.KV != 200e6 {
		t.Fatalf("got %+v", c.Ceiling)
	}
	rate, _ := c.Value(metric.DecodeCeiling)
	share, _ := c.Value(metric.ShareOfCeiling)
	if math.Abs(rate-20) > 1e-9 || math.Abs(share-0.5) > 1e-9 {
		t.Errorf("the ceiling is %v tokens/s and the share %v, want 20 and 0.5", rate, share)
	}
	if slices.ContainsFunc(c.Warnings, func(w Warning) bool { return w.Kind == "above_ceiling" }) {
		t.Errorf("got %+v", c.Warnings)
	}
}

func TestWhatIsAboveItsCeilingIsDoubted(t *testing.T) {
	c := only(t, within(1, 95), aCeiling(1, 5.5e9))
	want := AboveCeiling{Share: 2, Bandwidth: 5.5e9, From: exobench.BandwidthMeasured}
	var got Figures
	for _, w := range c.Warnings {
		if w.Kind == "above_ceiling" {
			got = w.Figures
		}
	}
	f, _ := got.(AboveCeiling)
	if f.Share = math.Round(f.Share*1e9) / 1e9; f != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	drafted := within(1, 95)
	drafted.Server = &exobench.ServerStats{DraftTokens: tokens(4)}
	if c := only(t, drafted, aCeiling(1, 5.5e9)); !c.Ceiling.Drafted {
		t.Error("drafts are not told")
	}
}

func TestTheCeilingIsTheHighestThatSessionsTold(t *testing.T) {
	for _, order := range [][]float64{{10e9, 20e9}, {20e9, 10e9}} {
		c := only(t, within(1, 95), aCeiling(1, order[0]), aCeiling(2, order[1]))
		if c.Ceiling.PerSecond != 20e9 {
			t.Errorf("told %v: got %v", order, c.Ceiling.PerSecond)
		}
	}
}

func TestAGPUThatHoldsNothingBoundsNothing(t *testing.T) {
	for _, row := range []struct {
		why  string
		gpu  *GPUMemory
		want bool
	}{
		{"it was not read", nil, false},
		{"it holds the weights", &GPUMemory{Before: new(500 * mib), Peak: new(1500 * mib)}, false},
		{"what it holds was there before", &GPUMemory{Before: new(1400 * mib), Peak: new(1500 * mib)}, true},
		{"it works in the host's memory", &GPUMemory{Unified: true, Peak: new(1 * mib)}, false},
		{"its peak is not known", &GPUMemory{Before: new(5 * mib)}, false},
	} {
		if got := onCPU(row.gpu, 1000*mib); got != row.want {
			t.Errorf("%s: the engine runs on the CPU: %v", row.why, got)
		}
	}
}

func TestNoCeilingWhereNoneIsKnown(t *testing.T) {
	windowed := aCeiling(1, 1e9)
	windowed.Window = 50
	for _, row := range []struct {
		why     string
		entries []exobench.Entry
		kv      float64 // -1 is no ceiling
	}{
		{"nothing is told", []exobench.Entry{within(1, 95)}, -1},
		{"no request", []exobench.Entry{aCeiling(1, 1e9)}, -1},
		{"no figure that can be", []exobench.Entry{within(1, 95), aCeiling(1, math.NaN()), aCeiling(1, math.Inf(1)), aCeiling(1, -1)}, -1},
		{"no prompt tokens: that of an empty context", []exobench.Entry{ok(1, 1, second), aCeiling(1, 1e9)}, 0},
		{"a window", []exobench.Entry{within(1, 95), windowed}, 50e6},
	} {
		c := only(t, row.entries...)
		if (c.Ceiling == nil) != (row.kv < 0) || c.Ceiling != nil && float64(c.Ceiling.KV) != row.kv {
			t.Errorf("%s: got %+v", row.why, c.Ceiling)
		}
		if _, told := c.Value(metric.DecodeCeiling); told != (row.kv >= 0) {
			t.Errorf("%s: the value is there: %v", row.why, told)
		}
	}
}
