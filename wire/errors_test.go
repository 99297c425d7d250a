package wire

import (
	"strings"
	"testing"
	"unicode"
)

func TestTextOfAServerFitsOnALine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain", "plain"},
		{" two \r\n lines\t", "two lines"},
		{"a\x1b]0;title\x07b", "a\ufffd]0;title\ufffdb"},
		{"C1 \u0085\u009b31m", "C1 \ufffd31m"},
		{"left\u202eright\u2066", "left\ufffdright\ufffd"},
		{"日本語 é", "日本語 é"},
		{"ends in half a rune \xe6\x97", "ends in half a rune \ufffd"},
		{"\x1f\x8b\x08\x00\x00\x00\x00\x00\xff\xfe\x01", "11 bytes of binary data"},
	} {
		if got := oneLine([]byte(c.text)); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	long := oneLine([]byte(strings.Repeat("é", 100_000)))
	if len(long) > errorTextLimit+len("…") || !strings.HasSuffix(long, "é…") {
		t.Errorf("%d bytes: %q", len(long), long)
	}
}

func FuzzTextOfAServerFitsOnALine(f *testing.F) {
	f.Add([]byte("a\x1b[31m\x00\u202e\n"))
	f.Add([]byte(strings.Repeat(" ", 10_000)))
	f.Fuzz(func(t *testing.T, text []byte) {
		line := oneLine(text)
		if len(line) > errorTextLimit+len("…") {
			t.Errorf("%d bytes of %q", len(line), text)
		}
		for _, r := range line {
			if !unicode.IsGraphic(r) || r == '\n' {
				t.Errorf("%q of %q", line, text)
			}
		}
	})
}

func TestWhatIsAnErrorAndWhatIsNone(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{`null`, ""}, {`false`, ""}, {`{}`, ""}, {`[]`, ""}, {`""`, ""}, {`0`, ""},
		{`{"code":0}`, ""}, {`{"code":0,"message":"ok"}`, ""}, {`{"code":200,"message":"Success"}`, ""},
		{`{"message":null,"type":""}`, ""}, {`"none"`, ""}, {`[{}]`, ""}, {`{ "code" : 0 }`, ""},
		{`true`, "an error without a text"}, {`"boom"`, "boom"}, {`500`, "error code 500"},
		{`{"code":500}`, `{"code":500}`}, {`{"message":"boom","code":0}`, "boom"}, {`{"msg":"boom"}`, "boom"},
		{`{"error":{"message":"x"}}`, `{"error":{"message":"x"}}`}, {`["boom"]`, `["boom"]`},
		{`[{"loc":["body","model"],"msg":"Field required"}]`, "body.model: Field required"},
	} {
		if got := faultText([]byte(c.raw)); got != c.want {
			t.Errorf("%s: %q, want %q", c.raw, got, c.want)
		}
	}
}

func TestFinishReasons(t *testing.T) {
	for reason, want := range map[string]verdict{
		"stop": wellEnded, "STOP": wellEnded, "eos_token": wellEnded, "end_turn": wellEnded, "tool_calls": wellEnded, "function_call": wellEnded,
		"length": lengthEnded, "MAX_TOKENS": lengthEnded,
		"content_filter": filtered, "SAFETY": filtered,
		"error": failed, "abort": failed, "cancelled": failed, "insufficient_system_resource": failed, "engine_error": failed,
		"mystery": unheardOf,
	} {
		if got := verdictOf(reason); got != want {
			t.Errorf("%s: %d, want %d", reason, got, want)
		}
	}
}
