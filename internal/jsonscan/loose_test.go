package jsonscan

import (
	"encoding/json"
	"testing"
)

func TestALooseScannerReadsWhatIsUnusual(t *testing.T) {
	const text = `{"Upper":"a\/b","k\u0065y":"\ud83d","é":[[[[[[[[[[[["deep"]]]]]]]]]]]],"last":"\u00e9x"}`
	var s Scanner
	s.ResetLoose([]byte(text))
	var keys []string
	var texts []string
	for key := range s.Object {
		keys = append(keys, string(key))
		if s.Next('"') {
			texts = append(texts, string(s.Plain()))
			continue
		}
		s.Skip()
	}
	if !s.End() || len(keys) != 4 || keys[0] != "Upper" || keys[1] != "key" || keys[2] != "é" {
		t.Errorf("keys %q, at the end: %v", keys, s.End())
	}
	if len(texts) != 3 || texts[0] != "a/b" || texts[1] != "\ufffd" || texts[2] != "éx" {
		t.Errorf("texts %q", texts)
	}
}

func TestALooseScannerFailsOnAnotherKindOfValue(t *testing.T) {
	for _, read := range []func(*Scanner){
		func(s *Scanner) { s.Length() }, func(s *Scanner) { s.Plain() }, func(s *Scanner) { s.Integer() },
		func(s *Scanner) {
			for range s.Array {
				s.Skip()
			}
		},
	} {
		var s Scanner
		s.ResetLoose([]byte(`{"a":1}`))
		if read(&s); s.End() {
			t.Error("an object was read as something else")
		}
	}
}

// A loose scanner must read all that is JSON, and what a strict one reads it must
// read alike.
func FuzzALooseScannerReadsAllJSON(f *testing.F) {
	for _, c := range texts {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		var loose, strict Scanner
		loose.ResetLoose(text)
		loose.space()
		loose.Skip()
		if !loose.End() {
			t.Errorf("%q was not read", text)
		}
		loose.ResetLoose(text)
		strict.Reset(text)
		if n := strict.Length(); strict.End() {
			if got := loose.Length(); !loose.End() || got != n {
				t.Errorf("%q: length %d, strictly %d", text, got, n)
			}
		}
	})
}
