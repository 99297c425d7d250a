package wire

import (
	"bytes"
	"math"
	"strconv"

	"exobench"
	"exobench/internal/jsonscan"
)

// cursor reads the values of an event one by one, whatever kind each is of: one
// of a kind that says nothing here is skipped. It reads the usual without
// allocating, strictly, and any JSON loosely; see jsonscan.
type cursor struct {
	jsonscan.Scanner
	text   []byte
	loose  bool
	absurd absurd
}

// absurd counts the figures that cannot be, and keeps the first.
type absurd struct {
	n    int64
	name string
	raw  []byte // a part of the event
}

// start begins to read a text; loosely, it must be valid JSON.
func (c *cursor) start(text []byte, loose bool) {
	*c = cursor{text: text, loose: loose}
	if loose {
		c.ResetLoose(text)
	} else {
		c.Reset(text)
	}
}

// raw reads a value of any kind and returns its JSON.
func (c *cursor) raw() []byte {
	start := c.Offset()
	c.Skip()
	if c.Failed() {
		return nil
	}
	return c.text[start:c.Offset()]
}

// isNumber reports whether a value is a number.
func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9')
}

// name reads a string, or a number as its digits, that is not empty.
func (c *cursor) name(into *[]byte) {
	if c.Next('"') {
		if text := c.Plain(); len(text) > 0 {
			*into = text
		}
		return
	}
	if raw := c.raw(); isNumber(raw) {
		*into = raw
	}
}

// reason reads what may be a finish reason. False and null are none; what is
// neither them nor a string is taken as it stands, for somebody to see it.
func (c *cursor) reason(into *[]byte) {
	if c.Next('"') {
		c.name(into)
		return
	}
	if raw := c.raw(); len(raw) > 0 && raw[0] != 'n' && raw[0] != 'f' {
		*into = raw
	}
}

// maxCount is more than any answer has of anything.
const maxCount = 1e9

// number reads a number that is at least 0 and no more than maxCount. Of another
// number, it notes that it cannot be; of another kind of value, nothing.
func (c *cursor) number(name string) (value float64, ok bool) {
	raw := c.raw()
	if !isNumber(raw) {
		return 0, false
	}
	if n, ok := digits(raw); ok {
		return n, true
	}
	value, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || value < 0 || value > maxCount {
		if c.absurd.n++; c.absurd.n == 1 {
			c.absurd.name, c.absurd.raw = name, raw
		}
		return 0, false
	}
	return value, true
}

// digits reads a number that is nothing but a few digits, as most are.
func digits(raw []byte) (value float64, ok bool) {
	const most = 9 // less than maxCount
	n := 0
	for _, b := range raw {
		if b -= '0'; b > 9 || len(raw) > most {
			return 0, false
		}
		n = 10*n + int(b)
	}
	return float64(n), true
}

// count reads a whole number of tokens; one that is not whole is unknown.
func (c *cursor) count(name string, into *optional[exobench.Tokens]) {
	if value, ok := c.number(name); ok && value == math.Trunc(value) {
		*into = some(exobench.Tokens(value))
	}
}

// rate reads a figure.
func (c *cursor) rate(name string, into *optional[float64]) {
	if value, ok := c.number(name); ok {
		*into = some(value)
	}
}

// maxNesting is how deep texts may be nested in what is read strictly. What is
// read loosely was checked by encoding/json, which has a limit of its own.
const maxNesting = 8

// texts reads a value of any kind and returns how long all text in it is, but
// for that which only labels it.
func (c *cursor) texts(depth int) (n int) {
	switch {
	case depth > maxNesting && !c.loose:
		c.Fail()
	case c.Next('"'):
		n = c.Length()
	case c.Next('['):
		for range c.Array {
			n += c.texts(depth + 1)
		}
	case c.Next('{'):
		for key := range c.Object {
			if isLabel(key) {
				c.Skip()
			} else {
				n += c.texts(depth + 1)
			}
		}
	default:
		c.Skip()
	}
	return n
}

// isLabel reports whether a member says what its neighbours are, and is no
// output itself.
func isLabel(key []byte) bool {
	switch string(key) {
	case "role", "name", "id", "type", "index", "format", "signature", "logprobs", "tool_call_id":
		return true
	}
	return false
}

// isThought reports whether a member or a type is named for reasoning, by any of
// the names that servers have for it.
func isThought(name []byte) bool {
	return bytes.Contains(name, []byte("reason")) || bytes.Contains(name, []byte("think")) || bytes.Contains(name, []byte("thought"))
}

// calls reads tool calls, in a list or alone, and returns how long their JSON is.
func (c *cursor) calls() (n int) {
	switch {
	case c.Next('['):
		for range c.Array {
			n += c.call()
		}
	default:
		n = c.call()
	}
	return n
}

func (c *cursor) call() int {
	if raw := c.raw(); len(raw) > len("{}") && raw[0] == '{' {
		return len(raw)
	}
	return 0
}

// speech is how long the parts of what an event says are.
type speech struct{ answer, thought, other int }

func (s *speech) length() int { return s.answer + s.thought + s.other }

// speech reads a delta or a message. Any text in it that does not only label it
// is output, whatever its name is. Reasoning is often sent under two names at
// once, and counts once.
func (c *cursor) speech(s *speech) {
	if !c.Next('{') {
		s.answer += c.texts(maxNesting)
		return
	}
	for key := range c.Object {
		switch string(key) {
		case "content", "text", "output_text", "refusal":
			c.content(s)
		case "reasoning_content", "reasoning", "thinking":
			s.thought = max(s.thought, c.texts(0))
		case "tool_calls", "function_call":
			s.other += c.calls()
		default:
			c.unknown(key, s)
		}
	}
}

func (c *cursor) unknown(key []byte, s *speech) {
	switch {
	case isLabel(key):
		c.Skip()
	case isThought(key):
		s.thought = max(s.thought, c.texts(0))
	default:
		s.other += c.texts(0)
	}
}

// content reads a text, a part, or a list of them.
func (c *cursor) content(s *speech) {
	if !c.Next('[') {
		c.part(s)
		return
	}
	for range c.Array {
		c.part(s)
	}
}

// part reads a text, or an object with one, which is reasoning where it is named
// for it.
func (c *cursor) part(s *speech) {
	if !c.Next('{') {
		s.answer += c.texts(maxNesting)
		return
	}
	n, thought := 0, false
	for key := range c.Object {
		switch {
		case string(key) == "type" && c.Next('"'):
			thought = isThought(c.Plain()) || thought
		case isLabel(key):
			c.Skip()
		default:
			thought = isThought(key) || thought
			n += c.texts(1)
		}
	}
	if thought {
		s.thought += n
	} else {
		s.answer += n
	}
}
