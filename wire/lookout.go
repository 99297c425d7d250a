package wire

import (
	"bytes"
	"errors"
	"fmt"

	"exobench"
)

// Bounds of an answer. A line holds one event: with the likeliest 20 of each
// token's alternatives, that is some 5 KiB, and a whole answer of 100,000 tokens
// in one is less than maxLine. An answer has at most so many bytes for each token
// that was asked for, and some to begin with; where nothing says what was asked
// for, and at most, it has maxAnswer.
const (
	maxLine       = 1 << 20
	answerStart   = 1 << 20
	bytesPerToken = 16 << 10
	maxAnswer     = 64 << 20
	maxErrorBody  = 64 << 10
	maxHeader     = 256 << 10
)

// errLongLine ends an answer that has a line longer than any event.
var errLongLine = errors.New("a line of the answer is over 1 MiB long")

// longAnswerError ends an answer that is longer than what was asked for can be.
type longAnswerError struct {
	limit int
	asked exobench.Tokens
	reads int
}

func (e *longAnswerError) Error() string {
	text := fmt.Sprintf("the answer is over %d KiB long", e.limit>>10)
	if e.reads*markSize > e.limit/2 {
		text = fmt.Sprintf("the answer takes over %d KiB, as it came in %d pieces", e.limit>>10, e.reads)
	}
	if e.asked > 0 {
		text += fmt.Sprintf(", and %d tokens were asked for", e.asked)
	}
	return text
}

// answerLimit returns how long an answer may be.
func answerLimit(asked exobench.Tokens) int {
	if asked <= 0 || asked > (maxAnswer-answerStart)/bytesPerToken {
		return maxAnswer
	}
	return answerStart + bytesPerToken*int(asked)
}

// lookout looks at an answer line by line as it comes in: for signs of life, for
// the end of the stream, and for what is too long. The lines are read for what
// they say when the stream has ended.
type lookout struct {
	dialect Dialect
	cutter  lineCutter
	carry   []byte // the start of a line that has no end so far
	later   bool   // than the first line
	ping    bool   // the event under way is a mere sign of life
	outputs int64  // events with output, as far as a glance tells
	spoken  []byte // what the text of the latest event was in, and where
	at      int

	// For dialects that must read a line to know whether it is the last; nil
	// until there is a line that may be.
	event *event
	line  *ollamaLine
}

// read takes the next bytes of the answer.
func (l *lookout) read(text []byte) (alive, over bool, err error) {
	if _, ok := l.dialect.(OpenAI); ok {
		text, alive = l.usual(text)
	}
	for len(text) > 0 {
		line, rest, ended := l.cutter.cut(text)
		if !ended {
			l.carry = append(l.carry, line...)
			break
		}
		if len(l.carry) > 0 {
			l.carry = append(l.carry, line...)
			line = l.carry
		}
		a, o := l.look(line)
		alive, over = alive || a, over || o
		l.carry, l.later, text = l.carry[:0], true, rest
	}
	if len(l.carry) > maxLine {
		return alive, over, errLongLine
	}
	if 0 < len(l.carry) && len(l.carry) <= len("data: [DONE] ") { // the last line may lack its end
		_, o := l.look(l.carry)
		over = over || o
	}
	return alive, over, nil
}

// usual goes past the events that most reads are made of, whole and of one line
// of JSON: they are life, and no end. It is there for speed.
func (l *lookout) usual(text []byte) (rest []byte, alive bool) {
	if len(l.carry) > 0 || l.cutter.returned || l.ping {
		return text, false
	}
	for bytes.HasPrefix(text, usualStart) {
		end := bytes.IndexByte(text, '\n')
		if end < 0 || end+1 >= len(text) || text[end-1] != '}' || text[end+1] != '\n' {
			break
		}
		l.glance(text[:end])
		text, alive, l.later = text[end+2:], true, true
	}
	return text, alive
}

var usualStart = []byte("data: {")

// look looks at a line.
func (l *lookout) look(line []byte) (alive, over bool) {
	if !l.later {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	return l.dialect.look(l, line)
}

// glance counts a line that has output, if it does.
func (l *lookout) glance(line []byte) {
	if l.speaks(line) {
		l.outputs++
	}
}

// What the text of an event is in, in the order of how usual that is.
var spoken = [][]byte{[]byte(`"delta":`), []byte(`"message":`), []byte(`"response":`)}

// speaks reports whether a line has output, without reading it as JSON. The text
// is most often where that of the event before was.
func (l *lookout) speaks(line []byte) bool {
	if l.spoken != nil && l.at < len(line) && bytes.HasPrefix(line[l.at:], l.spoken) {
		return hasText(line[l.at+len(l.spoken):])
	}
	for _, key := range spoken {
		if i := bytes.Index(line, key); i >= 0 {
			l.spoken, l.at = key, i
			return hasText(line[i+len(key):])
		}
	}
	return false
}

// usualText is how most texts begin; it is there for speed.
const usualText = `{"content":"`

// hasText reports whether JSON that begins with a text, or with an object of
// texts, has one that is not empty and is no label.
func hasText(json []byte) bool {
	if n := len(usualText); len(json) > n && string(json[:n]) == usualText && json[n] != '"' {
		return true
	}
	json = pastSpace(json)
	if len(json) == 0 || json[0] != '{' {
		return filled(json)
	}
	for {
		for len(json) > 0 && json[0] != '"' && json[0] != '}' {
			json = json[1:]
		}
		if len(json) == 0 || json[0] == '}' {
			return false
		}
		json = json[1:]
		end := bytes.IndexByte(json, '"')
		if end < 0 {
			return false
		}
		key := json[:end]
		if json = pastSpace(json[end+1:]); len(json) == 0 {
			return false
		}
		if !isLabel(key) && filled(json) {
			return true
		}
		if json = pastValue(json); json == nil {
			return false
		}
	}
}

// pastSpace returns what follows spaces and a colon.
func pastSpace(json []byte) []byte {
	for len(json) > 0 && (json[0] == ' ' || json[0] == ':') {
		json = json[1:]
	}
	return json
}

// filled reports whether a value is a text or a list with something in it.
func filled(value []byte) bool {
	if len(value) < 2 {
		return false
	}
	switch value[0] {
	case '"':
		return value[1] != '"'
	case '[', '{':
		return value[1] != ']' && value[1] != '}'
	}
	return false
}

// pastValue returns what follows a label or an empty value.
func pastValue(json []byte) []byte {
	switch json[0] {
	case '"':
		end := bytes.IndexByte(json[1:], '"')
		if end < 0 {
			return nil
		}
		return json[end+2:]
	case '[', '{':
		return json[min(2, len(json)):]
	}
	return json
}
