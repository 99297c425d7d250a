package wire

import (
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
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

// bothWays parses an answer strictly, where that will do, and loosely.
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
	strictly, loosely := streams[0], streams[1]
	if diff := cmp.Diff(loosely.record, strictly.record); diff != "" {
		t.Errorf("records of %q differ (- loosely, + strictly):\n%s", text, diff)
	}
	if strictly.over != loosely.over || strictly.failure != loosely.failure || strictly.malformed != loosely.malformed || strictly.framed != loosely.framed {
		t.Errorf("%q: strictly %+v, loosely %+v", text, strictly, loosely)
	}
}

// payloads are events of many shapes; strict says which of them are read strictly,
// without allocating.
var payloads = []struct {
	text   string
	strict bool
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
	{`{"choices":[{"delta":{"content":"a"}}],"choices":[{}]}`, true},
	{`{"error":{"message":"x"}}`, true},
	{`{"Choices":[{"Delta":{"content":"a"}}]}`, false},
	{`{"choices":[],"usage":{"Prompt_tokens":9}}`, false},
	{`{"choices":[],"usage":{"prompt_tokens":9.0}}`, true},
	{`{"choices":[],"usage":{"prompt_tokens":1e2}}`, true},
	{`{"choices":[],"usage":{"prompt_tokens":9223372036854775808}}`, true},
	{`{"choices":[],"usage":{"prompt_tokens":"9"}}`, true},
	{`{"choices":[],"usage":[]}`, true},
	{`{"choices":[],"timings":{"prompt_per_second":1e999}}`, true},
	{`{"choices":[],"timings":{"predicted_n":}}`, false},
	{`{"choices":[{"delta":{"content":"\ud83d"}}]}`, false},
	{"{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}", false},
	{`{"choices":[{"delta":{"content":1}}]}`, true},
	{`{"choices":[{"delta":{"content":"a"}}],"x":01}`, false},
	{`{"choices":[{"delta":{"content":"a"}}]`, false},
	{`{"choices":[{"delta":{"content":"\u000g"}}]}`, false},
	{`{"choices":[{},{},{},{},{}]}`, true},
	{`{"choices":[{"delta":{"content":"a"},}]}`, false},
	{`{"choices":[{"delta":{"tool_calls":[{},]}}]}`, false},
	{`{"choices":[],"x":{null:1}}`, false},
	{`{"choices":[],"x":[[[[[[[[[[1]]]]]]]]]]}`, false},
	{`{null:1}`, false},
	{``, false},
}

// lines are Ollama's.
var lines = []struct {
	text   string
	strict bool
}{
	{`{"model":"m","created_at":"2026-11-24T06:30:23.7Z","message":{"role":"assistant","content":"a\u003c"},"done":false}`, true},
	{`{"model":"m","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}`, true},
	{`{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}`, true},
	{`{"message":{"content":"a","content":"bc"},"message":{"thinking":"d"},"message":null}`, true},
	{`{"message":{"content":"a"},"done":true,"done_reason":"stop","eval_count":2}`, true},
	{`{"message":{"content":"a"},"done":false,"eval_count":2}`, true},
	{`{"message":{"content":"a"},"done":0}`, true},
	{`{"message":{"Content":"a"},"done":false}`, false},
	{`{"message":{"content":"a"},"done":false`, false},
	{`{"message":"a"}`, true},
	{`{"error":"busy"}`, true},
}

func TestTheUsualIsReadStrictly(t *testing.T) {
	var e event
	for _, p := range payloads {
		if got := e.walk([]byte(p.text), false); got != p.strict {
			t.Errorf("%s is read strictly: %v, want %v", p.text, got, p.strict)
		}
		agree(t, []byte("data: "+p.text+"\n\ndata: [DONE]\n\n"), OpenAI{})
	}
	var l ollamaLine
	for _, c := range lines {
		if got := l.walk([]byte(c.text), false); got != c.strict {
			t.Errorf("%s is read strictly: %v, want %v", c.text, got, c.strict)
		}
		agree(t, []byte(c.text+"\n"+ended("stop", fourTokens)), Ollama{})
	}
	agree(t, []byte(content("a")+reasoning+roleOnly+finish+usageOnly+terminate), OpenAI{})
}

// payloadOf returns what an event has to be read.
func payloadOf(event string) string { return strings.TrimSpace(strings.TrimPrefix(event, "data: ")) }

// walker reads a payload of a dialect.
func walker(dialect Dialect) func(text []byte, loose bool) bool {
	if _, ok := dialect.(Ollama); ok {
		return new(ollamaLine).walk
	}
	return new(event).walk
}

func TestTheEventsOfEveryEngineAllocateNothing(t *testing.T) {
	for _, e := range engineEvents {
		payload, walk := []byte(payloadOf(e.text)), walker(e.dialect)
		if !walk(payload, false) {
			t.Errorf("%s's %s is not read strictly", e.name, payload)
		}
		if n := testing.AllocsPerRun(100, func() { walk(payload, false) }); n != 0 {
			t.Errorf("%s: %v allocations an event", e.name, n)
		}
		agree(t, []byte(e.text), e.dialect)
	}
}

func TestTheLastFiguresHold(t *testing.T) {
	text := chunk("", `,"usage":{"prompt_tokens":8,"completion_tokens":1},"timings":{"prompt_n":8,"cache_n":1,"predicted_n":1}`) +
		chunk(delta(`"content":"a"`), `,"usage":{"prompt_tokens":9,"completion_tokens":2},"timings":{"prompt_n":9,"cache_n":0,"predicted_n":2,"predicted_per_second":7.5}`) +
		chunk("", `,"usage":null,"timings":{"prompt_n":1,"predicted_n":0}`) +
		chunk("", `,"usage":{}`) + terminate
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

func TestStrictAndLooseAgreeOnRecordedStreams(t *testing.T) {
	for text, dialect := range recorded(t) {
		agree(t, []byte(text), dialect)
	}
}

func FuzzStrictAgreesWithLoose(f *testing.F) {
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
		var dialect Dialect = OpenAI{}
		if ollama {
			dialect = Ollama{}
		}
		if walker(dialect)(payload, false) && !json.Valid(payload) {
			t.Fatalf("%q is not JSON and was read", payload)
		}
		if json.Valid(payload) && !walker(dialect)(payload, true) {
			t.Fatalf("%q is JSON and was not read", payload)
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
