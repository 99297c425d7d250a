package wire

import (
	"runtime"

	"exobench"
)

// stream is an answer as its dialect reads it: the record under way, and what
// decides the outcome. Dialects tell it what they find by its methods, here and
// in done.go, usage.go and fault.go.
type stream struct {
	framed    bool   // there was a line as the dialect has them
	over      bool   // what ends a whole stream came
	failure   string // the message of the first error
	malformed string // what was wrong with the first bad line

	record *exobench.Record
	kernel bool  // the instants are the kernel's
	delay  int64 // of the line under way
	usage  usage
	slow   bool // read all by encoding/json, for tests to compare
}

// parse reads a captured answer into the record: instants, timeline, tokens and
// server statistics. The instants are those of the kernel where it stamped all
// of the answer, else those of the reads: two kinds in one answer would make
// gaps that are not there.
func parse(answer *capture, record *exobench.Record, dialect Dialect) *stream {
	s := &stream{record: record}
	parsing.take()
	defer parsing.give()
	s.parse(answer, dialect)
	return s
}

func (s *stream) parse(answer *capture, dialect Dialect) {
	s.kernel = answer.kernel()
	events := answer.newlines/dialect.lineEnds() + 1
	s.record.Chunks = make(exobench.Chunks, 0, events)
	if s.kernel {
		s.record.Delays = make([]int64, 0, events)
	}
	r, lines := dialect.read(s), 0
	answer.lines(func(line []byte, a arrival, whole bool) {
		if lines++; lines%linesAtOnce == 0 {
			runtime.Gosched()
		}
		at := a.user
		if s.kernel {
			at = a.at()
		}
		s.delay = a.delay
		r.line(line, at, whole)
	})
	if len(s.record.Chunks) == 0 {
		s.record.Chunks, s.record.Delays = nil, nil
	}
	r.end()
	s.settleDone()
	s.settleTokens()
}

// begin notes that there is an event.
func (s *stream) begin(at exobench.Instant) {
	if !s.record.FirstChunk.Reached() {
		s.record.FirstChunk = at
	}
}

// output notes an event with so many bytes of the answer, and of what is output
// but no answer: reasoning and tool calls.
func (s *stream) output(at exobench.Instant, answer, other int) {
	output := answer + other
	if output <= 0 {
		return
	}
	r := s.record
	if !r.FirstToken.Reached() {
		r.FirstToken = at
	}
	if answer > 0 && !r.FirstAnswer.Reached() {
		r.FirstAnswer = at
	}
	r.LastToken = at
	r.Chunks = append(r.Chunks, exobench.Chunk{At: at, Bytes: output})
	if s.kernel {
		r.Delays = append(r.Delays, s.delay)
	}
}

// named takes the server's id of the request and the model that it says it
// answers with; either may be empty.
func (s *stream) named(id, model []byte) {
	keep(&s.record.ServerID, id)
	keep(&s.record.ServerModel, model)
}

// keep sets a string to the text, if there is one; most often it is that already.
func keep(s *string, text []byte) {
	if len(text) > 0 && *s != string(text) {
		*s = string(text)
	}
}
