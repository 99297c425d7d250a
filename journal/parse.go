package journal

import (
	"encoding/json"
	"hash/maphash"

	"exobench/internal/jsonscan"
)

// parser reads a line as a Writer makes it. It knows less than encoding/json on
// purpose: no null and no member twice. Where it meets anything but what it is
// sure to read as encoding/json would, its scanner fails, and the line is left
// to encoding/json.
type parser struct {
	scan jsonscan.Scanner

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
	var seen uint64
	next := 0
	for more := p.scan.Open('{', '}'); more; more = p.scan.More('}') {
		i := find(p, table, next)
		switch {
		case i < 0:
			p.scan.Skip()
		case seen&(1<<i) != 0:
			p.scan.Fail()
		default:
			seen |= 1 << i
			next = i + 1
			table[i].read(p, into)
		}
	}
}

// find goes past the key that comes next and returns which of the table's members
// it is, looking from one on; -1 where it is none of them.
func find[T any](p *parser, table []member[T], from int) int {
	for i := range table {
		if i += from; i >= len(table) {
			i -= len(table)
		}
		if p.scan.AcceptKey(table[i].name) {
			return i
		}
	}
	key := p.scan.Key()
	for i := range table {
		if table[i].name == string(key) {
			return i // with a space before its colon
		}
	}
	return -1
}

// end reports whether all was read and understood.
func (p *parser) end() bool { return p.scan.End() }

// literal returns what stands between the quotes of a string without escapes.
func (p *parser) literal() []byte { return p.scan.Plain() }

// integers reads an array of whole numbers.
func (p *parser) integers(space *[]int64) []int64 {
	if *space == nil {
		*space = make([]int64, 0, 1) // an empty array is not nil
	}
	*space = p.scan.Integers((*space)[:0])
	return *space
}

// float reads any number.
func (p *parser) float() float64 { return p.scan.Float() }

// string reads a string that no other line has.
func (p *parser) string() string {
	if plain, ok := p.scan.AcceptPlain(); ok {
		return string(plain)
	}
	return p.escaped()
}

// name reads a string that other lines have too: it is kept, and shared with them.
func (p *parser) name() string {
	if plain, ok := p.scan.AcceptPlain(); ok {
		return p.words.of(plain)
	}
	return p.escaped()
}

// escaped reads any string, as encoding/json does.
func (p *parser) escaped() (value string) {
	if quoted := p.scan.Quoted(); quoted != nil && json.Unmarshal(quoted, &value) != nil {
		p.scan.Fail()
	}
	return value
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
