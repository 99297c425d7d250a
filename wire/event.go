package wire

import (
	"encoding/json"
)

// event is one object of OpenAI's dialect, as far as it is measured: a chunk of
// a streamed chat completion, a whole one, or what servers send in their place.
//
// A null leaves text and names as they were. Of a member that comes twice, what
// both say counts.
type event struct {
	cursor
	id, model    []byte
	object, kind []byte // the members "object" and "type"
	choices      []choice
	room         [4]choice // for choices
	// chat is whether it has anything that events of a chat have.
	chat    bool
	members int
	usage   usage
	timings llamaTimings
	// stats and progress are the JSON of figures that only some servers send.
	stats, progress []byte

	// fault, status and saying are the JSON of members that may tell of a
	// failure; see fault.go.
	fault, status, saying, detail []byte
}

// choice is one of an event's choices.
type choice struct {
	delta, message speech
	streamed       bool // it has a delta
	finish, native []byte
}

// read reads a text and reports whether it is JSON. The usual is read without
// allocating; slow is for tests, which compare.
func (e *event) read(text []byte, slow bool) bool {
	return !slow && e.walk(text, false) || json.Valid(text) && e.walk(text, true)
}

func (e *event) walk(text []byte, loose bool) bool {
	*e = event{}
	e.start(text, loose)
	e.choices = e.room[:0]
	if e.Next('{') {
		e.members = e.top()
	} else {
		e.Skip()
	}
	return e.End()
}

// top reads the members of the event and returns how many there are.
func (e *event) top() (n int) {
	for key := range e.Object {
		n++
		switch string(key) {
		case "id":
			e.name(&e.id)
		case "model":
			e.model = e.string(e.model)
		case "object":
			e.object = e.string(e.object)
		case "type":
			e.kind = e.string(e.kind)
		case "choices":
			e.allChoices()
		case "usage":
			e.allUsage()
		case "timings":
			e.llamaTimings()
		default:
			e.seldom(key)
		}
	}
	return n
}

// seldom reads the members that the usual event does not have.
func (e *event) seldom(key []byte) {
	switch string(key) {
	case "x_groq":
		if !e.Next('{') {
			e.Skip()
			return
		}
		for key := range e.Object {
			if string(key) == "usage" {
				e.allUsage()
			} else {
				e.Skip()
			}
		}
	case "generation_stats":
		e.stats = e.figures(e.stats)
	case "prompt_progress":
		e.progress = e.figures(e.progress)
	case "error", "errors", "error_code", "error_message", "error_msg":
		e.failing()
	case "code", "status", "status_code", "success":
		e.status = e.raw()
	case "detail":
		e.detail = e.raw()
	case "message", "msg", "text":
		if raw := e.raw(); e.saying == nil {
			e.saying = raw
		}
	default:
		e.Skip()
	}
}

// string reads a string; of another kind of value, what was there before stays.
func (c *cursor) string(before []byte) []byte {
	if c.Next('"') {
		return c.Plain()
	}
	c.Skip()
	return before
}

// figures reads an object of a server's figures, for somebody else to look at.
func (e *event) figures(before []byte) []byte {
	raw := e.raw()
	if len(raw) == 0 || raw[0] != '{' {
		return before
	}
	e.chat = true
	return raw
}

func (e *event) allChoices() {
	switch {
	case e.Next('['):
		e.chat = true
		for range e.Array {
			e.choice()
		}
	case e.Next('{'):
		e.chat = true
		e.choice()
	default:
		e.Skip()
	}
}

func (e *event) choice() {
	if !e.Next('{') {
		e.Skip()
		return
	}
	e.choices = append(e.choices, choice{})
	c := &e.choices[len(e.choices)-1]
	for key := range e.Object {
		switch string(key) {
		case "delta":
			c.streamed = true
			e.speech(&c.delta)
		case "message":
			e.speech(&c.message)
		case "text":
			c.streamed = true
			e.content(&c.delta)
		case "finish_reason":
			e.reason(&c.finish)
		case "native_finish_reason":
			e.reason(&c.native)
		case "usage":
			e.allUsage()
		case "error":
			e.failing()
		default:
			e.Skip()
		}
	}
}

// failing reads a member that tells of a failure, unless it is empty.
func (e *event) failing() {
	if raw := e.raw(); e.fault == nil && !isNothing(raw) {
		e.fault = raw
	}
}

// known reports whether the event is one that its dialect has: output, figures,
// or nothing but a sign of life.
func (e *event) known() bool {
	return e.chat || e.members == 0 && len(e.text) > 0 && e.text[0] == '{' || isPing(e.kind) ||
		string(e.object) == "chat.completion.chunk" || string(e.object) == "text_completion"
}
