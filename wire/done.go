package wire

import (
	"cmp"

	"exobench"
)

// When an answer is done, and when its stream is over: the same for all
// dialects. What comes after the last line settles it: a finish reason may come
// early, late, twice or never.

// finished notes an event with a finish reason. Where it is the first at or
// after the output so far, the answer is done, unless more output comes.
func (s *stream) finished(reason []byte, at exobench.Instant, bare bool) {
	if string(reason) != s.record.FinishReason {
		s.record.FinishReason = oneLine(reason)
		s.judgeReason(s.record.FinishReason)
	}
	if !s.finish.Reached() {
		s.finish, s.finishDelay, s.finishBare = at, s.delay, bare
	}
}

// judgeReason takes what a finish reason says.
func (s *stream) judgeReason(reason string) {
	switch verdictOf(reason) {
	case filtered:
		s.filtered = true
	case failed:
		s.fail("the server ended the answer with the finish reason " + reason)
	case unheardOf:
		s.doubt(exobench.UnknownFinish).Text = reason
	}
}

// native takes a finish reason in the words of the server behind the server.
// They are of all kinds, and only tell of failures.
func (s *stream) native(reason []byte) {
	if len(reason) == 0 {
		return
	}
	text := oneLine(reason)
	if v := verdictOf(text); v == filtered || v == failed {
		s.judgeReason(text)
	}
}

// ended notes that what ends a whole stream came. What follows it is no part of
// the answer.
func (s *stream) ended() { s.over = true }

// settleDone settles, after the last line and the tokens, when the last token
// came and when the answer was done.
func (s *stream) settleDone() {
	r := s.record
	if s.finish.Reached() && s.endsInToken() {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: s.finish})
		if s.kernel {
			r.Delays = append(r.Delays, s.finishDelay)
		}
		r.LastToken = s.finish
	}
	r.Done = r.LastToken
	if s.finish.Reached() {
		r.Done = s.finish
	}
	if s.answeredByForce() {
		r.FirstAnswer = 0
	}
	if s.unstreamed {
		r.FirstToken, r.FirstAnswer = 0, 0
		s.doubt(exobench.NotStreamed)
	}
}

// endsInToken reports whether the event with the finish reason, which has no
// output, came with a token: one that is counted and has no text, as the end of a
// sequence. exo has an event for every token; elsewhere, exactly that one must be
// missing among the events.
func (s *stream) endsInToken() bool {
	r := s.record
	if !s.finishBare || len(r.Chunks) == 0 || r.OutputTokens == nil || r.TokensFrom == exobench.FromEvents {
		return false
	}
	missing := *r.OutputTokens - exobench.Tokens(len(r.Chunks))
	if r.HiddenTokens != nil {
		missing -= *r.HiddenTokens
	}
	return missing > 0 && s.exo || missing == 1 && verdictOf(r.FinishReason) == wellEnded
}

// answeredByForce reports whether the only token of the answer is the one with
// which its length cut off the reasoning: exo calls the last token an answer,
// whatever it is.
func (s *stream) answeredByForce() bool {
	r := s.record
	return s.thoughts > 0 && s.answers == 1 && !s.finishBare && r.FirstAnswer == r.LastToken &&
		s.finish == r.LastToken && verdictOf(r.FinishReason) == lengthEnded
}

// puzzled returns the event that nobody understands and after which nothing came
// that ends an answer well; "" where there is none. Where a stream ends so,
// something has failed.
func (s *stream) puzzled() string {
	if s.finish.Reached() || s.counted {
		return ""
	}
	return s.puzzle
}

// complete reports whether all of an answer came that is measured: to its
// terminator, or to a finish reason and the usage.
func (s *stream) complete() bool { return s.over || s.finish.Reached() && s.counted }

// truncatedText adds to a text what the server said last.
func (s *stream) truncatedText(text string) string {
	if last := cmp.Or(s.lastWords, s.trailing, s.puzzled()); last != "" {
		text += "; its last words are: " + last
	}
	return text
}
