package wire

import "exobench"

// When an answer is done, and when its stream is over: the same for all
// dialects.

// finished notes an event with a finish reason, which may be empty.
func (s *stream) finished(reason string, at exobench.Instant) {
	s.record.FinishReason = reason
	s.record.Done = at
}

// ended notes that what ends a whole stream came. What follows it is no part of
// the answer.
func (s *stream) ended() { s.over = true }

// settleDone settles, after the last line, when the answer was done.
func (s *stream) settleDone() {
	if r := s.record; !r.Done.Reached() {
		r.Done = r.LastToken
	}
}
