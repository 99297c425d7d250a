package wire

import (
	"encoding/json"
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
		n := copy(c.room(), text[:min(size, len(text))])
		c.took(n, arrival{user: exobench.Instant(1000 * (i + 1)), delay: 500})
		text = text[n:]
	}
	return c
}

// bothWays parses an answer with and without quick.
func bothWays(text []byte) (quickly, fully *stream) {
	answer := captureOf(text, 100)
	defer answer.free()
	for _, s := range []**stream{&quickly, &fully} {
		*s = newStream(new(exobench.Record), Call{})
		(*s).full = s == &fully
		(*s).parse(answer)
	}
	return quickly, fully
}

func agree(t *testing.T, text []byte) {
	t.Helper()
	quickly, fully := bothWays(text)
	if diff := cmp.Diff(fully.record, quickly.record); diff != "" {
		t.Errorf("records of %q differ (- fully, + quickly):\n%s", text, diff)
	}
	if quickly.done != fully.done || quickly.failure != fully.failure || quickly.malformed != fully.malformed || quickly.stream != fully.stream {
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
	{`{"choices":[],"x":[1,-2.5e+3,0,true,false,{"a":{"b":[]}}]}`, true},
	{`{}`, true},
	{`{"choices":[{"delta":{"content":"a","tool_calls":null}}],"error":null,"timings":null}`, true},
	{`{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`, false},
	{`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}`, false},
	{`{"error":{"message":"x"}}`, false},
	{`{"choices":[{"delta":{"content":"a"}}],"timings":{"predicted_n":1}}`, false},
	{`{"Choices":[{"Delta":{"content":"a"}}]}`, false},
	{`{"choices":[{"delta":{"content":"a","content":"bc"}}]}`, false},
	{`{"choices":[{"delta":{"content":"\ud83d"}}]}`, false},
	{"{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}", false},
	{`{"choices":[{"delta":{"content":1}}]}`, false},
	{`{"choices":[{"delta":{"content":"a"}}],"x":01}`, false},
	{`{"choices":[{"delta":{"content":"a"}}]`, false},
	{`{"choices":[null]}`, false},
	{`{"choices":[{"delta":{"content":"\u000g"}}]}`, false},
	{`{"choices":[{},{},{},{},{}]}`, false},
	{`{"choices":[{"delta":{"content":"a"},}]}`, false},
}

func TestQuickReadsTheUsualAndLeavesTheRest(t *testing.T) {
	var q quick
	for _, p := range payloads {
		if got := q.parse([]byte(p.text)); got != p.quick {
			t.Errorf("quick reads %s: %v, want %v", p.text, got, p.quick)
		}
		agree(t, []byte("data: "+p.text+"\n\ndata: [DONE]\n\n"))
	}
	agree(t, []byte(content("a")+reasoning+roleOnly+finish+usageOnly+terminate))
}

func TestQuickAgreesOnRecordedStreams(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sse")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, text)
	}
}

func TestQuickKnowsEveryKeyOfAChatEvent(t *testing.T) {
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
	} {
		if got := strings.Join(keys(c.of), " "); got != c.want {
			t.Errorf("%T has the keys %s; quick knows %s", c.of, got, c.want)
		}
	}
}

func FuzzQuickAgreesWithTheFullDecode(f *testing.F) {
	for _, p := range payloads {
		f.Add([]byte(p.text))
	}
	files, _ := filepath.Glob("testdata/*.sse")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			if payload, ok := strings.CutPrefix(line, "data: "); ok {
				f.Add([]byte(strings.TrimSpace(payload)))
			}
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var q quick
		if !q.parse(payload) {
			return
		}
		if !json.Valid(payload) {
			t.Fatalf("%q is not JSON", payload)
		}
		var event chatEvent
		if err := json.Unmarshal(payload, &event); err != nil {
			t.Fatalf("%q: %v", payload, err)
		}
		if event.Usage != nil || event.Timings != nil || messageOf(event.Error) != "" {
			t.Errorf("%q has more than quick read: %+v", payload, event)
		}
		if event.ID != string(q.id) || event.Model != string(q.model) || len(event.Choices) != q.n {
			t.Fatalf("%q: %+v, quickly %+v", payload, event, q)
		}
		for i, c := range event.Choices {
			d, got := c.Delta, q.choices[i]
			if len(d.Content)+len(c.Text) != got.answer || len(d.ReasoningContent)+len(d.Reasoning)+lengths(d.ToolCalls) != got.other || c.FinishReason != string(got.finish) {
				t.Errorf("%q: choice %d is %+v, quickly %+v", payload, i, c, got)
			}
		}
		if !strings.ContainsAny(string(payload), "\n\r") {
			agree(t, []byte("data: "+string(payload)+"\n\n"))
		}
	})
}

func TestQuickAllocatesNothing(t *testing.T) {
	var q quick
	text := []byte(payloads[0].text)
	if n := testing.AllocsPerRun(100, func() { q.parse(text) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}
