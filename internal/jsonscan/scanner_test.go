package jsonscan

import (
	"encoding/json"
	"math"
	"testing"
)

// texts are values and members of objects, and whether the scanner must read
// them; what it need not, it may.
var texts = []struct {
	text string
	read bool
}{
	{`{}`, true}, {`[]`, true}, {`null`, true}, {`true`, true}, {`false`, true}, {` 1 `, true}, {`""`, true},
	{`{"a":1,"b":[true,{"c":null}],"d":"é\n\u00e9\ud83d\ude00"}`, true},
	{"\t{ \"a\" : 1 ,\r\n\"b\" : [ 1 , 2 ] }\n", true},
	{`[0,-0,1.5,-2.5e+3,1E9,0.1e-7]`, true},
	{`[[[[[[[[1]]]]]]]]`, true},
	{`[01]`, false}, {`[1.]`, false}, {`[.5]`, false}, {`[+1]`, false}, {`[1e]`, false}, {`[-]`, false}, {`[0x1]`, false}, {`[NaN]`, false},
	{`[1,]`, false}, {`[,1]`, false}, {`[1 2]`, false}, {`[1`, false}, {`{"a":1,}`, false}, {`{"a"}`, false}, {`{"a":}`, false}, {`{a:1}`, false}, {`{1:1}`, false},
	{`{"a":1}}`, false}, {`1 1`, false}, {``, false}, {`nul`, false}, {`truer`, false},
	{`"\x"`, false}, {`"\u12"`, false}, {`"\u000g"`, false}, {`"\`, false}, {`"a`, false}, {"\"a\tb\"", false},
}

func TestSkipReadsWhatIsJSON(t *testing.T) {
	for _, c := range texts {
		if got := skips([]byte(c.text)); got != c.read || got != json.Valid([]byte(c.text)) {
			t.Errorf("%q: read %v, want %v; encoding/json says %v", c.text, got, c.read, json.Valid([]byte(c.text)))
		}
	}
}

func skips(text []byte) bool {
	var s Scanner
	s.Reset(text)
	s.space()
	s.Skip()
	return s.End()
}

func TestUnusualTextIsLeftToEncodingJSON(t *testing.T) {
	for _, c := range []struct {
		name, text string
		read       func(*Scanner)
	}{
		{"a key in upper case", `{"Seq":1}`, func(s *Scanner) { skipMembers(s) }},
		{"a key outside of ASCII", `{"ſeq":1}`, func(s *Scanner) { skipMembers(s) }},
		{"a key with an escape", `{"\u0073eq":1}`, func(s *Scanner) { skipMembers(s) }},
		{"an escape in plain text", `"a\n"`, func(s *Scanner) { s.Plain() }},
		{"text that is not UTF-8", "\"\xff\"", func(s *Scanner) { s.Length() }},
		{"plain text that is not UTF-8", "\"\xff\"", func(s *Scanner) { s.Plain() }},
		{"half a pair of surrogates", `"\ud83d"`, func(s *Scanner) { s.Length() }},
		{"nineteen digits", `1000000000000000000`, func(s *Scanner) { s.Integer() }},
		{"a fraction", `1.0`, func(s *Scanner) { s.Integer() }},
		{"a power", `1e2`, func(s *Scanner) { s.Integer() }},
		{"more than a float64 holds", `1e999`, func(s *Scanner) { s.Float() }},
		{"null for a number", `null`, func(s *Scanner) { s.Integer() }},
		{"null in an array of numbers", `[1,null]`, func(s *Scanner) { s.Integers(nil) }},
		{"ten arrays in each other", `[[[[[[[[[[1]]]]]]]]]]`, func(s *Scanner) { s.Skip() }},
	} {
		if !json.Valid([]byte(c.text)) {
			t.Errorf("%s: %q is not JSON", c.name, c.text)
		}
		var s Scanner
		s.Reset([]byte(c.text))
		if c.read(&s); s.End() {
			t.Errorf("%s: %q was read", c.name, c.text)
		}
	}
}

func skipMembers(s *Scanner) {
	for range s.Object {
		s.Skip()
	}
}

func TestAFailedScannerEndsEveryLoop(t *testing.T) {
	var s Scanner
	s.Reset([]byte(`{"a":[1,2,3],"b":2}`))
	members, elements := 0, 0
	for range s.Object {
		members++
		for range s.Array {
			elements++
			s.Fail()
		}
	}
	if members != 1 || elements != 1 || s.End() || !s.Failed() {
		t.Errorf("%d members, %d elements, failed %v", members, elements, s.Failed())
	}
}

func FuzzScannerReadsAsEncodingJSON(f *testing.F) {
	for _, c := range texts {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if skips(text) && !json.Valid(text) {
			t.Errorf("%q is not JSON and was read", text)
		}
		var s Scanner
		s.Reset(text)
		if length := s.Length(); s.End() {
			var want string
			if err := json.Unmarshal(text, &want); err != nil || length != len(want) {
				t.Errorf("%q: length %d, want %d, %v", text, length, len(want), err)
			}
		}
		s.Reset(text)
		if plain := s.Plain(); s.End() {
			var want string
			if err := json.Unmarshal(text, &want); err != nil || string(plain) != want {
				t.Errorf("%q: plain %q, want %q, %v", text, plain, want, err)
			}
		}
		s.Reset(text)
		if n := s.Integer(); s.End() {
			var want int64
			if err := json.Unmarshal(text, &want); err != nil || n != want {
				t.Errorf("%q: integer %d, want %d, %v", text, n, want, err)
			}
		}
		s.Reset(text)
		if x := s.Float(); s.End() {
			var want float64
			if err := json.Unmarshal(text, &want); err != nil || math.Float64bits(x) != math.Float64bits(want) {
				t.Errorf("%q: float %v, want %v, %v", text, x, want, err)
			}
		}
		checkIntegers(t, text)
	})
}

func checkIntegers(t *testing.T, text []byte) {
	t.Helper()
	var s Scanner
	s.Reset(text)
	got := s.Integers(nil)
	if !s.End() {
		return
	}
	var want []int64
	if err := json.Unmarshal(text, &want); err != nil || len(got) != len(want) {
		t.Fatalf("%q: integers %d, want %d, %v", text, got, want, err)
	}
	for i, n := range want {
		if got[i] != n {
			t.Errorf("%q: integers %d, want %d", text, got, want)
		}
	}
}
