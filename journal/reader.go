package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"exobench"
)

// SyntaxError is a line that is not a whole entry.
type SyntaxError struct {
	Line int
	Err  error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("journal line %d: %v", e.Line, e.Err) }
func (e *SyntaxError) Unwrap() error { return e.Err }

// Reader reads a journal, one entry in memory at a time.
//
//	r := journal.NewReader(file)
//	for r.Next() {
//		switch e := r.Entry().(type) { … }
//	}
//	if err := r.Err(); err != nil { … }
type Reader struct {
	src     *bufio.Reader
	line    int
	entry   exobench.Entry
	damaged []*SyntaxError
	err     error
}

// NewReader returns a Reader of a journal's text. The caller closes src.
func NewReader(src io.Reader) *Reader {
	return &Reader{src: bufio.NewReaderSize(src, 1<<16)}
}

// Next goes to the next whole entry. It reports false at the end, and at an
// error that Err tells: a failed read, a first line that is no header, or a
// schema that is too new.
func (r *Reader) Next() bool {
	for r.err == nil {
		text, err := r.src.ReadBytes('\n')
		if len(text) > 0 {
			r.line++
			if ok := r.take(text); ok || r.err != nil {
				return ok
			}
		}
		if errors.Is(err, io.EOF) {
			return r.atEnd()
		}
		if err != nil {
			r.err = fmt.Errorf("read the journal: %w", err)
		}
	}
	return false
}

func (r *Reader) atEnd() bool {
	if r.line == 0 {
		r.err = errors.New("the journal is empty: its run was cut off before it began")
	}
	return false
}

// take makes the entry of one line, and reports whether there is one.
func (r *Reader) take(text []byte) bool {
	entry, err := decode(text)
	if r.line == 1 {
		header, ok := entry.(*exobench.Header)
		if !ok {
			r.err = errors.New("the journal's first line is no header: this is not a journal of exobench")
			return false
		}
		if header.Schema > exobench.SchemaVersion {
			r.err = fmt.Errorf("the journal has schema %d, this exobench reads up to %d: use a newer exobench",
				header.Schema, exobench.SchemaVersion)
			return false
		}
	}
	if err != nil {
		r.damaged = append(r.damaged, &SyntaxError{Line: r.line, Err: err})
		return false
	}
	r.entry = entry
	return entry != nil
}

// Entry returns the entry that Next went to. The caller owns it.
func (r *Reader) Entry() exobench.Entry { return r.entry }

// Err returns what stopped the reading, or nil at the journal's end.
func (r *Reader) Err() error { return r.err }

// Damaged returns the lines skipped so far since they are no whole entries.
func (r *Reader) Damaged() []*SyntaxError { return r.damaged }

// All returns the entries still to come; Err tells afterwards how it ended.
func (r *Reader) All() iter.Seq[exobench.Entry] {
	return func(yield func(exobench.Entry) bool) {
		for r.Next() {
			if !yield(r.Entry()) {
				return
			}
		}
	}
}

// decode returns a line's entry; nil without an error for a type that this
// version does not know.
func decode(line []byte) (exobench.Entry, error) {
	kind, err := kindOf(line)
	if err != nil {
		return nil, err
	}
	entry := newEntry(kind)
	if entry == nil {
		if kind == "" {
			return nil, errors.New(`no "type"`)
		}
		return nil, nil
	}
	if err := json.Unmarshal(line, entry); err != nil {
		return nil, err
	}
	return entry, nil
}

// typeFirst is how a Writer's lines begin.
var typeFirst = []byte(`{"type":"`)

// kindOf returns the type of a line. The Writer puts it first, where it is found
// without decoding the line twice.
func kindOf(line []byte) (string, error) {
	if rest, ok := bytes.CutPrefix(line, typeFirst); ok {
		if end := bytes.IndexByte(rest, '"'); end > 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return string(rest[:end]), nil
		}
	}
	var kind struct {
		Type string `json:"type"`
	}
	err := json.Unmarshal(line, &kind)
	return kind.Type, err
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
