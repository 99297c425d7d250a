package journal

import (
	"encoding/json"
	"hash/maphash"
	"strconv"
	"unicode/utf8"
)

// parser reads a line as a Writer makes it. It knows less than encoding/json on
// purpose: no space between tokens, no null, no member twice, no array or object
// that is not asked for. Where it meets anything but what it is sure to read as
// encoding/json would, it turns bad, and the line is left to encoding/json.
type parser struct {
	text []byte
	at   int // the next byte
	bad  bool

	words words
	flat  []int64 // space for the flat array of Chunks
}

// member is one member of an object that is read into a T. A table of them has at
// most 64, in the order in which a Writer writes them.
type member[T any] struct {
	name string
	read func(*parser, *T)
}

// object reads an object whose members stand in a table; others are skipped.
func object[T any](p *parser, table []member[T], into *T) {
	p.expect('{')
	if p.accept('}') {
		return
	}
	var seen uint64
	next := 0
	for !p.bad {
		i := find(p, table, next)
		switch {
		case i < 0:
			p.skipMember()
		case seen&(1<<i) != 0:
			p.bad = true
		default:
			seen |= 1 << i
			next = i + 1
			p.at += len(table[i].name) + 3
			table[i].read(p, into)
		}
		if !p.accept(',') {
			p.expect('}')
			return
		}
	}
}

// find returns the member whose name comes next, looking from one on; -1 where it
// is none of the table's.
func find[T any](p *parser, table []member[T], from int) int {
	for i := range table {
		if i += from; i >= len(table) {
			i -= len(table)
		}
		if p.nameIs(table[i].name) {
			return i
		}
	}
	return -1
}

// nameIs reports whether the text goes on with "name":
func (p *parser) nameIs(name string) bool {
	rest := p.text[p.at:]
	n := len(name)
	return len(rest) > n+2 && rest[0] == '"' && rest[n+1] == '"' && rest[n+2] == ':' && string(rest[1:n+1]) == name
}

// skipMember skips a member of an unknown name. One that differs from a known name
// only in case is known to encoding/json.
func (p *parser) skipMember() {
	for _, c := range p.literal() {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			p.bad = true
		}
	}
	p.expect(':')
	switch c := p.peek(); {
	case c == '"':
		p.literal()
	case c == 't':
		p.word("true")
	case c == 'f':
		p.word("false")
	case c == 'n':
		p.word("null")
	default:
		p.number()
	}
}

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) accept(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(c byte) {
	if !p.accept(c) {
		p.bad = true
	}
}

func (p *parser) word(w string) {
	if end := p.at + len(w); end <= len(p.text) && string(p.text[p.at:end]) == w {
		p.at = end
		return
	}
	p.bad = true
}

// end reports whether all was read and understood.
func (p *parser) end() bool {
	for p.accept('\n') || p.accept('\r') || p.accept(' ') || p.accept('\t') {
	}
	return !p.bad && p.at == len(p.text)
}

// integer reads a whole number of up to 18 digits.
func (p *parser) integer() int64 {
	negative := p.accept('-')
	text, n := p.text[p.at:], int64(0)
	digits := 0
	for digits < len(text) && text[digits]-'0' <= 9 {
		n = 10*n + int64(text[digits]-'0')
		digits++
	}
	if digits == 0 || digits > 18 || digits > 1 && text[0] == '0' {
		p.bad = true
	}
	p.at += digits
	if negative {
		return -n
	}
	return n
}

// float reads any number.
func (p *parser) float() float64 {
	value, err := strconv.ParseFloat(string(p.number()), 64)
	if err != nil {
		p.bad = true
	}
	return value
}

// number returns the text of a number, by JSON's grammar.
func (p *parser) number() []byte {
	start := p.at
	p.accept('-')
	if !p.accept('0') {
		p.digits()
	}
	if p.accept('.') {
		p.digits()
	}
	if p.accept('e') || p.accept('E') {
		_ = p.accept('+') || p.accept('-')
		p.digits()
	}
	return p.text[start:p.at]
}

// digits skips one digit or more.
func (p *parser) digits() {
	start := p.at
	for p.at < len(p.text) && p.text[p.at]-'0' <= 9 {
		p.at++
	}
	if p.at == start {
		p.bad = true
	}
}

// literal returns what stands between the quotes of a string without escapes.
func (p *parser) literal() []byte {
	p.expect('"')
	text := p.text[p.at:]
	for i, c := range text {
		if c == '"' {
			p.at += i + 1
			return text[:i]
		}
		if c == '\\' || c < ' ' {
			break
		}
	}
	p.bad = true
	return nil
}

// string reads a string that no other line has.
func (p *parser) string() string {
	if plain, ok := p.plain(); ok {
		return string(plain)
	}
	return p.escaped()
}

// name reads a string that other lines have too: it is kept, and shared with them.
func (p *parser) name() string {
	if plain, ok := p.plain(); ok {
		return p.words.of(plain)
	}
	return p.escaped()
}

// plain returns a string's text where that is its value, and goes past it.
func (p *parser) plain() (text []byte, ok bool) {
	if p.peek() != '"' {
		return nil, false
	}
	text = p.text[p.at+1:]
	var all byte
	for i, c := range text {
		if c == '"' {
			text = text[:i]
			if all < utf8.RuneSelf || utf8.Valid(text) {
				p.at += i + 2
				return text, true
			}
			return nil, false
		}
		if c == '\\' || c < ' ' {
			return nil, false
		}
		all |= c
	}
	return nil, false
}

// escaped reads any string, as encoding/json does.
func (p *parser) escaped() (value string) {
	for end := p.at + 1; end < len(p.text); end++ {
		switch p.text[end] {
		case '\\':
			end++
		case '"':
			p.bad = p.bad || json.Unmarshal(p.text[p.at:end+1], &value) != nil
			p.at = end + 1
			return value
		}
	}
	p.bad = true
	return ""
}

// words keeps the strings seen last, so that one that comes again takes no memory.
// Two that fall into the same place take turns.
type words [1 << 10]string

var seed = maphash.MakeSeed()

func (w *words) of(text []byte) string {
	kept := &w[maphash.Bytes(seed, text)%uint64(len(w))]
	if *kept != string(text) {
		*kept = string(text)
	}
	return *kept
}
