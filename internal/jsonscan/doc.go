// Package jsonscan reads JSON in place and allocates nothing: the events of
// streams and the lines of journals, of which there are millions.
//
// What a [Scanner] reads, it reads as encoding/json would. Where it cannot,
// since the text is bad or merely unusual, it fails: it then reads nothing more,
// and what it has read is worth nothing. Whoever uses it leaves such text to
// encoding/json, and holds the two to the same results in its tests.
//
// A loose scanner ([Scanner.ResetLoose]) reads the unusual too, for who has to
// make do with whatever JSON comes.
//
// Unusual are keys with upper case (encoding/json does not mind the case of
// keys), keys outside of ASCII, escapes where plain text is asked for, text that
// is not UTF-8, whole numbers of more than 18 digits, and deep nesting.
//
// The package has no tables of types and no reflection: what an object's members
// mean is said by a switch over its keys, as in
//
//	var s jsonscan.Scanner
//	s.Reset(text)
//	for key := range s.Object {
//		switch string(key) {
//		case "seq":
//			seq = s.Integer()
//		default:
//			s.Skip()
//		}
//	}
//	if !s.End() {
//		// json.Unmarshal(text, ...)
//	}
//
// Note: jsontext, the tokenizer of encoding/json/v2, needs about twice as
// long for the same events and lines; docs/performance.md has the figures.
package jsonscan
