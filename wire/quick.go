package wire

import "unicode/utf8"

// quick reads the usual chunk of a chat completion without allocating: some
// strings, the output of a few choices, nothing else that is measured. Of
// anything unusual it says so, and encoding/json reads that: usage, errors,
// statistics, tool calls, keys in another case, keys that come twice, text that
// is not UTF-8, bad JSON. What it reads, it reads as encoding/json would, into
// what stream.data takes of a chatEvent.
//
// Its functions take a position in the text and return the one after what they
// read, or unusual.
type quick struct {
	id, model []byte
	choices   [4]quickChoice
	n         int // of the choices
	seen      uint32
}

type quickChoice struct {
	answer, other int // bytes of output
	finish        []byte
}

const unusual = -1

// The keys that may come once; those of a choice and its delta, once in each.
const (
	seenID uint32 = 1 << iota
	seenModel
	seenChoices
	seenDelta
	seenText
	seenFinish
	seenContent
	seenReasoningContent
	seenReasoning

	seenInChoice = seenDelta | seenText | seenFinish | seenContent | seenReasoningContent | seenReasoning
)

// parse reports whether it could read the text.
func (q *quick) parse(text []byte) bool {
	*q = quick{}
	return q.object(text, 0, (*quick).event) == len(text)
}

func (q *quick) event(b, key []byte, i int) int {
	switch string(key) {
	case "choices":
		return q.array(b, q.once(i, seenChoices))
	case "id":
		q.id, i = name(b, q.once(i, seenID))
		return i
	case "model":
		q.model, i = name(b, q.once(i, seenModel))
		return i
	case "usage", "error", "timings":
		return null(b, i)
	}
	return skip(b, i, 0)
}

func (q *quick) choice(b, key []byte, i int) int {
	c := &q.choices[q.n-1]
	var n int
	switch string(key) {
	case "delta":
		return q.object(b, q.once(i, seenDelta), (*quick).delta)
	case "text":
		n, i = text(b, q.once(i, seenText))
		c.answer += n
		return i
	case "finish_reason":
		c.finish, i = name(b, q.once(i, seenFinish))
		return i
	}
	return skip(b, i, 0)
}

func (q *quick) delta(b, key []byte, i int) int {
	c := &q.choices[q.n-1]
	var n int
	switch string(key) {
	case "content":
		n, i = text(b, q.once(i, seenContent))
		c.answer += n
		return i
	case "reasoning_content":
		n, i = text(b, q.once(i, seenReasoningContent))
		c.other += n
		return i
	case "reasoning":
		n, i = text(b, q.once(i, seenReasoning))
		c.other += n
		return i
	case "tool_calls":
		return null(b, i)
	}
	return skip(b, i, 0)
}

// once passes the position on if the key comes for the first time.
func (q *quick) once(i int, key uint32) int {
	if q.seen&key != 0 {
		return unusual
	}
	q.seen |= key
	return i
}

// array reads the choices.
func (q *quick) array(b []byte, i int) int {
	if !at(b, i, '[') {
		return unusual
	}
	i = space(b, i+1)
	if at(b, i, ']') {
		return i + 1
	}
	for q.n < len(q.choices) {
		q.n++
		q.seen &^= seenInChoice
		i = space(b, q.object(b, i, (*quick).choice))
		if at(b, i, ']') {
			return i + 1
		}
		if !at(b, i, ',') {
			return unusual
		}
		i = space(b, i+1)
	}
	return unusual
}

// object reads an object; value reads the value of a key.
func (q *quick) object(b []byte, i int, value func(q *quick, b, key []byte, i int) int) int {
	if !at(b, i, '{') {
		return unusual
	}
	i = space(b, i+1)
	if at(b, i, '}') {
		return i + 1
	}
	for {
		key, next := key(b, i)
		i = space(b, next)
		if !at(b, i, ':') {
			return unusual
		}
		i = space(b, value(q, b, key, space(b, i+1)))
		if at(b, i, '}') {
			return i + 1
		}
		if !at(b, i, ',') {
			return unusual
		}
		i = space(b, i+1)
	}
}

// at reports whether there is the byte c.
func at(b []byte, i int, c byte) bool { return uint(i) < uint(len(b)) && b[i] == c }

func space(b []byte, i int) int {
	for uint(i) < uint(len(b)) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// key reads a key that no other key of a chatEvent could be meant by:
// encoding/json does not mind case.
func key(b []byte, i int) ([]byte, int) {
	k, next := name(b, i)
	if k == nil {
		return nil, unusual
	}
	for _, c := range k {
		if 'A' <= c && c <= 'Z' {
			return nil, unusual
		}
	}
	return k, next
}

// name reads a string of plain ASCII, or null, which is nil.
func name(b []byte, i int) ([]byte, int) {
	if !at(b, i, '"') {
		return nil, null(b, i)
	}
	start := i + 1
	for i = start; i < len(b); i++ {
		if !plain[b[i]] {
			break
		}
	}
	if !at(b, i, '"') {
		return nil, unusual
	}
	return b[start:i], i + 1
}

func null(b []byte, i int) int { return literal(b, i, "null") }

func literal(b []byte, i int, word string) int {
	if i < 0 || len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return unusual
	}
	return i + len(word)
}

// plain tells the bytes that stand for themselves in a JSON string and in UTF-8.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// text reads a string, or null, and returns the length of its text in UTF-8.
func text(b []byte, i int) (n, next int) {
	if !at(b, i, '"') {
		return 0, null(b, i)
	}
	start, ascii := i+1, true
	for i = start; i < len(b); {
		switch c := b[i]; {
		case plain[c]:
			n++
			i++
		case c >= utf8.RuneSelf:
			ascii = false
			n++
			i++
		case c == '"':
			if !ascii && !utf8.Valid(b[start:i]) {
				return 0, unusual
			}
			return n, i + 1
		case c == '\\':
			var size int
			size, i = escape(b, i)
			if i < 0 {
				return 0, unusual
			}
			n += size
		default:
			return 0, unusual
		}
	}
	return 0, unusual
}

// escape reads an escape sequence, a pair of surrogates as one, and returns the
// length of what it stands for.
func escape(b []byte, i int) (n, next int) {
	if i+1 >= len(b) {
		return 0, unusual
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1, i + 2
	case 'u':
	default:
		return 0, unusual
	}
	r, next := unit(b, i)
	switch {
	case next < 0:
		return 0, unusual
	case 0xD800 <= r && r < 0xDC00:
		low, next := unit(b, next)
		if next < 0 || low < 0xDC00 || low > 0xDFFF {
			return 0, unusual
		}
		return 4, next
	case 0xDC00 <= r && r <= 0xDFFF:
		return 0, unusual
	}
	return utf8.RuneLen(r), next
}

// unit reads a \uXXXX.
func unit(b []byte, i int) (r rune, next int) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, unusual
	}
	for _, c := range b[i+2 : i+6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, unusual
		}
		r = r<<4 | rune(c)
	}
	return r, i + 6
}

// maxDepth is how deep the values that are passed over may be nested.
const maxDepth = 8

// skip passes over a value of any kind.
func skip(b []byte, i, depth int) int {
	if uint(i) >= uint(len(b)) || depth > maxDepth {
		return unusual
	}
	switch b[i] {
	case '"':
		_, i = text(b, i)
		return i
	case '{':
		return skipList(b, i, '}', depth)
	case '[':
		return skipList(b, i, ']', depth)
	case 't':
		return literal(b, i, "true")
	case 'f':
		return literal(b, i, "false")
	case 'n':
		return null(b, i)
	}
	return number(b, i)
}

// skipList passes over an array, or over an object with its keys.
func skipList(b []byte, i int, end byte, depth int) int {
	i = space(b, i+1)
	if at(b, i, end) {
		return i + 1
	}
	for {
		if end == '}' {
			if !at(b, i, '"') {
				return unusual
			}
			_, i = text(b, i)
			i = space(b, i)
			if !at(b, i, ':') {
				return unusual
			}
			i = space(b, i+1)
		}
		i = space(b, skip(b, i, depth+1))
		if at(b, i, end) {
			return i + 1
		}
		if !at(b, i, ',') {
			return unusual
		}
		i = space(b, i+1)
	}
}

// number passes over a number.
func number(b []byte, i int) int {
	if at(b, i, '-') {
		i++
	}
	if at(b, i, '0') {
		i++
	} else if i = digits(b, i); i < 0 {
		return unusual
	}
	if at(b, i, '.') {
		if i = digits(b, i+1); i < 0 {
			return unusual
		}
	}
	if at(b, i, 'e') || at(b, i, 'E') {
		i++
		if at(b, i, '+') || at(b, i, '-') {
			i++
		}
		return digits(b, i)
	}
	return i
}

// digits passes over one digit or more.
func digits(b []byte, i int) int {
	start := i
	for uint(i) < uint(len(b)) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	if i == start {
		return unusual
	}
	return i
}
