package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"exobench"
)

// batch is some lines and their entries, with the space that these take.
type batch struct {
	text     []byte // whole lines, of which the first is number line
	line     int
	tooLong  bool // the first line is what is left of one that is too long
	decoding sync.WaitGroup

	first   exobench.Entry // of the first line; nil where it has none
	entries []exobench.Entry
	damaged []*SyntaxError
	// torn is what is left of a line that was being written; nil where the text
	// ends in a newline.
	torn *SyntaxError
	// panicked is set where the decoding itself came to nothing.
	panicked error

	parser  parser
	records pool[recordSpace]
	samples pool[sampleSpace]
}

// pool hands out values that are used again.
type pool[T any] struct {
	all  []*T
	used int
}

func (p *pool[T]) next() *T {
	if p.used == len(p.all) {
		p.all = append(p.all, new(T))
	}
	p.used++
	return p.all[p.used-1]
}

// decode makes the entries of the lines. The batch must not be touched meanwhile.
func (b *batch) decode() {
	b.first, b.entries, b.damaged, b.torn = nil, b.entries[:0], nil, nil
	b.records.used, b.samples.used = 0, 0
	line := b.line
	for text := range bytes.Lines(b.text) {
		entry, err := b.sealed(text, b.tooLong && line == b.line)
		switch {
		case errors.Is(err, errTorn):
			b.torn = &SyntaxError{Line: line, Err: err}
		case err != nil:
			b.damaged = append(b.damaged, &SyntaxError{Line: line, Err: err})
		case entry != nil:
			b.entries = append(b.entries, entry)
		}
		if line == b.line {
			b.first = entry
		}
		line++
	}
}

// errTorn is what is wrong with the end of a line whose writing was cut off.
var errTorn = errors.New("its end is missing: the writing of it was cut off")

// sealed returns the entry of a line that is as it was written. The line's space
// is used.
func (b *batch) sealed(line []byte, tooLong bool) (exobench.Entry, error) {
	if tooLong {
		return nil, errTooLong
	}
	text, ended := bytes.CutSuffix(line, []byte("\n"))
	object, err := unseal(text)
	switch {
	case err == nil:
		return b.entry(object)
	case !ended && torn(text):
		return nil, errTorn
	}
	return nil, err
}

// torn reports whether a last line without a newline may be the beginning of
// one. A whole line with another byte in the place of its newline is none.
func torn(text []byte) bool {
	_, err := unseal(slices.Clone(text[:len(text)-1]))
	return err != nil && !errors.Is(err, errTooLong)
}

// entry returns a line's entry; nil without an error for a type that this version
// does not know.
func (b *batch) entry(line []byte) (exobench.Entry, error) {
	name, err := typeOf(line)
	if err != nil {
		return nil, err
	}
	kind := kindsByName[string(name)]
	if kind == nil {
		if len(name) == 0 {
			return nil, errors.New(`no "type"`)
		}
		return nil, nil
	}
	if kind.usual != nil {
		if entry := kind.usual(b, line); entry != nil {
			return entry, nil
		}
	}
	entry := kind.entry()
	if err := json.Unmarshal(line, entry); err != nil {
		return nil, err
	}
	return entry, nil
}

// record returns the Record of a line that is as a Writer makes it; else nil.
func (b *batch) record(line []byte) exobench.Entry {
	if s := b.records.next(); b.parse(line).record(s) {
		return &s.record
	}
	return nil
}

// sample returns the Sample of a line that is as a Writer makes it; else nil.
func (b *batch) sample(line []byte) exobench.Entry {
	if s := b.samples.next(); b.parse(line).sample(s) {
		return &s.sample
	}
	return nil
}

// parse returns the parser at the start of a line.
func (b *batch) parse(line []byte) *parser {
	p := &b.parser
	p.scan.Reset(line)
	return p
}

// typeFirst is how a Writer's lines begin.
var typeFirst = []byte(`{"type":"`)

// typeOf returns the name of a line's type. The Writer puts it first, where it is found
// without decoding the line twice.
func typeOf(line []byte) ([]byte, error) {
	if rest, ok := bytes.CutPrefix(line, typeFirst); ok {
		if end := bytes.IndexByte(rest, '"'); end > 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return rest[:end], nil
		}
	}
	var typed struct {
		Type string `json:"type"`
	}
	err := json.Unmarshal(line, &typed)
	return []byte(typed.Type), err
}
