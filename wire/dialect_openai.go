package wire

import (
	"bytes"
	"cmp"

	"exobench"
)

// OpenAI is the dialect of OpenAI's chat completions: server-sent events of one
// JSON object each, "[DONE]" as terminator. Since any server that speaks it may
// be exo or llama.cpp, what those add is read too.
type OpenAI struct {
	// Event, where set, is called for each data event once the stream has ended,
	// with its payload, valid during the call, and its instant. Calibration
	// reads the truth from it.
	Event func(payload []byte, at exobench.Instant)
}

// Accept returns the media type of event streams.
func (OpenAI) Accept() string { return "text/event-stream" }

// Ends names the terminator.
func (OpenAI) Ends() string { return "[DONE] or a finish reason" }

func (OpenAI) lineEnds() int { return 2 }

func (d OpenAI) read(into *stream) reader { return &openAIReader{stream: into, event: d.Event} }

var doneMark = []byte("[DONE]")

// look takes data for life, and news of exo's prefill. An event that is named as
// a mere sign of life is none.
func (OpenAI) look(l *lookout, line []byte) (alive, over bool) {
	switch name, value := fieldOf(line); name {
	case emptyLine:
		l.ping = false
	case eventField:
		l.ping = isPing(value)
	case dataField:
		l.glance(value)
		return len(value) > 0 && !l.ping, bytes.Equal(value, doneMark)
	case commentField:
		return bytes.HasPrefix(line, prefillComment), false
	case noField, errorField:
		return true, false // no event stream, or an error
	}
	return false, false
}

// openAIReader reads an answer of OpenAI's dialect.
type openAIReader struct {
	stream *stream
	event  func(payload []byte, at exobench.Instant)
	next   event
	exo    exoStats
	llama  llamaTimings

	name []byte // of the event under way
	// pending are the data lines of an event that is no JSON so far, with what
	// is known of the last of them.
	pending []byte
	at      exobench.Instant
	delay   int64
	whole   bool
	// body is what came before any field: the one object that some servers
	// answer with in place of a stream.
	body []byte
}

func (r *openAIReader) line(line []byte, at exobench.Instant, whole bool) {
	s := r.stream
	if s.over {
		return
	}
	name, value := fieldOf(line)
	s.framed = s.framed || name == dataField || name == commentField || name == eventField
	switch name {
	case emptyLine:
		r.dispatch()
		r.name = r.name[:0]
	case dataField:
		r.data(value, at, whole)
	case eventField:
		r.name = append(r.name[:0], value...)
	case errorField:
		s.fail(cmp.Or(errorMessage(value), faultText(value), plainFault(value)))
	case commentField:
		r.exo.comment(s, line, at)
	case noField:
		if s.framed {
			s.stray(line)
			return
		}
		r.body = append(append(r.body, line...), '\n')
		r.at, r.delay = at, s.delay
	}
}

// plainFault returns an error's text that is no JSON.
func plainFault(text []byte) string {
	if len(text) == 0 || text[0] == '{' || !saysFault(string(text)) {
		return ""
	}
	return oneLine(text)
}

// data takes a data line of an event: all of it, most often.
func (r *openAIReader) data(value []byte, at exobench.Instant, whole bool) {
	s := r.stream
	switch {
	case bytes.Equal(value, doneMark):
		r.dispatch()
		s.ended()
		return
	case len(value) == 0 || isPing(r.name):
		return
	case len(r.pending) == 0 && r.payload(value, at):
		return
	case len(r.pending) > 0:
		r.pending = append(r.pending, '\n')
	}
	r.pending = append(r.pending, value...)
	r.at, r.delay, r.whole = at, s.delay, whole
}

// dispatch takes the event whose lines are pending, if there is one.
func (r *openAIReader) dispatch() {
	if len(r.pending) == 0 {
		return
	}
	s := r.stream
	delay := s.delay
	s.delay = r.delay
	if !r.payload(r.pending, r.at) {
		if namesFault(r.name) {
			s.fail(oneLine(r.pending))
		} else {
			s.notJSON(r.pending, r.whole)
		}
	}
	s.delay, r.pending = delay, r.pending[:0]
}

// payload takes one event's payload and reports whether it is JSON.
func (r *openAIReader) payload(text []byte, at exobench.Instant) bool {
	s, e := r.stream, &r.next
	if !e.read(text, s.slow) {
		return false
	}
	if r.event != nil {
		r.event(text, at)
	}
	s.begin(at)
	failure := e.failureText()
	if failure == "" && namesFault(r.name) {
		failure = cmp.Or(errorMessage(text), oneLine(text))
	}
	switch {
	case failure != "":
		s.fail(failure)
	case !e.known():
		s.unknown(text)
	default:
		r.chat(e, at)
	}
	return true
}

// chat takes an event of a chat.
func (r *openAIReader) chat(e *event, at exobench.Instant) {
	s := r.stream
	s.named(e.id, e.model)
	s.used(&e.usage)
	s.odd(&e.absurd)
	r.llama.take(&e.timings)
	if e.progress != nil {
		s.llamaProgress(e.progress, at)
	}
	if e.stats != nil {
		r.exo.figures(s, e.stats)
	}
	length := 0
	for i := range e.choices {
		c := &e.choices[i]
		said := &c.delta
		s.unstreamed = s.unstreamed && said.length() == 0
		if !c.streamed && c.message.length() > 0 && len(s.record.Chunks) == 0 {
			said, s.unstreamed = &c.message, true
		}
		s.output(at, said)
		length += said.length()
	}
	for i := range e.choices {
		c := &e.choices[i]
		if len(c.finish) > 0 {
			s.finished(c.finish, at, length == 0)
		}
		s.native(c.native)
	}
}

// end takes what came last, or the one object in place of a stream.
func (r *openAIReader) end() {
	s := r.stream
	r.dispatch()
	if body := bytes.TrimSpace(r.body); !s.framed && len(body) > 0 {
		r.only(body)
	}
	r.exo.settle(s.record)
	r.llama.settle(s)
}

// only takes an answer that is no event stream: one object, with the whole
// answer or an error.
func (r *openAIReader) only(body []byte) {
	s, e := r.stream, &r.next
	if body[0] != '{' || !e.read(body, s.slow) {
		return
	}
	s.delay = r.delay
	if text := cmp.Or(e.failureText(), errorMessage(body)); text != "" {
		s.fail(text)
		return
	}
	if !e.chat {
		return
	}
	s.framed, s.over = true, true
	s.begin(r.at)
	r.chat(e, r.at)
}
