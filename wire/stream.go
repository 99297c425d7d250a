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
	filtered  bool   // the content filter ended the answer
	failure   string // the message of the first error
	malformed string // what was wrong with the first bad line
	// lastWords is an error that is no event, trailing the last line that is
	// nothing known, puzzle the last event that is not, if no output came after it.
	lastWords, trailing, puzzle string

	record *exobench.Record
	asked  asked
	kernel bool             // the instants are the kernel's
	latest exobench.Instant // of the lines so far
	delay  int64            // of the line under way
	slow   bool             // read all loosely, for tests to compare

	usage      usage
	counted    bool // there was a usage
	exo        bool // exo, or what comments as it does
	unstreamed bool // the answer is one whole message
	// bytes is the length of all output, answers and thoughts how many events
	// had some of the answer, and nothing but reasoning.
	bytes, answers, thoughts int
	// finish is the first finish reason at or after the last output; bare is
	// whether its event has no output.
	finish      exobench.Instant
	finishDelay int64
	finishBare  bool
}

// parse reads a captured answer into the record: instants, timeline, tokens and
// server statistics. The instants are those of the kernel where it stamped all
// of the answer, else those of the reads: two kinds in one answer would make
// gaps that are not there.
func parse(answer *capture, record *exobench.Record, call *Call) *stream {
	s := &stream{record: record, asked: asked{body: call.Body}}
	parsing.take()
	defer parsing.give()
	s.parse(answer, call.dialect())
	return s
}

// usualEvent is shorter than nearly all events with output. An answer of nothing
// but line ends must not make room for millions of them.
const usualEvent = 64

func (s *stream) parse(answer *capture, dialect Dialect) {
	s.kernel = answer.kernel()
	s.latest = s.record.Headers
	events := min(answer.lineEnds/dialect.lineEnds(), answer.size/usualEvent) + 1
	s.record.Chunks = make(exobench.Chunks, 0, events)
	if s.kernel {
		s.record.Delays = make([]int64, 0, events)
	}
	r, lines := dialect.read(s), 0
	for line := range answer.lines {
		if lines++; lines%linesAtOnce == 0 {
			runtime.Gosched()
		}
		s.stamp(line.arrival)
		r.line(line.text, s.latest, line.whole)
	}
	r.end()
	if len(s.record.Chunks) == 0 {
		s.record.Chunks, s.record.Delays = nil, nil
	}
	s.settleTokens()
	s.settleDone()
	s.doubtUsage()
}

// stamp sets the instant of the line under way. It is never before that of the
// line before: a step of the wall clock between two stamps of the kernel would
// else turn the order around.
func (s *stream) stamp(a arrival) {
	at := a.user
	if s.kernel {
		at = a.at()
	}
	s.latest = max(s.latest, at)
	s.delay = int64(a.user - s.latest)
}

// begin notes that there is an event.
func (s *stream) begin(at exobench.Instant) {
	if !s.record.FirstChunk.Reached() {
		s.record.FirstChunk = at
	}
}

// output notes an event with output.
func (s *stream) output(at exobench.Instant, said *speech) {
	n := said.length()
	if n <= 0 {
		return
	}
	r := s.record
	if !r.FirstToken.Reached() {
		r.FirstToken = at
	}
	if said.answer > 0 {
		s.answers++
		if !r.FirstAnswer.Reached() {
			r.FirstAnswer = at
		}
	}
	if said.thought == n {
		s.thoughts++
	}
	r.LastToken = at
	r.Chunks = append(r.Chunks, exobench.Chunk{At: at, Bytes: n})
	if s.kernel {
		r.Delays = append(r.Delays, s.delay)
	}
	s.bytes += n
	s.finish, s.puzzle = 0, ""
}

// named takes the server's id of the request and the model that it says it
// answers with; either may be empty.
func (s *stream) named(id, model []byte) {
	keep(&s.record.ServerID, id)
	if keep(&s.record.ServerModel, model) && !s.asked.isModel(s.record.ServerModel) {
		s.doubt(exobench.OtherModel).Text = s.record.ServerModel
	}
}

// keep sets a string to the text, if there is one, and reports whether it was
// another; most often it is that already.
func keep(s *string, text []byte) bool {
	if len(text) == 0 || *s == string(text) {
		return false
	}
	line := oneLine(text)
	if *s == line {
		return false
	}
	*s = line
	return true
}
