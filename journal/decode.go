package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync"

	"exobench"
)

// block is some lines and their entries, with the space that these take.
type block struct {
	text     []byte // whole lines, of which the first is number line
	line     int
	decoding sync.WaitGroup

	first   exobench.Entry // of the first line; nil where it has none
	entries []exobench.Entry
	damaged []*SyntaxError

	parser   parser
	records  space[recordSpace]
	readings space[readingSpace]
}

// space hands out values that are used again.
type space[T any] struct {
	all  []*T
	used int
}

func (s *space[T]) next() *T {
	if s.used == len(s.all) {
		s.all = append(s.all, new(T))
	}
	s.used++
	return s.all[s.used-1]
}

// decode makes the entries of the lines. The block must not be touched meanwhile.
func (b *block) decode() {
	b.first, b.entries, b.damaged = nil, b.entries[:0], nil
	b.records.used, b.readings.used = 0, 0
	line := b.line
	for text := range bytes.Lines(b.text) {
		entry, err := b.entry(text)
		switch {
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

// entry returns a line's entry; nil without an error for a type that this version
// does not know.
func (b *block) entry(line []byte) (exobench.Entry, error) {
	kind, err := kindOf(line)
	if err != nil {
		return nil, err
	}
	if entry := b.usual(kind, line); entry != nil {
		return entry, nil
	}
	entry := newEntry(string(kind))
	if entry == nil {
		if len(kind) == 0 {
			return nil, errors.New(`no "type"`)
		}
		return nil, nil
	}
	if err := json.Unmarshal(line, entry); err != nil {
		return nil, err
	}
	return entry, nil
}

// usual returns the entry of a line of the kinds that most lines are of, where it
// is as a Writer makes it; else nil.
func (b *block) usual(kind, line []byte) exobench.Entry {
	p := &b.parser
	p.scan.Reset(line)
	switch string(kind) {
	case "request":
		if s := b.records.next(); p.record(s) {
			return &s.record
		}
	case "reading":
		if s := b.readings.next(); p.reading(s) {
			return &s.reading
		}
	}
	return nil
}

// typeFirst is how a Writer's lines begin.
var typeFirst = []byte(`{"type":"`)

// kindOf returns the type of a line. The Writer puts it first, where it is found
// without decoding the line twice.
func kindOf(line []byte) ([]byte, error) {
	if rest, ok := bytes.CutPrefix(line, typeFirst); ok {
		if end := bytes.IndexByte(rest, '"'); end > 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return rest[:end], nil
		}
	}
	var kind struct {
		Type string `json:"type"`
	}
	err := json.Unmarshal(line, &kind)
	return []byte(kind.Type), err
}

func newEntry(kind string) exobench.Entry {
	switch kind {
	case "header":
		return new(exobench.Header)
	case "load":
		return new(exobench.LoadEvent)
	case "request":
		return new(exobench.Record)
	case "reading":
		return new(exobench.Reading)
	case "node":
		return new(exobench.NodeReading)
	case "disturbance":
		return new(exobench.Disturbance)
	case "calibration":
		return new(exobench.Calibration)
	case "note":
		return new(exobench.Note)
	case "end":
		return new(exobench.End)
	}
	return nil
}
