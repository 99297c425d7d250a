package jsonscan

import "unicode/utf8"

// Scanner reads one JSON text. The zero value reads the empty text. It is not
// safe for concurrent use; what it returns are parts of the text.
type Scanner struct {
	text   []byte
	i      int // the next byte
	failed bool
	loose  bool // see ResetLoose
}

// Reset makes the scanner read the text from its start.
func (s *Scanner) Reset(text []byte) {
	*s = Scanner{text: text}
	s.space()
}

// Fail makes the scanner fail: the caller met what it cannot take.
func (s *Scanner) Fail() { s.i, s.failed = len(s.text), true }

// Failed reports whether the scanner failed.
func (s *Scanner) Failed() bool { return s.failed }

// End reports whether nothing failed and nothing but white space is left.
func (s *Scanner) End() bool {
	s.space()
	return !s.failed && s.i == len(s.text)
}

// Offset returns how many bytes of the text were read.
func (s *Scanner) Offset() int { return s.i }

// Next reports whether b is the next byte.
func (s *Scanner) Next(b byte) bool { return uint(s.i) < uint(len(s.text)) && s.text[s.i] == b }

// accept goes past the byte b, if it is the next.
func (s *Scanner) accept(b byte) bool {
	if !s.Next(b) {
		return false
	}
	s.i++
	return true
}

// space goes past white space. There seldom is any, so the loop is not part of
// it, and the compiler can put it in line.
func (s *Scanner) space() {
	if uint(s.i) < uint(len(s.text)) && s.text[s.i] <= ' ' {
		s.spaces()
	}
}

func (s *Scanner) spaces() {
	for uint(s.i) < uint(len(s.text)) && white[s.text[s.i]] {
		s.i++
	}
}

// Bytes by what they may stand for: white space between values; in a string,
// themselves; and of these, all but upper case.
var white, plain, lower = func() (white, plain, lower [256]bool) {
	white[' '], white['\t'], white['\n'], white['\r'] = true, true, true, true
	for b := ' '; b < utf8.RuneSelf; b++ {
		plain[b] = b != '"' && b != '\\'
		lower[b] = plain[b] && (b < 'A' || b > 'Z')
	}
	return white, plain, lower
}()

// Object yields the key of each member; the loop's body must read the value.
// Null is an empty object.
func (s *Scanner) Object(yield func(key []byte) bool) {
	if !s.Next('{') {
		s.Literal("null")
		return
	}
	for more := s.Open('{', '}'); more; more = s.More('}') {
		key := s.Key()
		if s.failed || !yield(key) {
			return
		}
	}
}

// Array yields for each element; the loop's body must read it. Null is an empty
// array.
func (s *Scanner) Array(yield func() bool) {
	if !s.Next('[') {
		s.Literal("null")
		return
	}
	for more := s.Open('[', ']'); more && yield(); more = s.More(']') {
	}
}

// Open goes past the opening bracket of an object or an array, and reports
// whether there is a first member or element. It is for loops that need more
// than Object and Array have.
func (s *Scanner) Open(bracket, end byte) bool {
	if !s.accept(bracket) {
		s.Fail()
		return false
	}
	s.space()
	return !s.accept(end)
}

// More goes on to the next member or element, and reports whether there is one.
func (s *Scanner) More(end byte) bool {
	s.space()
	if s.accept(',') {
		s.space()
		return true
	}
	if !s.accept(end) {
		s.Fail()
	}
	return false
}

// Key reads a key and its colon.
func (s *Scanner) Key() (key []byte) {
	if !s.accept('"') {
		s.Fail()
		return nil
	}
	start, i := s.i, s.i
	for uint(i) < uint(len(s.text)) && lower[s.text[i]] {
		i++
	}
	if s.i = i; !s.accept('"') {
		s.i = start - 1
		key = s.decoded()
		s.colon()
		return key
	}
	s.colon()
	return s.text[start:i]
}

// AcceptKey goes past a key and its colon, if they are the next and stand there
// without a space. It is quicker than Key for who knows what comes.
func (s *Scanner) AcceptKey(key string) bool {
	rest := s.text[s.i:]
	n := len(key)
	if len(rest) > n+2 && rest[0] == '"' && rest[n+1] == '"' && rest[n+2] == ':' && string(rest[1:n+1]) == key {
		s.i += n + 3
		s.space()
		return true
	}
	return false
}

func (s *Scanner) colon() {
	s.space()
	if !s.accept(':') {
		s.Fail()
	}
	s.space()
}

// Literal reads the word: true, false or null.
func (s *Scanner) Literal(word string) {
	if len(s.text)-s.i < len(word) || string(s.text[s.i:s.i+len(word)]) != word {
		s.Fail()
		return
	}
	s.i += len(word)
}

// maxDepth is how deep the values that are skipped may be nested.
const maxDepth = 8

// Skip reads a value of any kind for nothing.
func (s *Scanner) Skip() { s.skip(0) }

func (s *Scanner) skip(depth int) {
	if s.i >= len(s.text) || depth > maxDepth && !s.loose {
		s.Fail()
		return
	}
	switch s.text[s.i] {
	case '"':
		s.Length()
	case '{':
		for more := s.Open('{', '}'); more; more = s.More('}') {
			s.Length()
			s.colon()
			s.skip(depth + 1)
		}
	case '[':
		for more := s.Open('[', ']'); more; more = s.More(']') {
			s.skip(depth + 1)
		}
	case 't':
		s.Literal("true")
	case 'f':
		s.Literal("false")
	case 'n':
		s.Literal("null")
	default:
		s.number()
	}
}
