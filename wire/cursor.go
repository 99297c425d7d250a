package wire

import (
	"strconv"
	"unicode/utf8"

	"exobench"
)

// cursor reads JSON in place and allocates nothing. What it reads, it reads as
// encoding/json would; where it cannot, since the text is unusual or bad, it
// fails: it then reads nothing more, and what it has read is worth nothing.
// Unusual are names with escapes or outside of ASCII, text that is not UTF-8,
// keys in another case, which encoding/json does not mind, and deep nesting.
//
// A null leaves text and names as they were, as encoding/json does; null for
// an object or an array is an empty one.
type cursor struct {
	text   []byte
	i      int
	failed bool
}

func (c *cursor) fail() { c.i, c.failed = len(c.text), true }

// whole reports whether nothing failed and nothing is left.
func (c *cursor) whole() bool {
	c.space()
	return !c.failed && c.i == len(c.text)
}

// at reports whether b is the next byte.
func (c *cursor) at(b byte) bool { return uint(c.i) < uint(len(c.text)) && c.text[c.i] == b }

// passed passes over the byte b, if it is the next.
func (c *cursor) passed(b byte) bool {
	if !c.at(b) {
		return false
	}
	c.i++
	return true
}

func (c *cursor) space() {
	for uint(c.i) < uint(len(c.text)) && c.text[c.i] <= ' ' && white[c.text[c.i]] {
		c.i++
	}
}

// object yields the key of each member; the loop's body must read the value.
func (c *cursor) object(yield func(key []byte) bool) {
	if !c.at('{') {
		c.literal("null")
		return
	}
	for more := c.first('}'); more; more = c.next('}') {
		key := c.key()
		if c.failed || !yield(key) {
			return
		}
	}
}

// array yields for each element; the loop's body must read it.
func (c *cursor) array(yield func() bool) {
	if !c.at('[') {
		c.literal("null")
		return
	}
	for more := c.first(']'); more && yield(); more = c.next(']') {
	}
}

// first moves over a list's opening bracket, and reports whether an element
// follows.
func (c *cursor) first(end byte) bool {
	c.i++
	c.space()
	return !c.passed(end)
}

// next moves on to the next element of a list, and reports whether there is one.
func (c *cursor) next(end byte) bool {
	c.space()
	if c.passed(',') {
		c.space()
		return true
	}
	if !c.passed(end) {
		c.fail()
	}
	return false
}

// key reads a key and its colon.
func (c *cursor) key() (key []byte) {
	key = c.simple(&lower)
	c.colon()
	return key
}

func (c *cursor) colon() {
	c.space()
	if !c.passed(':') {
		c.fail()
	}
	c.space()
}

// literal reads the word.
func (c *cursor) literal(word string) {
	if len(c.text)-c.i < len(word) || string(c.text[c.i:c.i+len(word)]) != word {
		c.fail()
		return
	}
	c.i += len(word)
}

// Bytes by what they may stand for: white space between values; in a string,
// themselves, and in UTF-8 too; and of these, all but upper case.
var white, plain, lower = func() (white, plain, lower [256]bool) {
	white[' '], white['\t'], white['\n'], white['\r'] = true, true, true, true
	for b := ' '; b < utf8.RuneSelf; b++ {
		plain[b] = b != '"' && b != '\\'
		lower[b] = plain[b] && (b < 'A' || b > 'Z')
	}
	return white, plain, lower
}()

// name reads a string of plain ASCII.
func (c *cursor) name(into *[]byte) {
	if !c.at('"') {
		c.literal("null")
		return
	}
	*into = c.simple(&plain)
}

// simple reads a string that has only bytes of a kind.
func (c *cursor) simple(kind *[256]bool) []byte {
	if !c.passed('"') {
		c.fail()
		return nil
	}
	start, i := c.i, c.i
	for uint(i) < uint(len(c.text)) && kind[c.text[i]] {
		i++
	}
	if c.i = i; !c.passed('"') {
		c.fail()
		return nil
	}
	return c.text[start:i]
}

// length reads a string for the length of its text in UTF-8.
func (c *cursor) length(into *int) {
	if !c.at('"') {
		c.literal("null")
		return
	}
	*into = c.quoted()
}

func (c *cursor) quoted() (n int) {
	if !c.passed('"') {
		c.fail()
		return 0
	}
	start, ascii := c.i, true
	for i := start; i < len(c.text); {
		switch b := c.text[i]; {
		case plain[b]:
			n++
			i++
		case b >= utf8.RuneSelf:
			ascii = false
			n++
			i++
		case b == '\\':
			size, end := escape(c.text, i)
			if size == 0 {
				c.fail()
				return 0
			}
			n += size
			i = end
		case b == '"' && (ascii || utf8.Valid(c.text[start:i])):
			c.i = i + 1
			return n
		default:
			c.fail()
			return 0
		}
	}
	c.fail()
	return 0
}

// escape reads the escape sequence at i, a pair of surrogates as one. It
// returns the length of what it stands for, 0 if nothing, and its end.
func escape(text []byte, i int) (size, end int) {
	if i+1 >= len(text) {
		return 0, i
	}
	switch text[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1, i + 2
	case 'u':
	default:
		return 0, i
	}
	r, ok := codeUnit(text, i)
	switch {
	case !ok || 0xDC00 <= r && r <= 0xDFFF:
		return 0, i
	case 0xD800 <= r && r < 0xDC00:
		low, ok := codeUnit(text, i+6)
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return 0, i
		}
		return 4, i + 12
	}
	return utf8.RuneLen(r), i + 6
}

// codeUnit reads the \uXXXX at i.
func codeUnit(text []byte, i int) (r rune, ok bool) {
	if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
		return 0, false
	}
	for _, b := range text[i+2 : i+6] {
		switch {
		case '0' <= b && b <= '9':
			b -= '0'
		case 'a' <= b && b <= 'f':
			b -= 'a' - 10
		case 'A' <= b && b <= 'F':
			b -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(b)
	}
	return r, true
}

// tokens reads a number of tokens.
func (c *cursor) tokens(into *optional[exobench.Tokens]) {
	text := c.numeral()
	if text == nil {
		*into = optional[exobench.Tokens]{}
		return
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		c.fail()
	}
	*into = some(exobench.Tokens(n))
}

// rate reads a rate.
func (c *cursor) rate(into *optional[float64]) {
	text := c.numeral()
	if text == nil {
		*into = optional[float64]{}
		return
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		c.fail()
	}
	*into = some(f)
}

// numeral reads a number; of null and where it fails, it returns nil.
func (c *cursor) numeral() []byte {
	if c.at('n') {
		c.literal("null")
		return nil
	}
	start := c.i
	if c.number(); c.failed {
		return nil
	}
	return c.text[start:c.i]
}

func (c *cursor) number() {
	c.passed('-')
	if !c.passed('0') {
		c.digits()
	}
	if c.passed('.') {
		c.digits()
	}
	if c.passed('e') || c.passed('E') {
		if !c.passed('+') {
			c.passed('-')
		}
		c.digits()
	}
}

// digits reads one digit or more.
func (c *cursor) digits() {
	start, i := c.i, c.i
	for uint(i) < uint(len(c.text)) && '0' <= c.text[i] && c.text[i] <= '9' {
		i++
	}
	if c.i = i; i == start {
		c.fail()
	}
}

// maxDepth is how deep the values that are passed over may be nested.
const maxDepth = 8

// skip passes over a value of any kind.
func (c *cursor) skip() { c.skipAt(0) }

func (c *cursor) skipAt(depth int) {
	if c.i >= len(c.text) || depth > maxDepth {
		c.fail()
		return
	}
	switch c.text[c.i] {
	case '"':
		c.quoted()
	case '{':
		for more := c.first('}'); more; more = c.next('}') {
			c.quoted()
			c.colon()
			c.skipAt(depth + 1)
		}
	case '[':
		for more := c.first(']'); more; more = c.next(']') {
			c.skipAt(depth + 1)
		}
	case 't':
		c.literal("true")
	case 'f':
		c.literal("false")
	case 'n':
		c.literal("null")
	default:
		c.number()
	}
}
