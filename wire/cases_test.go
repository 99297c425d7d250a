package wire

import (
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/metric"
)

// part is what a scripted server sends at one time, in milliseconds after the
// request.
type part struct {
	ms   int
	text string
}

// words are n events of one token each, the first at 100 ms, one each 10 ms.
func words(n int) []part { return wordsFrom(100, n, `"content":" w"`) }

func wordsFrom(ms, n int, members string) (parts []part) {
	for i := range n {
		parts = append(parts, part{ms + 10*i, chunk(delta(members), "")})
	}
	return parts
}

func script(parts ...any) (all []part) {
	for _, p := range parts {
		switch p := p.(type) {
		case part:
			all = append(all, p)
		case []part:
			all = append(all, p...)
		}
	}
	return all
}

// finishing is a finish event and counts a usage event, both as most servers have
// them; data is an event of any JSON.
func finishing(ms int, reason string) part {
	return part{ms, chunk(`{"index":0,"delta":{},"finish_reason":`+reason+`}`, "")}
}
func counts(ms int, usage string) part { return part{ms, chunk("", `,"usage":`+usage)} }
func data(ms int, text string) part    { return part{ms, "data: " + text + "\n\n"} }
func ends(ms int) part                 { return part{ms, terminate} }

const twenty = `{"prompt_tokens":7,"completion_tokens":20}`

// tail is how the baseline ends.
func tail() []part { return []part{finishing(290, `"stop"`), counts(290, twenty), ends(290)} }

// figures are what is to come out of an answer; 0 is not looked at, and less is
// absent. Times are in milliseconds.
type figures struct {
	ttft, latency, ttfa       int
	rate                      float64
	prompt, output, cached    int
	reasoning, hidden, chunks int
}

// asking is a request with a prompt, whose text is in JSON's form.
func asking(text string) string {
	return `{"model":"m","messages":[{"role":"user","content":"` + text + `"}]}`
}

// Kinds of cases that the page of faults has; see faultTable.
const (
	otherCases   = "other"
	dressCases   = "Errors in any dress"
	doneCases    = "When an answer is done"
	grammarCases = "The grammar of event streams"
	endCases     = "The end of an answer"
)

// cases are what real servers send, with the values that are right. A case is of
// the kind of the one before it where it has none.
var cases = []struct {
	kind, name string
	parts      []part
	asked      string // the request's body
	outcome    exobench.Outcome
	text       string // in the error
	want       figures
	doubts     string // their kinds
	dialect    Dialect
}{
	{kind: otherCases, name: "the baseline", parts: script(part{0, roleOnly}, words(20), tail()), outcome: exobench.OK,
		want: figures{ttft: 100, latency: 290, rate: 100, prompt: 7, output: 20, cached: -1, chunks: 20, reasoning: -1, hidden: -1}},

	// K2: an error in any dress.
	{kind: dressCases, name: "an error as a field", parts: script(words(5), part{150, "error: {\"code\":500,\"message\":\"context size exceeded\"}\n\n"}, ends(150)),
		outcome: exobench.StreamError, text: "context size exceeded"},
	{name: "an error as a field, in plain words", parts: script(words(5), part{150, "error: out of memory\n\n"}),
		outcome: exobench.StreamError, text: "out of memory"},
	{name: "an error by its name", parts: script(words(5), part{150, "event: error\ndata: {\"reason\":\"queue full\"}\n\n"}, ends(150)),
		outcome: exobench.StreamError, text: "queue full"},
	{name: "an error by its name, in plain words", parts: script(words(5), part{150, "event: error\ndata: queue full\n\n"}, ends(150)),
		outcome: exobench.StreamError, text: "queue full"},
	{name: "a text with an error code", parts: script(words(5), data(150, `{"text":"NETWORK ERROR","error_code":50002}`), ends(150)),
		outcome: exobench.StreamError, text: "NETWORK ERROR (error code 50002)"},
	{name: "an object that is an error", parts: script(words(5), data(150, `{"object":"error","message":"CUDA out of memory"}`), ends(150)),
		outcome: exobench.StreamError, text: "CUDA out of memory"},
	{name: "a type that is an error", parts: script(words(5), data(150, `{"type":"overloaded_error","message":"busy"}`), ends(150)),
		outcome: exobench.StreamError, text: "busy"},
	{name: "a status that is an error", parts: script(words(5), data(150, `{"status":"error","msg":"gone"}`), ends(150)),
		outcome: exobench.StreamError, text: "gone"},
	{name: "a code that is an error", parts: script(words(5), data(150, `{"code":503,"message":"later"}`), ends(150)),
		outcome: exobench.StreamError, text: "later"},
	{name: "a detail", parts: script(words(5), data(150, `{"detail":"no worker"}`), ends(150)), outcome: exobench.StreamError, text: "no worker"},
	{name: "an error inside the choice", parts: script(words(5), part{150, chunk(`{"delta":{"content":""},"error":{"code":502,"message":"upstream died"},"finish_reason":"error"}`, "")}, ends(150)),
		outcome: exobench.StreamError, text: "upstream died"},
	{name: "the finish reason error", parts: script(words(5), finishing(150, `"error"`), ends(150)), outcome: exobench.StreamError, text: "error"},
	{name: "the finish reason abort", parts: script(words(5), finishing(150, `"abort"`), counts(150, `{"prompt_tokens":7,"completion_tokens":5}`), ends(150)), outcome: exobench.StreamError, text: "abort"},
	{name: "a native finish reason that is an error", parts: script(words(5), part{150, chunk(`{"delta":{},"finish_reason":"stop","native_finish_reason":"abort"}`, "")}, ends(150)),
		outcome: exobench.StreamError, text: "abort"},
	{name: "a content filter", parts: script(words(5), finishing(150, `"content_filter"`), ends(150)), outcome: exobench.ContentFilter, text: "content filter"},
	{name: "an unknown event in place of the rest", parts: script(words(5), data(150, `{"message":"the worker left"}`), ends(150)),
		outcome: exobench.StreamError, text: "the worker left", doubts: "unknown_events"},
	{name: "a bare error in place of the rest", parts: script(words(5), part{150, "{\"error\":{\"message\":\"shape mismatch\"}}\n"}),
		outcome: exobench.Truncated, text: "shape mismatch", doubts: "unknown_fields"},
	{name: "a bare error and then the terminator", parts: script(words(5), part{150, "{\"error\":{\"message\":\"shape mismatch\"}}\n\n"}, ends(150)),
		outcome: exobench.StreamError, text: "shape mismatch", doubts: "unknown_fields"},
	{name: "bare text in place of the rest", parts: script(words(5), part{150, "Internal Server Error"}),
		outcome: exobench.Truncated, text: "Internal Server Error", doubts: "unknown_fields"},
	{name: "empty errors are none", outcome: exobench.OK, want: figures{latency: 290, rate: 100, chunks: 20}, parts: script(
		data(1, `{"id":"1","choices":[],"error":{}}`), data(2, `{"choices":[],"error":false}`), data(3, `{"choices":[],"error":null}`),
		data(4, `{"choices":[],"error":{"code":0}}`), data(5, `{"choices":[],"error":{"code":0,"message":""}}`), data(6, `{"choices":[],"error":""}`),
		data(7, `{"choices":[],"error_code":0}`), part{8, "error: {}\n\n"}, words(20), tail())},
	{name: "unknown events in between", parts: script(data(1, `{"queue":3}`), words(20), data(290, `{"queue":0}`), tail()),
		outcome: exobench.OK, want: figures{latency: 290, rate: 100}, doubts: "unknown_events"},
	{name: "an unknown finish reason", parts: script(words(20), finishing(290, `"mystery"`), counts(290, twenty), ends(290)),
		outcome: exobench.OK, want: figures{latency: 290, rate: 100}, doubts: "unknown_finish"},
	{name: "an unknown field", parts: script(part{0, "retry: 5\nid: 7\n\n"}, words(5), part{150, "mood: good\n\n"}, wordsFrom(150, 15, `"content":" w"`), tail()),
		outcome: exobench.OK, want: figures{latency: 290, rate: 100}, doubts: "unknown_fields"},

	// K3: when an answer is done.
	{kind: doneCases, name: "a finish reason amid the output", parts: script(words(5), part{150, chunk(`{"delta":{"content":" w"},"finish_reason":"stop"}`, "")}, wordsFrom(160, 14, `"content":" w"`), counts(295, twenty), ends(295)),
		outcome: exobench.OK, want: figures{latency: 290, rate: 100, chunks: 20}},
	{name: "a finish reason twice", parts: script(words(20), finishing(300, `"stop"`), part{1300, chunk(`{"delta":{},"finish_reason":"stop"}`, `,"usage":`+twenty)}, ends(1300)),
		outcome: exobench.OK, want: figures{latency: 300, rate: 100}},

	// K4: usage is merged and doubted.
	{kind: otherCases, name: "zeros after the usage", parts: script(words(20), finishing(290, `"stop"`), counts(290, `{"prompt_tokens":7,"completion_tokens":40}`), counts(291, `{"prompt_tokens":0,"completion_tokens":0}`), counts(292, `null`), counts(293, `{"prompt_tokens":null}`), ends(300)),
		outcome: exobench.OK, want: figures{prompt: 7, output: 40, rate: 200}, doubts: "usage_misfit"},
	{name: "mlx-vlm's names", parts: script(words(20), finishing(290, `"stop"`), counts(290, `{"input_tokens":11,"output_tokens":40,"total_tokens":51,"prompt_tps":120.5,"generation_tps":99.5,"peak_memory":1.5}`), ends(290)),
		outcome: exobench.OK, want: figures{prompt: 11, output: 40, rate: 200}, doubts: "usage_misfit"},
	{name: "reasoning that was not streamed", parts: script(words(20), finishing(290, `"stop"`), counts(290, `{"prompt_tokens":7,"completion_tokens":520,"completion_tokens_details":{"reasoning_tokens":500}}`), ends(290)),
		outcome: exobench.OK, want: figures{output: 520, reasoning: 500, hidden: 500, rate: 100}, doubts: "hidden_reasoning"},
	{name: "reasoning that was streamed and is in the total", parts: script(wordsFrom(100, 180, `"reasoning_content":" w"`), wordsFrom(1900, 20, `"content":" w"`), finishing(2090, `"stop"`), counts(2090, `{"prompt_tokens":7,"completion_tokens":20,"total_tokens":207,"completion_tokens_details":{"reasoning_tokens":180}}`), ends(2090)),
		outcome: exobench.OK, want: figures{output: 200, reasoning: 180, hidden: -1, rate: 100, ttfa: 1900}},
	{name: "a total alone", parts: script(words(20), finishing(290, `"stop"`), counts(290, `{"prompt_tokens":7,"total_tokens":27}`), ends(290)), outcome: exobench.OK, want: figures{prompt: 7, output: 20, rate: 100}},
	{name: "reasoning between tags, in merged events", parts: script(wordsFrom(100, 20, `"content":"<think> so then"`), finishing(290, `"stop"`), counts(290, `{"prompt_tokens":7,"completion_tokens":60,"completion_tokens_details":{"reasoning_tokens":50}}`), ends(290)),
		outcome: exobench.OK, want: figures{output: 60, reasoning: 50, hidden: -1, rate: 300}},
	{name: "several tokens an event", parts: script(wordsFrom(100, 20, `"content":" some more words"`), finishing(290, `"length"`), counts(290, `{"prompt_tokens":7,"completion_tokens":60}`), ends(290)),
		outcome: exobench.OK, want: figures{output: 60, rate: 300}},
	{name: "fewer tokens than events", parts: script(words(20), finishing(290, `"stop"`), counts(290, `{"prompt_tokens":7,"completion_tokens":10}`), ends(290)), outcome: exobench.OK, want: figures{output: 10}, doubts: "usage_misfit"},
	{name: "usage inside the choice", parts: script(words(20), part{290, chunk(`{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":7,"completion_tokens":20}}`, "")}, ends(290)), outcome: exobench.OK, want: figures{prompt: 7, output: 20, rate: 100}},
	{name: "one token for a prompt that came from a cache", asked: asking(strings.Repeat("word ", 12)), parts: script(words(20), finishing(290, `"length"`), counts(290, `{"prompt_tokens":1,"completion_tokens":20}`), ends(290)),
		outcome: exobench.OK, want: figures{prompt: -1, output: 20, rate: 100}, doubts: "absurd_figure"},
	{name: "few tokens for long words, with escapes", asked: asking(strings.Repeat(`Donaudampfschifffahrt\n`, 12)), parts: script(words(20), finishing(290, `"length"`), counts(290, `{"prompt_tokens":9,"completion_tokens":20}`), ends(290)),
		outcome: exobench.OK, want: figures{prompt: 9, output: 20, rate: 100}},
	{name: "one token of a prompt without text", asked: `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("A", 400) + `"}}]},7],"prompt":{}}`, parts: script(words(20), finishing(290, `"length"`), counts(290, `{"prompt_tokens":1,"completion_tokens":20}`), ends(290)),
		outcome: exobench.OK, want: figures{prompt: 1, output: 20, rate: 100}},
	{name: "10^12 tokens for 4 events", asked: `{"model":"m","max_tokens":4}`, parts: script(words(4), finishing(130, `"length"`), counts(130, `{"prompt_tokens":7,"completion_tokens":1000000000000}`), ends(130)),
		outcome: exobench.OK, want: figures{prompt: 7, output: 4, rate: 100}, doubts: "absurd_figure"},
	{name: "5000 tokens for 4 events", asked: `{"max_completion_tokens":4}`, parts: script(words(4), finishing(130, `"length"`), counts(130, `{"prompt_tokens":7,"completion_tokens":5000}`), ends(130)),
		outcome: exobench.OK, want: figures{output: 4, rate: 100}, doubts: "absurd_figure"},
	{name: "1.7e308", parts: script(words(20), finishing(290, `"stop"`), counts(290, `{"prompt_tokens":1.7e308,"completion_tokens":20,"prompt_tps":1.7e308,"generation_tps":1e999}`), ends(290)),
		outcome: exobench.OK, want: figures{prompt: -1, output: 20, rate: 100}, doubts: "absurd_figure"},
	{name: "more cached than there is", parts: script(words(20), finishing(290, `"stop"`), counts(290, `{"prompt_tokens":7,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":99}}`), ends(290)),
		outcome: exobench.OK, want: figures{prompt: 7, cached: -1, rate: 100}, doubts: "absurd_figure"},
	{name: "tokens without text, as many as were asked for", asked: `{"max_tokens":500}`, parts: script(words(20), finishing(290, `"length"`), counts(290, `{"prompt_tokens":7,"completion_tokens":500}`), ends(290)),
		outcome: exobench.OK, want: figures{output: 500}, doubts: "usage_misfit"},

	// K5: absent is not zero.
	{name: "timings that do not say what was cached", parts: script(words(20), part{290, chunk(`{"delta":{},"finish_reason":"stop"}`, `,"timings":{"prompt_n":1,"prompt_per_second":210,"predicted_n":20,"predicted_per_second":99}`)}, counts(290, `{"prompt_tokens":1000,"completion_tokens":20}`), ends(290)),
		outcome: exobench.OK, want: figures{prompt: 1000, cached: 999, output: 20, rate: 100}},
	{name: "the same without a usage", parts: script(words(20), part{290, chunk(`{"delta":{},"finish_reason":"stop"}`, `,"timings":{"prompt_n":1,"predicted_n":20}`)}, ends(290)),
		outcome: exobench.OK, want: figures{prompt: -1, cached: -1, output: 20, rate: 100}},

	// K6: unknown names and odd types.
	{name: "content as parts", parts: script(wordsFrom(100, 10, `"content":[{"type":"thinking","thinking":[{"type":"text","text":" w"}]}]`), wordsFrom(200, 10, `"content":[{"type":"text","text":" w"}]`), tail()),
		outcome: exobench.OK, want: figures{ttft: 100, ttfa: 200, rate: 100, chunks: 20, reasoning: 10}},
	{name: "thinking by another name", parts: script(wordsFrom(100, 100, `"thinking":" w"`), wordsFrom(1100, 10, `"content":" w"`), finishing(1190, `"stop"`), counts(1190, `{"prompt_tokens":7,"completion_tokens":110}`), ends(1190)),
		outcome: exobench.OK, want: figures{ttft: 100, ttfa: 1100, rate: 100, chunks: 110, reasoning: 100}},
	{name: "thinking in details", parts: script(wordsFrom(100, 10, `"role":"assistant","content":"","reasoning_details":[{"type":"reasoning.text","text":" w","id":"r","format":"unknown"}]`), wordsFrom(200, 10, `"content":" w"`), tail()),
		outcome: exobench.OK, want: figures{ttft: 100, ttfa: 200, rate: 100, chunks: 20, reasoning: 10}},
	{name: "text by a name that nobody knows", parts: script(wordsFrom(100, 20, `"role":"assistant","name":"n","id":"i","type":"t","Utterance":" w"`), tail()),
		outcome: exobench.OK, want: figures{ttft: 100, ttfa: -1, rate: 100, chunks: 20}},
	{name: "labels are no output", parts: script(part{50, chunk(delta(`"role":"assistant","name":"n","id":"i","type":"t","content":null,"tool_calls":[],"annotations":[]`), "")}, words(20), tail()),
		outcome: exobench.OK, want: figures{ttft: 100, rate: 100, chunks: 20}},
	{name: "counts that are fractions, and no numbers", parts: script(words(20), finishing(290, `"stop"`), counts(290, `{"prompt_tokens":"7","completion_tokens":40.0,"prompt_tokens_details":[]}`), ends(290)),
		outcome: exobench.OK, want: figures{prompt: -1, output: 40, rate: 200}, doubts: "usage_misfit"},
	{name: "counts that are no numbers", parts: script(words(20), finishing(290, `"stop"`), counts(288, `{"completion_tokens":"40"}`), counts(289, `{"completion_tokens":[]}`), counts(290, `{"completion_tokens":""}`), ends(290)),
		outcome: exobench.OK, want: figures{output: 20, rate: 100}},
	{name: "names and calls of odd types", parts: script(data(1, `{"id":5,"model":["m"],"choices":{"delta":{"tool_calls":{},"reasoning":{},"content":null},"finish_reason":false},"usage":[]}`),
		wordsFrom(100, 20, `"content":" w","tool_calls":{},"reasoning":{}`), tail()), outcome: exobench.OK, want: figures{ttft: 100, rate: 100, chunks: 20}},

	// K7: the event stream's grammar.
	{kind: grammarCases, name: "CR line ends", parts: script(part{0, "\r\r"}, cr(script(words(20), tail()), "\r")), outcome: exobench.OK, want: figures{latency: 290, rate: 100, chunks: 20}},
	{name: "CRLF line ends", parts: cr(script(words(20), tail()), "\r\n"), outcome: exobench.OK, want: figures{latency: 290, rate: 100, chunks: 20}},
	{name: "a byte-order mark", parts: script(part{0, "\xef\xbb\xbf"}, words(20), tail()), outcome: exobench.OK, want: figures{ttft: 100, latency: 290, rate: 100, chunks: 20}},
	{name: "events over several lines", parts: script(lined(words(20)), tail()), outcome: exobench.OK, want: figures{latency: 290, rate: 100, chunks: 20}},
	{name: "events without an empty line between them", parts: script(dense(script(words(20), tail()))), outcome: exobench.OK, want: figures{latency: 290, rate: 100, chunks: 20}},
	{name: "comments and fields anywhere", parts: script(part{0, ": hi\n:\nid\nevent: message\n"}, words(20), part{290, "retry: 3\nevent: ping\ndata: {\"type\": \"ping\"}\n\n: bye\n\n"}, tail()), outcome: exobench.OK, want: figures{latency: 290, rate: 100, chunks: 20}},

	// K8: the end of an answer.
	{kind: endCases, name: "no terminator after the finish reason and the usage", parts: script(words(20), finishing(290, `"stop"`), counts(290, twenty)), outcome: exobench.OK, want: figures{latency: 290, rate: 100}},
	{name: "no terminator after the finish reason", parts: script(words(20), finishing(290, `"stop"`)), outcome: exobench.OK, want: figures{latency: 290, rate: 100}},
	{name: "a cut without a finish reason", parts: script(words(20)), outcome: exobench.Truncated, text: "without [DONE]"},
	{name: "a cut after a finish reason amid the output", parts: script(words(5), finishing(145, `"stop"`), wordsFrom(150, 5, `"content":" w"`)), outcome: exobench.Truncated},

	// K12: who answers.
	{kind: otherCases, name: "another model", asked: `{"model":"llama-3.2-3b"}`, parts: script(words(20), tail()), outcome: exobench.OK, want: figures{rate: 100}, doubts: "other_model"},
	{name: "the same model by its path", asked: `{"messages":[{"content":"x"}],"model":"/models/M.gguf"}`, parts: script(words(20), tail()), outcome: exobench.OK, want: figures{rate: 100}},

	// X: exo.
	{name: "exo: the end of sequence is a token", parts: script(wordsFrom(100, 3, `"content":" w"`), part{161, chunk(`{"index":0,"delta":{"content":""},"finish_reason":"stop"}`, `,"usage":{"prompt_tokens":7,"completion_tokens":4}`)}, ends(162)),
		outcome: exobench.OK, want: figures{latency: 161, rate: 3 / 0.061, output: 4, chunks: 4}},
	{name: "exo: the end of sequence after tokens that are held back", parts: script(part{0, exoPrefill(0, 30) + exoPrefill(29, 30)}, part{90, exoPrefill(30, 30)}, words(10), part{300, chunk(`{"index":0,"delta":{"content":""},"finish_reason":"stop"}`, `,"usage":{"prompt_tokens":31,"completion_tokens":12}`)}, ends(300)),
		outcome: exobench.OK, want: figures{latency: 300, output: 12, chunks: 11}},
	{name: "a stop whose finish adds no token", parts: script(words(20), finishing(400, `"stop"`), counts(400, twenty), ends(400)), outcome: exobench.OK, want: figures{latency: 400, rate: 100, chunks: 20}},
	{name: "exo: thought cut off by its length", parts: script(wordsFrom(100, 19, `"reasoning_content":" w"`), part{290, chunk(`{"index":0,"delta":{"content":" w"},"finish_reason":"length"}`, `,"usage":{"prompt_tokens":7,"completion_tokens":20,"completion_tokens_details":{"reasoning_tokens":19}}`)}, ends(290)),
		outcome: exobench.OK, want: figures{ttft: 100, ttfa: -1, latency: 290, rate: 100, reasoning: 19}},
	{name: "thought and then an answer of one token", parts: script(wordsFrom(100, 19, `"reasoning_content":" w"`), wordsFrom(290, 1, `"content":" w"`), finishing(290, `"stop"`), counts(290, twenty), ends(290)),
		outcome: exobench.OK, want: figures{ttft: 100, ttfa: 290, rate: 100, reasoning: 19}},
	{name: "exo: a whole answer in place of a stream", parts: script(part{290, `{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello there"},"finish_reason":"length"}],"usage":null,"generation_stats":{"prompt_tps":50.5,"generation_tps":99.5,"prompt_tokens":12,"generation_tokens":20,"peak_memory_usage":{"inBytes":77}},"power_usage":{"nodes":[]}}`}),
		outcome: exobench.OK, want: figures{ttft: -1, ttfa: -1, latency: 290, rate: -1, prompt: 12, output: 20, chunks: 1}, doubts: "not_streamed"},
	{name: "an error in place of a stream", parts: script(part{10, "{\n \"error\": {\"message\": \"busy\"}\n}\n"}), outcome: exobench.StreamError, text: "busy"},

	// Ollama and legacy exo.
	{name: "Ollama: the end of sequence is a token", dialect: Ollama{}, parts: script(part{100, said(" w")}, part{110, said(" w")}, part{120, said(" w")}, part{160, ended("stop", fourTokens)}),
		outcome: exobench.OK, want: figures{latency: 160, rate: 50, output: 4, chunks: 4}},
	{name: "Ollama: odd types", dialect: Ollama{}, parts: script(part{100, said(" w")}, part{110, ended("stop", `,"eval_count":"2","load_duration":1.5e3,"eval_duration":-1,"prompt_eval_count":1e300`)}),
		outcome: exobench.OK, want: figures{latency: 110, output: 1, prompt: -1}, doubts: "absurd_figure"},
	{name: "Ollama: an empty error is none", dialect: Ollama{}, parts: script(part{100, `{"message":{"content":"a"},"done":false,"error":""}` + "\n"}, part{110, ended("stop", fourTokens)}), outcome: exobench.OK, want: figures{latency: 110}, doubts: "usage_misfit"},
	{name: "Ollama: a line that nobody knows", dialect: Ollama{}, parts: script(part{1, `{"status":"pulling"}` + "\n"}, part{100, said(" w")}, part{110, ended("stop", `,"eval_count":2`)}), outcome: exobench.OK, doubts: "unknown_events"},
	{name: "legacy exo: a finish reason ends it", dialect: LegacyExo{}, parts: script(words(20), finishing(300, `"stop"`), words(1)), outcome: exobench.OK, want: figures{latency: 300, chunks: 20}},
	{name: "legacy exo: an error", dialect: LegacyExo{}, parts: script(words(5), data(150, `{"detail":"Error processing prompt"}`)), outcome: exobench.StreamError, text: "Error processing prompt"},
}

func exoPrefill(processed, total int) string {
	return fmt.Sprintf(": prefill_progress {\"PrefillProgressChunk\":{\"model\":\"m\",\"processed_tokens\":%d,\"total_tokens\":%d}}\n\n", processed, total)
}

// cr has the parts' lines end otherwise.
func cr(parts []part, end string) (out []part) {
	for _, p := range parts {
		out = append(out, part{p.ms, strings.ReplaceAll(p.text, "\n", end)})
	}
	return out
}

// lined spreads each event over several data lines.
func lined(parts []part) (out []part) {
	for _, p := range parts {
		out = append(out, part{p.ms, strings.ReplaceAll(p.text, `,"`, ",\ndata:  \"")})
	}
	return out
}

// dense leaves out the empty lines between the events.
func dense(parts []part) (out []part) {
	for _, p := range parts {
		out = append(out, part{p.ms, strings.ReplaceAll(p.text, "\n\n", "\n")})
	}
	return out
}

func TestCasesInTime(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			send := func(w io.Writer, flush func()) {
				now := 0
				for _, p := range c.parts {
					time.Sleep(time.Duration(p.ms-now) * ms)
					now = p.ms
					io.WriteString(w, p.text)
					flush()
				}
			}
			inBubble(t, send, func(t *testing.T, client *Client) {
				r := client.Do(t.Context(), Call{URL: "http://engine/v1", Body: []byte(c.asked), Dialect: c.dialect})
				checkOutcome(t, &r, c.outcome, c.text, c.doubts)
				c.want.check(t, &r)
			})
		})
	}
}

func TestCasesOverASocket(t *testing.T) {
	client := NewClient(Config{Clock: exobench.NewClock()})
	t.Cleanup(client.Close)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var texts []string
			for _, p := range c.parts {
				texts = append(texts, p.text)
			}
			// All at once, each part by itself, and byte by byte.
			all := strings.Join(texts, "")
			for _, answer := range []string{chunked(all), chunked(texts...), chunked(strings.Split(all, "")...)} {
				r := client.Do(t.Context(), Call{URL: rawServer(t, answer, false), Body: []byte(c.asked), Dialect: c.dialect, Timeout: 20 * time.Second})
				checkOutcome(t, &r, c.outcome, c.text, c.doubts)
				checkOrder(t, &r)
			}
		})
	}
}

func checkOutcome(t *testing.T, r *exobench.Record, want exobench.Outcome, text, doubts string) {
	t.Helper()
	if r.Outcome != want || !strings.Contains(r.Error, text) || (want == exobench.OK) != (r.Error == "") {
		t.Errorf("outcome %s %q, want %s and %q", r.Outcome, r.Error, want, text)
	}
	var kinds []string
	for _, d := range r.Doubts {
		kinds = append(kinds, string(d.Kind))
	}
	if got := strings.Join(kinds, " "); got != doubts {
		t.Errorf("doubts %+v, want %q", r.Doubts, doubts)
	}
}

// check compares a record with the figures.
func (f figures) check(t *testing.T, r *exobench.Record) {
	t.Helper()
	number := func(what string, want int, got *exobench.Tokens) {
		t.Helper()
		if want < 0 && got != nil || want > 0 && (got == nil || int(*got) != want) {
			t.Errorf("%s: %s, want %d", what, show(got), want)
		}
	}
	number("prompt tokens", f.prompt, r.PromptTokens)
	number("output tokens", f.output, r.OutputTokens)
	number("cached tokens", f.cached, r.CachedTokens)
	number("reasoning tokens", f.reasoning, r.ReasoningTokens)
	number("hidden tokens", f.hidden, r.HiddenTokens)
	if f.chunks > 0 && len(r.Chunks) != f.chunks {
		t.Errorf("%d chunks, want %d", len(r.Chunks), f.chunks)
	}
	value := func(name string, want float64) {
		t.Helper()
		m, _ := metric.ByName(name)
		got, ok := m.Value(r)
		if want < 0 && ok || want > 0 && (!ok || math.Abs(got-want) > 1e-6*want) {
			t.Errorf("%s: %v %v, want %v", name, got, ok, want)
		}
	}
	value(metric.TTFT, float64(f.ttft)/1000)
	value(metric.TTFA, float64(f.ttfa)/1000)
	value(metric.Latency, float64(f.latency)/1000)
	value(metric.TokenRate, f.rate)
}

func show(n *exobench.Tokens) string {
	if n == nil {
		return "none"
	}
	return fmt.Sprint(int64(*n))
}

// checkOrder holds a record against the order in which its instants must be.
func checkOrder(t *testing.T, r *exobench.Record) {
	t.Helper()
	before, name := exobench.Instant(0), "the start"
	for _, next := range []struct {
		name string
		at   exobench.Instant
	}{
		{"sent", r.Sent}, {"headers", r.Headers}, {"first chunk", r.FirstChunk}, {"first token", r.FirstToken},
		{"first answer", r.FirstAnswer}, {"last token", r.LastToken}, {"done", r.Done},
	} {
		if !next.at.Reached() {
			continue
		}
		if next.at < before {
			t.Errorf("%s at %d is before %s at %d", next.name, next.at, name, before)
		}
		before, name = next.at, next.name
	}
	for i := range r.Chunks {
		if i > 0 && r.Chunks[i].At < r.Chunks[i-1].At {
			t.Errorf("chunk %d at %d is before the one before it", i, r.Chunks[i].At)
		}
	}
	if r.Delays != nil && len(r.Delays) != len(r.Chunks) {
		t.Errorf("%d delays of %d chunks", len(r.Delays), len(r.Chunks))
	}
	if n := len(r.Chunks); n > 0 && (r.LastToken != r.Chunks[n-1].At || r.Done < r.LastToken) {
		t.Errorf("last token %d, done %d, last chunk %d", r.LastToken, r.Done, r.Chunks[n-1].At)
	}
}
