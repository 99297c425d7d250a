package journal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"

	"exobench"
)

// SyntaxError is a line that is not a whole entry.
type SyntaxError struct {
	Line int
	Err  error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("journal line %d: %v", e.Line, e.Err) }
func (e *SyntaxError) Unwrap() error { return e.Err }

// Reader reads a journal once, a few batches of lines in memory at a time, which
// it decodes on all cores.
//
//	r := journal.NewReader(file)
//	for entry := range r.All() {
//		switch e := entry.(type) { … }
//	}
//	if err := r.Err(); err != nil { … }
type Reader struct {
	src     io.Reader
	end     error  // of src
	rest    []byte // of the line that the last batch ends in
	lines   int    // in batches so far
	damaged []*SyntaxError
	err     error
}

// NewReader returns a Reader of a journal's text. The caller closes src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Err returns what stopped All: a failed read, a first line that is no header, or
// a schema that this version does not read; nil at the journal's end.
func (r *Reader) Err() error { return r.err }

// Damaged returns the lines skipped so far since they are no whole entries.
func (r *Reader) Damaged() []*SyntaxError { return r.damaged }

// All returns the entries in order; Err tells afterwards how it ended.
//
// A *Record or a *Sample is used again for a later line: it, and all that it
// points to, is valid only until the loop asks for the next entry. Who keeps one
// keeps its Clone. Other entries, and all strings, are the caller's.
func (r *Reader) All() iter.Seq[exobench.Entry] {
	return func(yield func(exobench.Entry) bool) {
		// One batch is handed over while the others are decoded.
		batches := make([]*batch, runtime.GOMAXPROCS(0)+1)
		for i := range batches {
			batches[i] = new(batch)
			r.start(batches[i])
		}
		defer func() {
			for _, b := range batches {
				b.decoding.Wait()
			}
		}()
		for next := 0; ; next = (next + 1) % len(batches) {
			b := batches[next]
			b.decoding.Wait()
			if len(b.text) == 0 {
				r.finish()
				return
			}
			if !r.deliver(b, yield) {
				return
			}
			r.start(b)
		}
	}
}

// start fills a batch and has it decoded; at the end of the journal it is empty.
func (r *Reader) start(b *batch) {
	r.fill(b)
	b.decoding.Go(b.decode)
}

// batchSize is what is read at a time: short enough for a core's cache, long
// enough for the hand-over not to matter.
const batchSize = 256 << 10

// fill puts the next whole lines into a batch, or the last one even if it is not
// whole.
func (r *Reader) fill(b *batch) {
	b.text = append(b.text[:0], r.rest...)
	r.rest = r.rest[:0]
	for r.end == nil {
		old := len(b.text)
		b.text = slices.Grow(b.text, batchSize)
		n, err := r.src.Read(b.text[old:cap(b.text)])
		b.text, r.end = b.text[:old+n], err
		if newline := bytes.LastIndexByte(b.text[old:], '\n'); newline >= 0 {
			whole := old + newline + 1
			r.rest = append(r.rest, b.text[whole:]...)
			b.text = b.text[:whole]
			break
		}
	}
	b.line = r.lines + 1
	r.lines += bytes.Count(b.text, []byte("\n"))
	if n := len(b.text); n > 0 && b.text[n-1] != '\n' {
		r.lines++
	}
}

// deliver hands over a batch's entries, and reports whether to go on.
func (r *Reader) deliver(b *batch, yield func(exobench.Entry) bool) bool {
	if b.line == 1 {
		if r.err = checkHeader(b.first); r.err != nil {
			return false
		}
	}
	r.damaged = append(r.damaged, b.damaged...)
	for _, e := range b.entries {
		if !yield(e) {
			return false
		}
	}
	return true
}

// oldest is the first schema that a Reader reads.
const oldest = 2

// checkHeader says what is wrong with the entry of a journal's first line.
func checkHeader(first exobench.Entry) error {
	header, ok := first.(*exobench.Header)
	if !ok {
		return errors.New("the journal's first line is no header: this is not a journal of exobench")
	}
	switch {
	case header.Schema > exobench.SchemaVersion:
		return fmt.Errorf("the journal has schema %d, this exobench reads up to %d: use a newer exobench",
			header.Schema, exobench.SchemaVersion)
	case header.Schema < oldest:
		return fmt.Errorf("the journal has schema %d, this exobench reads %d and later ones: make its reports with an exobench of before December 2026, such as the one that wrote it (%s)",
			header.Schema, oldest, cmp.Or(header.Tool.Version, "of unknown version"))
	}
	return nil
}

// finish says how the reading ended.
func (r *Reader) finish() {
	switch {
	case !errors.Is(r.end, io.EOF):
		r.err = fmt.Errorf("read the journal: %w", r.end)
	case r.lines == 0:
		r.err = errors.New("the journal is empty: its run was cut off before it began")
	}
}
