package wire

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"exobench"
)

func said(text string) string {
	return fmt.Sprintf(`{"model":"m:latest","created_at":"2026-11-24T06:30:23.7Z","message":{"role":"assistant","content":%q},"done":false}`, text) + "\n"
}

// ended is a last line with the figures given.
func ended(reason, figures string) string {
	return `{"model":"m:latest","message":{"role":"assistant","content":""},"done":true,"done_reason":"` + reason + `"` + figures + "}\n"
}

const fourTokens = `,"total_duration":30000000,"load_duration":3000000,"prompt_eval_count":20,"prompt_eval_duration":10000000,"eval_count":4,"eval_duration":6000000`

func ollamaDo(t *testing.T, answer string) exobench.Record {
	t.Helper()
	client := NewClient(Config{Clock: exobench.NewClock()})
	t.Cleanup(client.Close)
	return client.Do(t.Context(), Call{URL: rawServer(t, answer, false), Dialect: Ollama{}, Timeout: 20 * time.Second})
}

func TestOllamaOutcomes(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		want   exobench.Outcome
		text   string // in the error
	}{
		{name: "a whole stream", answer: chunked(said("a"), said("b"), ended("length", fourTokens)), want: exobench.OK},
		{name: "a stop", answer: chunked(said("a"), ended("stop", fourTokens)), want: exobench.OK},
		{name: "no newline after the last line", answer: chunked(said("a"), strings.TrimSpace(ended("stop", fourTokens))), want: exobench.OK},
		{name: "all output in the last line", answer: chunked(`{"message":{"role":"assistant","content":"all"},"done":true,"done_reason":"stop","eval_count":2}` + "\n"), want: exobench.OK},
		{name: "the connection breaks after the last line", answer: strings.TrimSuffix(chunked(said("a"), ended("stop", fourTokens)), "0\r\n\r\n"), want: exobench.OK},
		{name: "an end without a last line, as after one token 31 times", answer: chunked(strings.Repeat(said("nc"), 31)), want: exobench.Truncated, text: "over 30 times"},
		{name: "an end in mid-line", answer: chunked(said("a"), said("b")[:40]), want: exobench.Truncated, text: `a line with "done"`},
		{name: "a closed connection", answer: strings.TrimSuffix(chunked(said("a")), "0\r\n\r\n"), want: exobench.Truncated, text: "closed the connection"},
		{name: "an error as a line of a stream", answer: chunked(said("a"), `{"error":"an error was encountered while running the model: unexpected EOF"}`+"\n"), want: exobench.StreamError, text: "while running the model"},
		{name: "an error as the first line", answer: chunked(`{"error":"llama runner process has terminated"}` + "\n"), want: exobench.StreamError, text: "has terminated"},
		{name: "no output", answer: chunked(ended("stop", `,"eval_count":1`)), want: exobench.Empty, text: "no output"},
		{name: "the answer to a request without messages", answer: chunked(ended("load", "")), want: exobench.Empty, text: "no output"},
		{name: "no body", answer: status(200, "application/x-ndjson", ""), want: exobench.Empty, text: "no body"},
		{name: "bad JSON", answer: chunked(said("a"), "{oops\n", ended("stop", fourTokens)), want: exobench.Malformed, text: "{oops"},
		{name: "an unknown model", answer: status(404, "application/json", `{"error":"model 'nope' not found"}`), want: exobench.HTTPError, text: "HTTP 404: model 'nope' not found"},
		{name: "a prompt too long with truncate false", answer: status(400, "application/json", `{"error":"the input length exceeds the context length"}`), want: exobench.HTTPError, text: "HTTP 400: the input length exceeds"},
		{name: "a full queue", answer: status(503, "application/json", `{"error":"server busy, please try again.  maximum pending requests exceeded"}`), want: exobench.HTTPError, text: "HTTP 503: server busy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := ollamaDo(t, c.answer)
			if r.Outcome != c.want || !strings.Contains(r.Error, c.text) || (r.Outcome == exobench.OK) != (r.Error == "") {
				t.Errorf("outcome %q, error %q; want %q and an error with %q", r.Outcome, r.Error, c.want, c.text)
			}
		})
	}
}

func TestEventsWithOutputAreCounted(t *testing.T) {
	client := NewClient(Config{Clock: exobench.NewClock()})
	t.Cleanup(client.Close)
	for _, c := range []struct {
		name, answer string
		dialect      Dialect
		want         int64 // in all so far
	}{
		{"2 of SSE", chunked(roleOnly, content("a"), content("b"), finish, usageOnly, terminate), OpenAI{}, 2},
		{"2 lines", chunked(said("a"), said("b"), ended("stop", fourTokens)), Ollama{}, 4},
		{"1 of SSE, the last without its empty line", chunked(content("a"), finish, "data: [DONE]\n"), OpenAI{}, 5},
		{"a prefill in comments", chunked(strings.Repeat(exoPrefill(1, 9)+": keep-alive\n\n", 50), content("a"), finish, terminate), OpenAI{}, 6},
		{"spaces, as Python writes them", chunked(`data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}`+"\n\n", strings.Repeat(`data: {"choices": [{"delta": {"role": "assistant", "content": "a"}}]}`+"\n\n", 3), finish, terminate), OpenAI{}, 9},
		{"reasoning and calls", chunked(chunk(delta(`"content":"","reasoning_content":"hm"`), ""), chunk(delta(`"tool_calls":[{"function":{"arguments":"{}"}}]`), ""), chunk(delta(`"content":null,"tool_calls":[]`), ""), finish, terminate), OpenAI{}, 11},
		{"llama.cpp's progress", chunked(`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}],"prompt_progress":{"total":9,"processed":4}}`+"\n\n", content("a"), finish, terminate), OpenAI{}, 12},
		{"legacy exo", chunked(content("a"), finish), LegacyExo{}, 13},
	} {
		if r := client.Do(t.Context(), Call{URL: rawServer(t, c.answer, false), Dialect: c.dialect}); r.Outcome != exobench.OK {
			t.Fatalf("%s: outcome %s %s", c.name, r.Outcome, r.Error)
		}
		if got := client.Events(); got != c.want {
			t.Errorf("%s: %d events so far, want %d", c.name, got, c.want)
		}
	}
}

func TestOllamaStatisticsComeFromTheLastLine(t *testing.T) {
	r := ollamaDo(t, chunked(said("a"), said("bc"), ended("length", fourTokens)))
	s := r.Server
	if s == nil || *s.PromptTokens != 20 || *s.OutputTokens != 4 || s.LoadTime != 3*time.Millisecond {
		t.Fatalf("server statistics %+v", s)
	}
	// 20 tokens in 10 ms; 4 tokens, of which 3 took the 6 ms.
	if *s.PrefillTPS != 2000 || *s.DecodeTPS != 500 {
		t.Errorf("prefill %v/s, decode %v/s; want 2000 and 500", *s.PrefillTPS, *s.DecodeTPS)
	}
	if *r.PromptTokens != 20 || *r.OutputTokens != 4 || r.TokensFrom != exobench.FromStats || len(r.Chunks) != 2 || r.CachedTokens != nil {
		t.Errorf("%d prompt tokens, %d output tokens from %s in %d chunks, cached %v", *r.PromptTokens, *r.OutputTokens, r.TokensFrom, len(r.Chunks), r.CachedTokens)
	}
	if r.FinishReason != "length" || r.ServerModel != "m:latest" {
		t.Errorf("finish reason %q, model %q", r.FinishReason, r.ServerModel)
	}
}

func TestAMissingOllamaFigureIsUnknown(t *testing.T) {
	// Before 0.3.14, a prompt that came whole from the cache has no count.
	r := ollamaDo(t, chunked(said("a"), ended("stop", `,"eval_count":1,"eval_duration":0`)))
	if r.PromptTokens != nil || r.Server.PromptTokens != nil || r.Server.PrefillTPS != nil || r.Server.DecodeTPS != nil {
		t.Errorf("prompt tokens %v, server %+v; want unknown", r.PromptTokens, r.Server)
	}
}

func TestThinkingIsOutputAndNoAnswer(t *testing.T) {
	thought := `{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}` + "\n"
	r := ollamaDo(t, chunked(thought, ended("length", fourTokens)))
	if r.Outcome != exobench.OK || !r.FirstToken.Reached() || r.FirstAnswer.Reached() || r.Chunks[0].Bytes != 2 {
		t.Errorf("outcome %s, first token %d, first answer %d, chunks %v", r.Outcome, r.FirstToken, r.FirstAnswer, r.Chunks)
	}
}

func TestTheLastOllamaLineMayCarryOutput(t *testing.T) {
	held := strings.Replace(ended("stop", fourTokens), `"content":""`, `"content":"held back"`, 1)
	r := ollamaDo(t, chunked(said("a"), held))
	if r.Outcome != exobench.OK || len(r.Chunks) != 2 || r.Chunks[1].Bytes != len("held back") || r.LastToken != r.Done {
		t.Errorf("outcome %s, chunks %v, last token %d, done %d", r.Outcome, r.Chunks, r.LastToken, r.Done)
	}
}

func TestARecordedStreamOfOllama(t *testing.T) {
	// Of Ollama 0.17.4: 8 tokens in 6 lines, since it merges incomplete
	// characters.
	text, err := os.ReadFile("testdata/ollama-chat.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	r := ollamaDo(t, chunked(string(text)))
	if r.Outcome != exobench.OK || len(r.Chunks) != 6 || *r.OutputTokens != 8 || r.TokensFrom != exobench.FromStats || *r.PromptTokens != 23 {
		t.Errorf("outcome %s %s, %d chunks, %d tokens from %s, %d prompt tokens", r.Outcome, r.Error, len(r.Chunks), *r.OutputTokens, r.TokensFrom, *r.PromptTokens)
	}
	if r.FinishReason != "length" || r.ServerModel != "r-tiny:latest" || r.Server.LoadTime != 3273413 {
		t.Errorf("finish reason %q, model %q, load %v", r.FinishReason, r.ServerModel, r.Server.LoadTime)
	}
}

func TestOllamaTellsWhatCameFromItsCache(t *testing.T) {
	// Of Ollama 0.34.0: the same prompt for the second time, all of it but the last
	// token from the cache.
	text, err := os.ReadFile("testdata/ollama-0.34-cached.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	r := ollamaDo(t, chunked(string(text)))
	if r.Outcome != exobench.OK || *r.PromptTokens != 25 || r.CachedTokens == nil || *r.CachedTokens != 24 {
		t.Fatalf("outcome %s %s, %d prompt tokens, cached %v", r.Outcome, r.Error, *r.PromptTokens, r.CachedTokens)
	}
	// 1 token in 3.115 ms: the others took no time.
	if rate := *r.Server.PrefillTPS; rate < 321 || rate > 322 {
		t.Errorf("prefill %v/s", rate)
	}
	cold := ollamaDo(t, chunked(strings.Replace(string(text), `cached_count":24`, `cached_count":0`, 1)))
	if cold.CachedTokens == nil || *cold.CachedTokens != 0 {
		t.Errorf("of a cold prompt: cached %v", cold.CachedTokens)
	}
	absurd := ollamaDo(t, chunked(strings.Replace(string(text), `cached_count":24`, `cached_count":26`, 1)))
	if absurd.CachedTokens != nil || absurd.Server.PrefillTPS != nil || len(absurd.Doubts) == 0 {
		t.Errorf("more cached than asked: cached %v, server %+v, doubts %v", absurd.CachedTokens, absurd.Server, absurd.Doubts)
	}
}

func TestARecordedStreamOfLegacyExo(t *testing.T) {
	// Of exo v0.0.15-alpha with its dummy engine: no usage, no [DONE], the text
	// in both message and delta.
	text, err := os.ReadFile("testdata/exo-legacy-dummy.sse")
	if err != nil {
		t.Fatal(err)
	}
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	r := client.Do(t.Context(), Call{URL: rawServer(t, chunked(string(text)), false), Dialect: LegacyExo{}})
	if r.Outcome != exobench.OK || len(r.Chunks) != 10 || r.Chunks[0].Bytes != len("dummy") || r.TokensFrom != exobench.FromEvents {
		t.Errorf("outcome %s %s, chunks %v, tokens from %s", r.Outcome, r.Error, r.Chunks, r.TokensFrom)
	}
	if r.FinishReason != "stop" || r.ServerModel != "dummy" {
		t.Errorf("finish reason %q, model %q", r.FinishReason, r.ServerModel)
	}
}
