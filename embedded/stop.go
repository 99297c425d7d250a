package embedded

import "strings"

// stopper looks for stop strings in the text of a stream.
type stopper struct {
	strings []string
	longest int
	tail    string // of the text, long enough for a stop string but its last byte
}

func newStopper(stops []string) *stopper {
	s := &stopper{}
	for _, stop := range stops {
		if stop != "" {
			s.strings = append(s.strings, stop)
			s.longest = max(s.longest, len(stop))
		}
	}
	return s
}

// feed takes the text of one token and returns what of it may be shown, and
// whether a stop string has ended the stream. Text that was shown before a stop
// string was complete stays shown, as in exo.
func (s *stopper) feed(text string) (shown string, stopped bool) {
	if s.longest == 0 {
		return text, false
	}
	before := len(s.tail)
	all := s.tail + text
	first := -1
	for _, stop := range s.strings {
		if i := strings.Index(all, stop); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	if first >= 0 {
		return all[min(before, first):first], true
	}
	s.tail = all[max(0, len(all)-s.longest+1):]
	return text, false
}
