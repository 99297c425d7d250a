package jsonscan

import "unicode/utf8"

// Plain reads a string without escapes and returns its text, a part of the
// scanner's; a loose scanner reads any string.
func (s *Scanner) Plain() []byte {
	text, ok := s.AcceptPlain()
	if !ok {
		return s.decoded()
	}
	return text
}

// AcceptPlain goes past a string, if one is the next that has no escapes and is
// UTF-8, and returns its text.
func (s *Scanner) AcceptPlain() (text []byte, ok bool) {
	if !s.Next('"') {
		return nil, false
	}
	start, i := s.i+1, s.i+1
	for uint(i) < uint(len(s.text)) && plain[s.text[i]] {
		i++
	}
	ascii := true
	for uint(i) < uint(len(s.text)) && (plain[s.text[i]] || s.text[i] >= utf8.RuneSelf) {
		ascii = false
		i++
	}
	if i >= len(s.text) || s.text[i] != '"' || !ascii && !utf8.Valid(s.text[start:i]) {
		return nil, false
	}
	s.i = i + 1
	return s.text[start:i], true
}

// Quoted reads a string and returns it with its quotes and escapes, for
// encoding/json to decode.
func (s *Scanner) Quoted() []byte {
	start := s.i
	s.Length()
	if s.failed {
		return nil
	}
	return s.text[start:s.i]
}

// Length reads a string and returns the length of its text in UTF-8.
func (s *Scanner) Length() int {
	n, end := s.length()
	if end == 0 {
		return len(s.decoded())
	}
	s.i = end
	return n
}

// length returns the length of the text of the string that comes next and where
// the string ends: 0 where there is none, or one that is unusual.
func (s *Scanner) length() (n, end int) {
	if !s.Next('"') {
		return 0, 0
	}
	start, ascii := s.i+1, true
	for i := start; i < len(s.text); {
		switch b := s.text[i]; {
		case plain[b]:
			n++
			i++
		case b >= utf8.RuneSelf:
			ascii = false
			n++
			i++
		case b == '\\':
			size, end := escape(s.text, i)
			if size == 0 {
				return 0, 0
			}
			n += size
			i = end
		case b == '"' && (ascii || utf8.Valid(s.text[start:i])):
			return n, i + 1
		default:
			return 0, 0
		}
	}
	return 0, 0
}

// escape reads the escape sequence at i, a pair of surrogates as one. It
// returns the length of what it stands for, 0 if nothing, and its end.
func escape(text []byte, i int) (size, end int) {
	if i+1 >= len(text) {
		return 0, i
	}
	switch text[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1, i + 2
	case 'u':
	default:
		return 0, i
	}
	r, ok := codeUnit(text, i)
	switch {
	case !ok || 0xDC00 <= r && r <= 0xDFFF:
		return 0, i
	case 0xD800 <= r && r < 0xDC00:
		low, ok := codeUnit(text, i+6)
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return 0, i
		}
		return 4, i + 12
	}
	return utf8.RuneLen(r), i + 6
}

// codeUnit reads the \uXXXX at i.
func codeUnit(text []byte, i int) (r rune, ok bool) {
	if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
		return 0, false
	}
	for _, b := range text[i+2 : i+6] {
		switch {
		case '0' <= b && b <= '9':
			b -= '0'
		case 'a' <= b && b <= 'f':
			b -= 'a' - 10
		case 'A' <= b && b <= 'F':
			b -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(b)
	}
	return r, true
}
