package jsonscan

import "encoding/json"

// ResetLoose makes the scanner read a text that is known to be valid JSON
// ([json.Valid]) and may be unusual. It then fails only where a value is of
// another kind than the one asked for, and reads what is unusual by
// encoding/json, which allocates. Keys keep their case.
func (s *Scanner) ResetLoose(text []byte) {
	*s = Scanner{text: text, loose: true}
	s.space()
}

// decoded reads the string that comes next, whatever it holds, if the scanner is
// loose; else it fails.
func (s *Scanner) decoded() []byte {
	if !s.loose || !s.Next('"') {
		s.Fail()
		return nil
	}
	end := s.i + 1
	for end < len(s.text) && s.text[end] != '"' {
		if s.text[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(s.text) {
		s.Fail()
		return nil
	}
	var text string
	if json.Unmarshal(s.text[s.i:end+1], &text) != nil {
		s.Fail()
		return nil
	}
	s.i = end + 1
	return []byte(text)
}
