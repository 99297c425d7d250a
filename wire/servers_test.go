package wire

import (
	"fmt"
	"strings"
	"testing"

	"exobench"
)

// chunk is an OpenAI chunk with these choices and this tail of other members.
func chunk(choices, tail string) string {
	return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[` + choices + `]` + tail + "}\n\n"
}

func delta(members string) string {
	return `{"index":0,"delta":{` + members + `},"logprobs":null,"finish_reason":null}`
}

// What servers do that a reader of streams must not trip over. Each double does
// what its server is known to do.
func TestWaysOfOtherServers(t *testing.T) {
	usage := func(prompt, output int, more string) string {
		return fmt.Sprintf(`,"usage":{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d%s}`, prompt, prompt+output, output, more)
	}
	words := func(n int) (out []string) {
		for range n {
			out = append(out, chunk(delta(`"content":" word"`), ""))
		}
		return out
	}
	for _, c := range []struct {
		name                   string
		parts                  []string
		chunks, output, cached int
		from                   exobench.TokensFrom
		answer                 int  // which chunk is the first of the answer; -1 is none
		roleOnly               bool // an event without output comes first
	}{
		{
			name: "vLLM: a role chunk before the first token, the finish with content, usage in a chunk without choices",
			parts: append(append([]string{chunk(delta(`"role":"assistant","content":""`), "")}, words(3)...),
				chunk(`{"index":0,"delta":{"content":" end"},"logprobs":null,"finish_reason":"length","stop_reason":null}`, ""),
				chunk("", usage(9, 4, `,"prompt_tokens_details":{"cached_tokens":8}`)), terminate),
			chunks: 4, output: 4, cached: 8, from: exobench.FromUsage, roleOnly: true,
		},
		{
			name: "vLLM with continuous usage: usage in every chunk, the last one holds",
			parts: []string{
				chunk(delta(`"role":"assistant","content":""`), usage(9, 0, "")), chunk(delta(`"content":"a"`), usage(9, 1, "")),
				chunk(`{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}`, usage(9, 2, "")), terminate,
			},
			chunks: 2, output: 2, cached: -1, from: exobench.FromUsage, roleOnly: true,
		},
		{
			name: "vLLM with a reasoning model: reasoning first, then the answer",
			parts: []string{
				chunk(delta(`"role":"assistant","content":"","reasoning_content":"hm"`), ""), chunk(delta(`"reasoning":" so"`), ""),
				chunk(delta(`"content":"yes"`), ""), chunk(`{"index":0,"delta":{"content":""},"finish_reason":"stop"}`, ""), chunk("", usage(9, 3, "")), terminate,
			},
			chunks: 3, output: 3, cached: -1, from: exobench.FromUsage, answer: 2,
		},
		{
			name: "speculative decoding: several tokens a chunk, so usage counts and events do not",
			parts: []string{
				chunk(delta(`"content":"three tokens here"`), ""), chunk(delta(`"content":" and three more"`), ""),
				chunk(`{"index":0,"delta":{},"finish_reason":"length"}`, ""), chunk("", usage(9, 6, "")), terminate,
			},
			chunks: 2, output: 6, cached: -1, from: exobench.FromUsage,
		},
		{
			name: "SGLang: no role chunk of its own, nulls in every delta, matched_stop beside the finish",
			parts: []string{
				chunk(delta(`"role":"assistant","content":"a","reasoning_content":null,"tool_calls":null`), ""),
				chunk(delta(`"role":null,"content":"b","reasoning_content":null,"tool_calls":null`), ""),
				chunk(`{"index":0,"delta":{"role":null,"content":null,"reasoning_content":null},"logprobs":null,"finish_reason":"length","matched_stop":null}`, ""),
				chunk("", usage(9, 2, `,"prompt_tokens_details":null`)), terminate,
			},
			chunks: 2, output: 2, cached: -1, from: exobench.FromUsage,
		},
		{
			name:   "LM Studio: no usage at all, so events are counted",
			parts:  append(words(5), chunk(`{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}`, ""), terminate),
			chunks: 5, output: 5, cached: -1, from: exobench.FromEvents,
		},
		{
			name: "a tool call counts as output and is no answer",
			parts: []string{
				chunk(delta(`"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]`), ""),
				chunk(`{"index":0,"delta":{},"finish_reason":"tool_calls"}`, ""), chunk("", usage(9, 7, "")), terminate,
			},
			chunks: 1, output: 7, cached: -1, from: exobench.FromUsage, answer: -1,
		},
	} {
		t.Run(strings.SplitN(c.name, ":", 2)[0], func(t *testing.T) {
			client := NewClient(Config{Clock: exobench.NewClock()})
			r := client.Do(t.Context(), Call{URL: rawServer(t, chunked(c.parts...), false)})
			if r.Outcome != exobench.OK || len(r.Chunks) != c.chunks || int(*r.OutputTokens) != c.output || r.TokensFrom != c.from {
				t.Errorf("%s: outcome %s %s, %d chunks, %d tokens from %s", c.name, r.Outcome, r.Error, len(r.Chunks), *r.OutputTokens, r.TokensFrom)
			}
			if c.cached < 0 != (r.CachedTokens == nil) || r.CachedTokens != nil && int(*r.CachedTokens) != c.cached {
				t.Errorf("%s: cached tokens %v, want %d", c.name, r.CachedTokens, c.cached)
			}
			if r.FinishReason == "" || !r.Done.Reached() || !r.FirstToken.Reached() {
				t.Errorf("%s: finish %q, done %d, first token %d", c.name, r.FinishReason, r.Done, r.FirstToken)
			}
			checkFirsts(t, inReads(c.parts), c.answer, c.roleOnly)
		})
	}
}

// inReads returns the record of an answer whose parts each come in a read of
// their own.
func inReads(parts []string) *exobench.Record {
	answer := newCapture()
	defer answer.free()
	for i, part := range parts {
		answer.note(copy(answer.spare(), part), arrival{user: exobench.Instant(1000 * (i + 1)), delay: 500})
	}
	record := new(exobench.Record)
	parse(answer, record, &Call{})
	return record
}

// checkFirsts checks which events are the first of their kinds.
func checkFirsts(t *testing.T, r *exobench.Record, answer int, roleOnly bool) {
	t.Helper()
	var want exobench.Instant
	if answer >= 0 {
		want = r.Chunks[answer].At
	}
	if r.FirstToken != r.Chunks[0].At || r.FirstAnswer != want {
		t.Errorf("first token %d, first answer %d, want chunk %d; chunks %v", r.FirstToken, r.FirstAnswer, answer, r.Chunks)
	}
	if r.FirstChunk != 500 || (r.FirstChunk < r.FirstToken) != roleOnly {
		t.Errorf("first chunk %d, first token %d; only a role before: want %v", r.FirstChunk, r.FirstToken, roleOnly)
	}
}
