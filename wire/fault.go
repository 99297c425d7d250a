package wire

import (
	"cmp"
	"encoding/json"
)

// What in a stream is an error, and what is not as the protocol has it: the same
// for all dialects.

// failed takes the error member of an event, if it has one, and reports whether
// it says that the request failed. The first error holds.
func (s *stream) failed(raw json.RawMessage) bool {
	message := messageOf(raw)
	s.failure = cmp.Or(s.failure, message)
	return message != ""
}

// notJSON takes an event that encoding/json cannot read. Of one that was cut
// off, bad JSON says nothing but that.
func (s *stream) notJSON(event []byte, err error, whole bool) {
	if s.malformed == "" && whole {
		s.malformed = "bad JSON in the stream (" + err.Error() + "): " + oneLine(event)
	}
}

// stray takes a line that belongs to no event of an event stream. Before the
// first event, it may be the one object that some servers answer with in place
// of a stream.
func (s *stream) stray(line []byte) {
	if !s.framed && len(line) > 0 && line[0] == '{' {
		s.failure = errorMessage(line)
	}
}
