package jsonscan

import "strconv"

// maxDigits is how many digits a whole number may have: so many fit an int64
// whatever they are.
const maxDigits = 18

// Integer reads a whole number.
func (s *Scanner) Integer() int64 {
	negative := s.accept('-')
	rest, n, digits := s.text[s.i:], int64(0), 0
	for digits < len(rest) && rest[digits]-'0' <= 9 {
		n = 10*n + int64(rest[digits]-'0')
		digits++
	}
	if digits == 0 || digits > maxDigits || digits > 1 && rest[0] == '0' {
		s.Fail()
		return 0
	}
	s.i += digits
	if negative {
		return -n
	}
	return n
}

// Integers reads an array of whole numbers and appends them.
func (s *Scanner) Integers(to []int64) []int64 {
	for more := s.Open('[', ']'); more; more = s.accept(',') || s.More(']') {
		to = append(to, s.Integer())
	}
	return to
}

// Float reads a number that fits a float64.
func (s *Scanner) Float() float64 {
	start := s.i
	s.number()
	if s.failed {
		return 0
	}
	value, err := strconv.ParseFloat(string(s.text[start:s.i]), 64)
	if err != nil {
		s.Fail()
	}
	return value
}

func (s *Scanner) number() {
	s.accept('-')
	if !s.accept('0') {
		s.digits()
	}
	if s.accept('.') {
		s.digits()
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('+') {
			s.accept('-')
		}
		s.digits()
	}
}

// digits reads one digit or more.
func (s *Scanner) digits() {
	start, i := s.i, s.i
	for uint(i) < uint(len(s.text)) && '0' <= s.text[i] && s.text[i] <= '9' {
		i++
	}
	if s.i = i; i == start {
		s.Fail()
	}
}
