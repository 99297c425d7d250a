package wire

import (
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"exobench"
)

// captureOf makes the capture of an answer that came in reads of the size given,
// each a microsecond after the one before and stamped half a microsecond early.
func captureOf(text []byte, size int) *capture {
	c := newCapture()
	for i := 0; len(text) > 0; i++ {
		n := copy(c.spare(), text[:min(size, len(text))])
		c.note(n, arrival{user: exobench.Instant(1000 * (i + 1)), delay: 500})
		text = text[n:]
	}
	return c
}

// bothWays parses an answer with and without quick.
func bothWays(text []byte, dialect Dialect) (streams [2]*stream) {
	answer := captureOf(text, 100)
	defer answer.free()
	for i := range streams {
		s := &stream{record: new(exobench.Record), slow: i == 1}
		s.parse(answer, dialect)
		streams[i] = s
	}
	return streams
}

func agree(t *testing.T, text []byte, dialect Dialect) {
	t.Helper()
	streams := bothWays(text, dialect)
	quickly, fully := streams[0], streams[1]
	if diff := cmp.Diff(fully.record, quickly.record); diff != "" {
		t.Errorf("records of %q differ (- fully, + quickly):\n%s", text, diff)
	}
	if quickly.over != fully.over || quickly.failure != fully.failure || quickly.malformed != fully.malformed || quickly.framed != fully.framed {
		t.Errorf("%q: quickly %+v, fully %+v", text, quickly, fully)
	}
}

// payloads are events of many shapes; quick says which of them quick must read.
var payloads = []struct {
	text  string
	quick bool
}{
	{`{"id":"7","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"é\n\u00e9\ud83d\ude00日"},"logprobs":null,"finish_reason":null}],"usage":null}`, true},
	{`{"id": "7", "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "delta": {"content": "ab"}}]}`, true},
	{`{"choices":[{"delta":{"reasoning_content":"hm","content":null},"finish_reason":"stop"}]}`, true},
	{`{"choices":[{"delta":{"reasoning":"hm"}},{"delta":{},"text":"abc"}]}`, true},
	{`{"choices":[],"x":[1,-2.5e+3,0,true,false,{"a":{"B":[]}}]}`, true},
	{`{}`, true},
	{`{ "choices" : [ { } , null ] , "usage" : { } } `, true},
	{`null`, true},
	{`{"choices":[{"delta":{"content":"a","tool_calls":null}}],"error":null,"timings":null}`, true},
	{`{"choices":[{"delta":{"tool_calls":[{"index":0, "function":{"arguments":"{\"a\":"}} , null, []]}}]}`, true},
	{`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}`, true},
	{`{"choices":[],"usage":{"prompt_tokens":-0,"completion_tokens":null,"prompt_tokens_details":{"cached_tokens":0}}}`, true},
	{`{"choices":[],"usage":{"prompt_tokens":9,"prompt_tokens_details":null,"x":{}}}`, true},
	{`{"choices":[{"delta":{"content":"a"}}],"timings":{"predicted_n":1}}`, true},
	{`{"choices":[{"delta":{"content":"a"}}],"timings":{"cache_n":2,"prompt_n":1,"prompt_per_second":-1.25e-2,"predicted_n":3,"predicted_per_second":null}}`, true},
	{`{"choices":[],"timings":{"prompt_n":1,"predicted_n":0}}`, true},
	// Of what comes twice, encoding/json takes the last, but for a null.
	{`{"choices":[{"delta":{"content":"a","content":"bc","content":null},"delta":{"reasoning":"d"}}]}`, true},
	{`{"choices":[{"delta":{"tool_calls":[{},1],"tool_calls":[{}]}}],"usage":{"prompt_tokens":9},"usage":{"completion_tokens":4,"prompt_tokens":null}}`, true},
	{`{"choices":[],"timings":{"predicted_n":3,"prompt_per_second":1},"timings":{"prompt_per_second":null}}`, true},
	{`{"choices":[],"choices":null,"choices":[{}]}`, true},
	{`{"choices":[{"delta":{"content":"a"}}],"choices":[{}]}`, false},
	{`{"error":{"message":"x"}}`, false},
	{`{"Choices":[{"Delta":{"content":"a"}}]}`, false},
	{`{"choices":[],"usage":{"Prompt_tokens":9}}`, false},
	{`{"choices":[],"usage":{"prompt_tokens":9.0}}`, false},
	{`{"choices":[],"usage":{"prompt_tokens":1e2}}`, false},
	{`{"choices":[],"usage":{"prompt_tokens":9223372036854775808}}`, false},
	{`{"choices":[],"usage":{"prompt_tokens":"9"}}`, false},
	{`{"choices":[],"usage":[]}`, false},
	{`{"choices":[],"timings":{"prompt_per_second":1e999}}`, false},
	{`{"choices":[],"timings":{"predicted_n":}}`, false},
	{`{"choices":[{"delta":{"content":"\ud83d"}}]}`, false},
	{"{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}", false},
	{`{"choices":[{"delta":{"content":1}}]}`, false},
	{`{"choices":[{"delta":{"content":"a"}}],"x":01}`, false},
	{`{"choices":[{"delta":{"content":"a"}}]`, false},
	{`{"choices":[{"delta":{"content":"\u000g"}}]}`, false},
	{`{"choices":[{},{},{},{},{}]}`, false},
	{`{"choices":[{"delta":{"content":"a"},}]}`, false},
	{`{"choices":[{"delta":{"tool_calls":[{},]}}]}`, false},
	{`{"choices":[],"x":{null:1}}`, false},
	{`{"choices":[],"x":[[[[[[[[[[1]]]]]]]]]]}`, false},
	{`{null:1}`, false},
	{``, false},
}

// lines are Ollama's.
var lines = []struct {
	text  string
	quick bool
}{
	{`{"model":"m","created_at":"2026-11-24T06:30:23.7Z","message":{"role":"assistant","content":"a\u003c"},"done":false}`, true},
	{`{"model":"m","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}`, true},
	{`{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}`, true},
	{`{"message":{"content":"a","content":"bc"},"message":{"thinking":"d"},"message":null}`, true},
	{`{"message":{"content":"a"},"done":true,"done_reason":"stop","eval_count":2}`, false},
	{`{"message":{"content":"a"},"done":false,"eval_count":2}`, false},
	{`{"message":{"content":"a"},"done":0}`, false},
	{`{"message":{"Content":"a"},"done":false}`, false},
	{`{"message":{"content":"a"},"done":false`, false},
	{`{"message":"a"}`, false},
	{`{"error":"busy"}`, false},
}

func TestQuickReadsTheUsualAndLeavesTheRest(t *testing.T) {
	var q quick
	for _, p := range payloads {
		if got := q.chat([]byte(p.text)); got != p.quick {
			t.Errorf("quick reads %s: %v, want %v", p.text, got, p.quick)
		}
		agree(t, []byte("data: "+p.text+"\n\ndata: [DONE]\n\n"), OpenAI{})
	}
	for _, l := range lines {
		if got := q.ollama([]byte(l.text)); got != l.quick {
			t.Errorf("quick reads %s: %v, want %v", l.text, got, l.quick)
		}
		agree(t, []byte(l.text+"\n"+ended("stop", fourTokens)), Ollama{})
	}
	agree(t, []byte(content("a")+reasoning+roleOnly+finish+usageOnly+terminate), OpenAI{})
}

// payloadOf returns what an event has for quick to read.
func payloadOf(event string) string { return strings.TrimSpace(strings.TrimPrefix(event, "data: ")) }

// quickly has quick read a payload.
func quickly(q *quick, payload []byte, dialect Dialect) bool {
	if dialect == (Ollama{}) {
		return q.ollama(payload)
	}
	return q.chat(payload)
}

func TestQuickReadsTheEventsOfEveryEngineAndAllocatesNothing(t *testing.T) {
	var q quick
	for _, e := range engineEvents {
		payload := []byte(payloadOf(e.text))
		if !quickly(&q, payload, e.dialect) {
			t.Errorf("quick does not read %s's %s", e.name, payload)
		}
		if n := testing.AllocsPerRun(100, func() { quickly(&q, payload, e.dialect) }); n != 0 {
			t.Errorf("%s: %v allocations an event", e.name, n)
		}
		agree(t, []byte(e.text), e.dialect)
	}
}

func TestTheLastFiguresHold(t *testing.T) {
	text := event("", `,"usage":{"prompt_tokens":8,"completion_tokens":1},"timings":{"prompt_n":8,"cache_n":1,"predicted_n":1}`) +
		event(delta(`"content":"a"`), `,"usage":{"prompt_tokens":9,"completion_tokens":2},"timings":{"prompt_n":9,"cache_n":0,"predicted_n":2,"predicted_per_second":7.5}`) +
		event("", `,"usage":null,"timings":{"prompt_n":1,"predicted_n":0}`) +
		event("", `,"usage":{}`) + terminate
	for _, s := range bothWays([]byte(text), OpenAI{}) {
		r := s.record
		if *r.PromptTokens != 9 || *r.OutputTokens != 2 || r.TokensFrom != exobench.FromUsage || *r.CachedTokens != 0 {
			t.Errorf("%d prompt tokens, %d output tokens from %s, %d cached", *r.PromptTokens, *r.OutputTokens, r.TokensFrom, *r.CachedTokens)
		}
		if *r.Server.PromptTokens != 9 || *r.Server.OutputTokens != 2 || *r.Server.DecodeTPS != 7.5 || r.Server.PrefillTPS != nil {
			t.Errorf("the server's %+v", r.Server)
		}
	}
}

// recorded yields the recorded streams.
func recorded(t testing.TB) iter.Seq2[string, Dialect] {
	return func(yield func(string, Dialect) bool) {
		for pattern, dialect := range map[string]Dialect{"testdata/*.sse": OpenAI{}, "testdata/*.ndjson": Ollama{}} {
			files, err := filepath.Glob(pattern)
			if err != nil || len(files) == 0 {
				t.Fatal(pattern, files, err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if !yield(string(text), dialect) {
					return
				}
			}
		}
	}
}

func TestQuickAgreesOnRecordedStreams(t *testing.T) {
	for text, dialect := range recorded(t) {
		agree(t, []byte(text), dialect)
	}
}

func TestQuickKnowsEveryKeyThatIsMeasured(t *testing.T) {
	keys := func(of any) (keys []string) {
		kind := reflect.TypeOf(of)
		for i := range kind.NumField() {
			keys = append(keys, kind.Field(i).Tag.Get("json"))
		}
		return keys
	}
	for _, c := range []struct {
		of   any
		want string
	}{
		{chatEvent{}, "id model choices usage error timings"},
		{chatChoice{}, "delta text finish_reason"},
		{chatChoice{}.Delta, "content reasoning_content reasoning tool_calls"},
		{usage{}, "prompt_tokens completion_tokens prompt_tokens_details"},
		{usage{}.PromptTokensDetails, "cached_tokens"},
		{llamaTimings{}, "cache_n prompt_n prompt_per_second predicted_n predicted_per_second"},
		{ollamaChunk{}, "model message done done_reason error load_duration prompt_eval_count prompt_eval_duration eval_count eval_duration"},
		{ollamaChunk{}.Message, "content thinking tool_calls"},
	} {
		if got := strings.Join(keys(c.of), " "); got != c.want {
			t.Errorf("%T has the keys %s; quick knows %s", c.of, got, c.want)
		}
	}
}

func FuzzQuickAgreesWithTheFullDecode(f *testing.F) {
	for _, p := range payloads {
		f.Add([]byte(p.text), false)
	}
	for _, l := range lines {
		f.Add([]byte(l.text), true)
	}
	for _, e := range engineEvents {
		f.Add([]byte(payloadOf(e.text)), e.dialect == (Ollama{}))
	}
	for text, dialect := range recorded(f) {
		for line := range strings.Lines(text) {
			f.Add([]byte(payloadOf(line)), dialect == (Ollama{}))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, ollama bool) {
		var q quick
		var dialect Dialect = OpenAI{}
		if ollama {
			dialect = Ollama{}
		}
		if !quickly(&q, payload, dialect) {
			return
		}
		if !json.Valid(payload) {
			t.Fatalf("%q is not JSON", payload)
		}
		if ollama {
			checkLine(t, payload, &q)
		} else {
			checkChat(t, payload, &q)
		}
		switch {
		case strings.ContainsAny(string(payload), "\n\r"):
		case ollama:
			agree(t, []byte(string(payload)+"\n"), Ollama{})
		default:
			agree(t, []byte("data: "+string(payload)+"\n\n"), OpenAI{})
		}
	})
}

// checkChat holds what quick read against what encoding/json reads.
func checkChat(t *testing.T, payload []byte, q *quick) {
	t.Helper()
	var event chatEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		t.Fatalf("%q: %v", payload, err)
	}
	if event.Usage != q.usage || event.Timings != q.timings || messageOf(event.Error) != "" {
		t.Errorf("%q: %+v, quickly %+v", payload, event, q)
	}
	if event.ID != string(q.id) || event.Model != string(q.model) || len(event.Choices) != q.n {
		t.Fatalf("%q: %+v, quickly %+v", payload, event, q)
	}
	for i, c := range event.Choices {
		d, got := c.Delta, q.choices[i]
		want := quickChoice{
			content: len(d.Content), text: len(c.Text), finish: got.finish,
			reasoningContent: len(d.ReasoningContent), reasoning: len(d.Reasoning), toolCalls: lengths(d.ToolCalls),
		}
		if !reflect.DeepEqual(got, want) || c.FinishReason != string(got.finish) {
			t.Errorf("%q: choice %d is %+v, quickly %+v", payload, i, c, got)
		}
	}
}

// checkLine does so for a line of Ollama's.
func checkLine(t *testing.T, payload []byte, q *quick) {
	t.Helper()
	var chunk ollamaChunk
	if err := json.Unmarshal(payload, &chunk); err != nil {
		t.Fatalf("%q: %v", payload, err)
	}
	m := chunk.Message
	want := quickChoice{content: len(m.Content), reasoning: len(m.Thinking), toolCalls: lengths(m.ToolCalls)}
	if !reflect.DeepEqual(q.choices[0], want) || chunk.Model != string(q.model) {
		t.Errorf("%q: %+v, quickly %+v", payload, chunk, q)
	}
	chunk.Model, chunk.Message = "", ollamaChunk{}.Message
	if !reflect.DeepEqual(chunk, ollamaChunk{}) {
		t.Errorf("%q has more than quick read: %+v", payload, chunk)
	}
}
