package summary

import (
	"math"
	"strings"
	"testing"

	"exobench"
)

// checkWarnings wants the warnings to begin, one by one, as given.
func checkWarnings(t *testing.T, c Cell, want ...string) {
	t.Helper()
	if len(c.Warnings) != len(want) {
		t.Errorf("warnings %q, want %q", c.Warnings, want)
		return
	}
	for i, begin := range want {
		if !strings.Contains(c.Warnings[i], begin) {
			t.Errorf("warning %q, want %q", c.Warnings[i], begin)
		}
	}
}

// served is an OK request of n tokens, the first 1 s after it was sent and then
// one each 100 ms: 10 tokens/s. Its server says the same, and that it read the
// 500 prompt tokens in that second.
func served(seq int, n exobench.Tokens) *exobench.Record {
	r := ok(seq, exobench.Instant(100*seq), second)
	r.FirstToken, r.FirstAnswer = r.Sent+second, r.Sent+second
	r.Chunks = nil
	for i := range exobench.Instant(n) {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: r.FirstToken + i*100*ms})
	}
	r.LastToken = r.Chunks[n-1].At
	r.Done, r.Ended = r.LastToken, r.LastToken
	r.OutputTokens, r.PromptTokens = tokens(n), tokens(500)
	r.Server = &exobench.ServerStats{PrefillTPS: new(500.0), DecodeTPS: new(10.0), OutputTokens: tokens(n)}
	return r
}

func TestDisagreementsNameTheirLikelyCause(t *testing.T) {
	const count = 7
	decode := func(tps float64) func(*exobench.Record) {
		return func(r *exobench.Record) { r.Server.DecodeTPS = &tps }
	}
	prefill := func(tps float64) func(*exobench.Record) {
		return func(r *exobench.Record) { r.Server.PrefillTPS = &tps }
	}
	for _, row := range []struct {
		why    string
		tokens exobench.Tokens
		change func(*exobench.Record)
		want   []string
	}{
		{"they agree", 64, func(*exobench.Record) {}, nil},
		{"5 % is within the tolerance", 64, decode(10.4), nil},
		{"the first token is counted: 11/10", 11, decode(11), []string{"the server counts the first token but not its time (with 11 tokens, n / (n − 1) = 1.10)"}},
		{"with many tokens that is no reason", 64, decode(11), []string{"more slowly than the server makes them"}},
		{"few tokens", 20, decode(12), []string{"too short for a rate (20 tokens)"}},
		{"events share reads", 64, func(r *exobench.Record) {
			for i := 33; i < 63; i += 2 {
				r.Chunks[i].At = r.Chunks[i+1].At
			}
			decode(20)(r)
		}, []string{"24 % of output events came in the same read"}},
		{"the second token is late", 64, func(r *exobench.Record) {
			for i := 1; i < 6; i++ {
				r.Chunks[i].At = r.Chunks[5].At + exobench.Instant(i)*ms
			}
			decode(20)(r)
		}, []string{"the first gap is 5.0 times the median one"}},
		{"the client is faster", 64, decode(8), []string{"1.25 times the server's own figure; most likely the server's time holds more"}},
		{"a rate of 0 is none", 64, decode(0), nil},
		{"the counts differ", 64, func(r *exobench.Record) { r.Server.OutputTokens = tokens(65) },
			[]string{"count output tokens differently in 7 of 7 requests (medians 64 and 65)"}},
		{"faster prefill than TTFT allows, cache unknown", 64, prefill(400), []string{"1.25 times the server's own figure, more than TTFT allows; most likely a cache hit that the answers do not tell"}},
		{"the same, and no token was cached", 64, func(r *exobench.Record) { r.CachedTokens = tokens(0); prefill(400)(r) },
			[]string{"most likely the definitions differ: the server leaves prompt tokens out"}},
		{"the same, from the cache", 64, func(r *exobench.Record) { r.Server.PrefixCache = "partial"; prefill(400)(r) },
			[]string{"answered in part from the engine's prompt cache", "prompt tokens came from the cache that are not told as cached"}},
		{"TTFT holds somewhat more", 64, prefill(900), nil},
		{"TTFT is mostly something else", 64, prefill(2000), []string{"TTFT holds 750 ms beyond the server's prefill; most likely queueing"}},
		{"others are served first", 64, func(r *exobench.Record) { r.Concurrency = 4; prefill(2000)(r) }, []string{"requests wait for each other (concurrency 4)"}},
		{"short prompts", 64, func(r *exobench.Record) { r.PromptTokens = tokens(20); prefill(2000)(r) }, []string{"the prompts are so short (20 tokens)"}},
	} {
		var entries []exobench.Entry
		for i := range count {
			r := served(i+1, row.tokens)
			row.change(r)
			entries = append(entries, r)
		}
		t.Log(row.why)
		checkWarnings(t, only(t, entries...), row.want...)
	}
}

func TestClientAndServerByHand(t *testing.T) {
	// Ratios of decode 1, 1.25, 0.8; one request tells nothing of it.
	entries := []exobench.Entry{served(1, 64), served(2, 64), served(3, 64), served(4, 64)}
	for i, tps := range []float64{10, 8, 12.5} {
		*entries[i].(*exobench.Record).Server.DecodeTPS = tps
	}
	entries[3].(*exobench.Record).Server = nil
	cs := only(t, entries...).ClientServer
	near := func(got, want float64) bool { return math.Abs(got-want) < 1e-9 }
	if d := cs.Decode; d.N != 3 || !near(d.Client, 10) || !near(d.Server, 10) || !near(d.Ratio, 1) || !near(d.Off, 2.0/3) {
		t.Errorf("decode %+v", d)
	}
	if o := cs.Output; o.N != 3 || o.Client != 64 || o.Server != 64 || o.Off != 0 || *cs.Events != *o {
		t.Errorf("output %+v, events %+v", o, cs.Events)
	}
	if p := cs.Prefill; p.N != 3 || !near(p.Ratio, 1) {
		t.Errorf("prefill %+v", p)
	}
}

func TestServersWithoutFiguresAreNotCompared(t *testing.T) {
	r := ok(1, 10, second)
	r.Server = &exobench.ServerStats{PrefixCache: "none"}
	for _, record := range []*exobench.Record{ok(1, 10, second), r} {
		if c := only(t, record); c.ClientServer != nil {
			t.Errorf("%+v", c.ClientServer)
		}
	}
}

// A count that is the server's own is compared with the events only.
func TestTheServersCountIsNotComparedWithItself(t *testing.T) {
	r := served(1, 64)
	r.TokensFrom = exobench.FromStats
	if cs := only(t, r).ClientServer; cs.Output != nil || cs.Events == nil {
		t.Errorf("output %+v, events %+v", cs.Output, cs.Events)
	}
}
