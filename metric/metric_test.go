package metric

import (
	"math"
	"strings"
	"testing"

	"exobench"
)

const ms = exobench.Instant(1e6)

func tokens(n exobench.Tokens) *exobench.Tokens { return &n }

// answer is a request sent at 1.000 s (due at 0.900 s) whose five output
// events come at 1.200, 1.300, 1.400, 1.600 and 2.000 s, the first of them
// reasoning. The finish reason comes at 2.050 s.
func answer() *exobench.Record {
	prefill, decode := 300.0, 12.5
	return &exobench.Record{
		Outcome: exobench.OK, Scheduled: 900 * ms, Sent: 1000 * ms,
		FirstChunk: 1100 * ms, FirstToken: 1200 * ms, FirstAnswer: 1300 * ms,
		LastToken: 2000 * ms, Done: 2050 * ms, Ended: 2100 * ms,
		PrefillStart: 1050 * ms, PrefillEnd: 1150 * ms, PrefillTokens: tokens(39),
		PromptTokens: tokens(50), CachedTokens: tokens(10), OutputTokens: tokens(5),
		Chunks: exobench.Chunks{{At: 1200 * ms}, {At: 1300 * ms}, {At: 1400 * ms}, {At: 1600 * ms}, {At: 2000 * ms}},
		Server: &exobench.ServerStats{PrefillTPS: &prefill, DecodeTPS: &decode, PeakMemory: new(exobench.Bytes(1 << 30))},
	}
}

func value(t *testing.T, name string, r *exobench.Record) (float64, bool) {
	t.Helper()
	m, ok := ByName(name)
	if !ok || m.Value == nil {
		t.Fatalf("no metric %q of a request", name)
	}
	return m.Value(r)
}

func TestMetricsOfOneAnswerByHand(t *testing.T) {
	hand := map[string]float64{
		"latency_s":                          1.050, // 2.050 − 1.000
		"latency_from_schedule_s":            1.150, // 2.050 − 0.900
		"ttft_s":                             0.200, // 1.200 − 1.000
		"ttft_from_schedule_s":               0.300, // 1.200 − 0.900
		"ttfa_s":                             0.300, // 1.300 − 1.000
		"send_slip_s":                        0.100, // 1.000 − 0.900
		"tokens_per_second":                  5,     // (5 − 1) / (2.000 − 1.200)
		"tpot_s":                             0.2,   // 0.8 / 4
		"e2e_tokens_per_second":              5 / 1.050,
		"prefill_tokens_per_second":          200,   // (50 − 10) / 0.200
		"inter_chunk_mean_s":                 0.2,   // (0.1 + 0.1 + 0.2 + 0.4) / 4
		"inter_chunk_p50_s":                  0.15,  // halfway between 0.1 and 0.2
		"inter_chunk_p99_s":                  0.394, // h = 3·0.99 = 2.97; 0.2 + 0.97·0.2
		"inter_chunk_max_s":                  0.4,
		"prefill_measured_tokens_per_second": 390, // 39 / (1.150 − 1.050)
		"server_prefill_tps":                 300,
		"server_decode_tps":                  12.5,
		"server_peak_memory_bytes":           1 << 30,
	}
	for _, m := range PerRequest() {
		want, listed := hand[m.Name]
		if !listed {
			t.Errorf("%s has no hand-computed value", m.Name)
			continue
		}
		if got, ok := m.Value(answer()); !ok || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s = %v, %v, want %v", m.Name, got, ok, want)
		}
	}
}

func TestTokensOfTheFirstEventDoNotCount(t *testing.T) {
	for _, row := range []struct {
		why  string
		n    exobench.Tokens
		want float64 // of tokens per second over 0.8 s; 0: blank
	}{
		{"four tokens an event: n₁ = 20/5", 20, 20},
		{"fewer tokens than events: n₁ is still 1", 3, 2.5},
		{"one token has no rate", 1, 0},
		{"no token has no rate", 0, 0},
	} {
		r := answer()
		r.OutputTokens = tokens(row.n)
		got, ok := value(t, "tokens_per_second", r)
		if ok != (row.want != 0) || math.Abs(got-row.want) > 1e-12 {
			t.Errorf("%s: %v, %v, want %v", row.why, got, ok, row.want)
		}
	}
}

func TestTokensHeldBackAndSentTogetherDoNotMakeTheRestFaster(t *testing.T) {
	r := answer()
	r.Chunks[1].At = r.Chunks[0].At // two of five events in the first read
	// n₁ = 2·5/5: three tokens in the 0.8 s after it.
	if got, ok := value(t, "tokens_per_second", r); !ok || math.Abs(got-3/0.8) > 1e-12 {
		t.Errorf("tokens per second %v, %v, want %v", got, ok, 3/0.8)
	}
}

func TestUnknownIsBlank(t *testing.T) {
	all := PerRequest()
	for _, row := range []struct {
		why    string
		change func(*exobench.Record)
		blank  string // the names that must be blank
	}{
		{"nothing came", func(r *exobench.Record) { *r = exobench.Record{Sent: ms} }, "*"},
		{"the token count is unknown", func(r *exobench.Record) { r.OutputTokens = nil },
			"tokens_per_second e2e_tokens_per_second tpot_s"},
		{"one output event", func(r *exobench.Record) { r.Chunks = r.Chunks[:1] },
			"tokens_per_second tpot_s inter_chunk_mean_s inter_chunk_p50_s inter_chunk_p99_s inter_chunk_max_s"},
		{"all events at one instant", func(r *exobench.Record) { r.LastToken = r.FirstToken },
			"tokens_per_second tpot_s"},
		{"the whole prompt was cached", func(r *exobench.Record) { r.CachedTokens = r.PromptTokens },
			"prefill_tokens_per_second"},
		{"all but a few tokens of the prompt were cached", func(r *exobench.Record) {
			r.PromptTokens, r.CachedTokens = new(exobench.Tokens(1000)), new(exobench.Tokens(999))
		}, "prefill_tokens_per_second"},
		{"the engine tells nothing of its prefill", func(r *exobench.Record) { r.PrefillStart = 0 }, "prefill_measured_tokens_per_second"},
		{"a prefill without length", func(r *exobench.Record) { r.PrefillEnd = r.PrefillStart }, "prefill_measured_tokens_per_second"},
		{"reasoning without an answer", func(r *exobench.Record) { r.FirstAnswer = 0 }, "ttfa_s"},
		{"the engine reports nothing", func(r *exobench.Record) { r.Server = nil },
			"server_prefill_tps server_decode_tps server_peak_memory_bytes"},
		{"the engine says 0 bytes", func(r *exobench.Record) { r.Server.PeakMemory = new(exobench.Bytes(0)) }, "server_peak_memory_bytes"},
		{"exo's rate of a single token", func(r *exobench.Record) { r.Server.DecodeTPS = new(0.0) }, "server_decode_tps"},
	} {
		r := answer()
		row.change(r)
		for _, m := range all {
			_, known := m.Value(r)
			blank := row.blank == "*" || strings.Contains(" "+row.blank+" ", " "+m.Name+" ")
			if known == blank {
				t.Errorf("%s: %s known: %v", row.why, m.Name, known)
			}
		}
	}
}

func TestPromptTokensNotReportedAsCachedCountAsUncached(t *testing.T) {
	r := answer()
	r.CachedTokens = nil
	if got, ok := value(t, "prefill_tokens_per_second", r); !ok || got != 250 {
		t.Errorf("50 tokens in 0.2 s: %v, %v, want 250", got, ok)
	}
}

func TestReasoningThatWasNotStreamedHasNoRate(t *testing.T) {
	streamed, all := answer(), answer()
	all.OutputTokens, all.HiddenTokens = new(*streamed.OutputTokens+500), new(exobench.Tokens(500))
	for _, name := range []string{TokenRate, TPOT} {
		want, _ := value(t, name, streamed)
		if got, ok := value(t, name, all); !ok || got != want {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, want)
		}
	}
}

func TestAPrefillWithoutItsTokensIsOfThoseThatWereNotCached(t *testing.T) {
	r := answer()
	r.PrefillTokens = nil
	if got, ok := value(t, PrefillMeasured, r); !ok || math.Abs(got-400) > 1e-9 { // (50 − 10) / 0.1
		t.Errorf("%v, %v, want 400", got, ok)
	}
}

func TestWhatCannotBeIsImpossible(t *testing.T) {
	for _, m := range All {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64} {
			if m.Possible(v) {
				t.Errorf("%s may be %v", m.Name, v)
			}
		}
		for _, v := range []float64{0, 1e-9, -0.001, 1, 86400, 1e7} {
			if !m.Possible(v) {
				t.Errorf("%s cannot be %v", m.Name, v)
			}
		}
	}
}

func TestTableIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All {
		if m.Title == "" || m.Formula == "" || m.Needs == "" || m.Unit == "" || m.Better == "" {
			t.Errorf("%s lacks a part: %+v", m.Name, m)
		}
		if seen[m.Name] {
			t.Errorf("%s stands twice", m.Name)
		}
		seen[m.Name] = true
		for unit, suffix := range map[Unit]string{Seconds: "_s", Bytes: "_bytes", Joules: "_j"} {
			if m.Unit == unit && !strings.HasSuffix(m.Name, suffix) {
				t.Errorf("the name of %s does not carry its unit %s", m.Name, m.Unit)
			}
		}
	}
}
