package wire

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"exobench"
)

// pieces are what random streams are made of.
var pieces = []string{
	content("a"), content(""), content("日本"), reasoning, roleOnly, finish, usageOnly, terminate,
	chunk(`{"delta":{"content":"x"},"finish_reason":"length"}`, ""),
	chunk(`{"delta":{"content":"x"}},{"delta":{"reasoning":"y"},"finish_reason":"stop"}`, ""),
	chunk("", `,"usage":{"prompt_tokens":9,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":3}}`),
	chunk("", `,"usage":{"completion_tokens":90,"total_tokens":1e300}`),
	chunk(`{"delta":{},"finish_reason":"stop"}`, `,"usage":{"completion_tokens":2},"timings":{"prompt_n":1,"predicted_n":2}`),
	chunk(`{"message":{"content":"whole"},"finish_reason":"stop"}`, ""),
	`: generation_stats {"generation_tokens":4,"prompt_tokens":3,"accepted":1}` + "\n\n",
	exoPrefill(0, 5), exoPrefill(5, 5), ": keep-alive\n\n",
	"data: {\"x\":1}\n\n", "event: ping\ndata: {}\n\n", "data: {\ndata: \"choices\":[]\ndata: }\n\n",
	"error: oh\n\n", "id: 5\r\r", "what is this\n", "\ufeff", "data: [", "\r\n\r",
	said("a"), said(""), ended("stop", fourTokens), ended("length", ""), `{"message":{"thinking":"hm"},"done":false}` + "\n", "\n",
}

// inSteps captures a text in reads at random, whose stamps may step back.
func inSteps(random *rand.Rand, text string) *capture {
	c := newCapture()
	at := exobench.Instant(1000)
	for len(text) > 0 {
		n := copy(c.spare(), text[:min(1+random.IntN(200), len(text))])
		at += exobench.Instant(random.IntN(1000))
		c.note(n, arrival{user: at, delay: int64(random.IntN(3000))})
		text = text[n:]
	}
	return c
}

// Whatever comes, the instants of a record are in the order of what they mean.
func TestInstantsOfRandomStreamsAreInOrder(t *testing.T) {
	const seed = 20260612
	random := rand.New(rand.NewPCG(seed, seed))
	for i := range 20_000 {
		var b strings.Builder
		for range random.IntN(30) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		dialect := []Dialect{OpenAI{}, LegacyExo{}, Ollama{}}[random.IntN(3)]
		answer := inSteps(random, b.String())
		record := exobench.Record{Sent: 1, Headers: exobench.Instant(1 + random.IntN(2000))}
		parse(answer, &record, &Call{Dialect: dialect, Body: []byte(`{"model":"m"}`)})
		answer.free()
		if checkOrder(t, &record); t.Failed() {
			t.Fatalf("seed %d, stream %d, %T: %q", seed, i, dialect, b.String())
		}
	}
}

func TestThePrefillIsMeasuredWhereTheEngineTellsOfIt(t *testing.T) {
	progress := func(cached, processed int) string {
		return chunk(delta(`"role":"assistant","content":null`), fmt.Sprintf(`,"prompt_progress":{"total":1000,"cache":%d,"processed":%d,"time_ms":1}`, cached, processed))
	}
	for _, c := range []struct {
		name       string
		parts      []string
		start, end int // which part
		tokens     exobench.Tokens
	}{
		{"exo", []string{": keep-alive\n\n", exoPrefill(0, 511), exoPrefill(510, 511), exoPrefill(511, 511), content("a"), finish, terminate}, 1, 3, 511},
		{"exo, all of it cached", []string{": keep-alive\n\n", content("a"), finish, terminate}, -1, -1, 0},
		{"exo, whose start was not seen", []string{exoPrefill(4096, 9000), exoPrefill(9000, 9000), content("a"), finish, terminate}, -1, -1, 0},
		{"llama.cpp", []string{progress(0, 0), progress(0, 512), progress(0, 1000), content("a"), finish, terminate}, 0, 2, 1000},
		{"llama.cpp with a cache", []string{progress(600, 600), progress(600, 1000), content("a"), finish, terminate}, 0, 1, 400},
	} {
		r := inReads(c.parts)
		instant := func(part int) exobench.Instant {
			if part < 0 {
				return 0
			}
			return exobench.Instant(1000*(part+1) - 500)
		}
		if c.tokens == 0 {
			if r.PrefillTokens != nil || r.PrefillEnd.Reached() {
				t.Errorf("%s: %d tokens until %d", c.name, *r.PrefillTokens, r.PrefillEnd)
			}
			continue
		}
		if r.PrefillStart != instant(c.start) || r.PrefillEnd != instant(c.end) || r.PrefillTokens == nil || *r.PrefillTokens != c.tokens {
			t.Errorf("%s: from %d to %d, %s tokens", c.name, r.PrefillStart, r.PrefillEnd, show(r.PrefillTokens))
		}
	}
}

func TestDraftsAreKept(t *testing.T) {
	for name, last := range map[string]string{
		"exo":       `: generation_stats {"generation_tps":9.25,"generation_tokens":2,"draft_proposed_tokens":8,"draft_accepted_tokens":5,"draft_mode":"ngram","acceptance_rate":0.625}` + "\n\n",
		"llama.cpp": chunk("", `,"timings":{"prompt_n":1,"cache_n":0,"predicted_n":2,"draft_n":8,"draft_n_accepted":5}`),
		"usage":     chunk("", `,"usage":{"completion_tokens":2,"completion_tokens_details":{"accepted_prediction_tokens":5,"rejected_prediction_tokens":3}}`),
	} {
		s := inReads([]string{content("a"), content("b"), finish, last, terminate}).Server
		if s == nil || s.DraftTokens == nil || *s.DraftTokens != 8 || s.AcceptedTokens == nil || *s.AcceptedTokens != 5 || s.PrefixCache != "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestAbsurdStatisticsAreAbsent(t *testing.T) {
	for name, last := range map[string]string{
		"exo":       `: generation_stats {"prompt_tps":1.7e308,"generation_tps":-1,"prompt_tokens":1e30,"generation_tokens":"2","peak_memory_usage":{"in_bytes":1e300}}` + "\n\n",
		"llama.cpp": chunk("", `,"timings":{"prompt_n":1e30,"cache_n":-1,"predicted_n":2,"prompt_per_second":1.7e308,"predicted_per_second":1e999}`),
	} {
		r := inReads([]string{content("a"), content("b"), finish, last, terminate})
		s := r.Server
		if s == nil || s.PrefillTPS != nil || s.DecodeTPS != nil || s.PromptTokens != nil || s.PeakMemory != nil || *r.OutputTokens != 2 {
			t.Errorf("%s: %+v, %s output tokens", name, s, show(r.OutputTokens))
		}
		if len(r.Doubts) != 1 || r.Doubts[0].Kind != exobench.AbsurdFigure || r.Doubts[0].Count < 2 || r.Doubts[0].Text == "" {
			t.Errorf("%s: doubts %+v", name, r.Doubts)
		}
	}
}

func TestTheIDsOfAServerAreBounded(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	answer := captureOf([]byte(`data: {"id":"`+long+`","model":"\u001b]0;m\u0007\u202e","choices":[{"delta":{"content":"a"},"finish_reason":"`+long+`"}]}`+"\n\n"+terminate), 4096)
	defer answer.free()
	r := new(exobench.Record)
	parse(answer, r, &Call{})
	for _, text := range []string{r.ServerID, r.ServerModel, r.FinishReason, r.Doubts[0].Text} {
		if len(text) > errorTextLimit+len("…") || strings.ContainsAny(text, "\x1b\x07\u202e") {
			t.Errorf("%d bytes: %q", len(text), text)
		}
	}
}

// fuzz reads whatever comes in a dialect: strictly and loosely alike, with the
// instants in order, and over where the lookout saw the end.
func fuzz(f *testing.F, dialect Dialect) {
	for _, c := range cases {
		var b strings.Builder
		for _, p := range c.parts {
			b.WriteString(p.text)
		}
		f.Add([]byte(b.String()), uint8(100))
		f.Add([]byte(b.String()), uint8(1))
	}
	for text := range recorded(f) {
		f.Add([]byte(text), uint8(255))
	}
	for _, p := range pieces {
		f.Add([]byte(p), uint8(7))
	}
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		agree(t, text, dialect)
		answer := captureOf(text, max(1, int(size)))
		defer answer.free()
		record := exobench.Record{Sent: 1, Headers: 1}
		s := parse(answer, &record, &Call{Dialect: dialect})
		checkOrder(t, &record)
		l := lookout{dialect: dialect}
		for rest, over := text, false; len(rest) > 0 && !over; {
			n := min(len(rest), max(1, int(size)))
			_, over, _ = l.read(rest[:n])
			if rest = rest[n:]; over && !s.over && s.failure == "" && s.malformed == "" {
				t.Errorf("%q: the end was seen and is none", text)
			}
		}
	})
}

func FuzzOpenAI(f *testing.F)    { fuzz(f, OpenAI{}) }
func FuzzLegacyExo(f *testing.F) { fuzz(f, LegacyExo{}) }
func FuzzOllama(f *testing.F)    { fuzz(f, Ollama{}) }
