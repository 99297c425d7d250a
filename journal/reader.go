package journal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"

	"exobench"
	"exobench/internal/panics"
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
	damage  int
	damaged []*SyntaxError
	torn    *SyntaxError
	err     error
}

// NewReader returns a Reader of a journal's text. The caller closes src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Err returns what stopped All: a failed read, a first line that is no header or
// a damaged one, or a schema that this version does not read; nil at the
// journal's end.
func (r *Reader) Err() error { return r.err }

// mostDamaged is how many damaged lines are told one by one.
const mostDamaged = 100

// Damage returns how many lines were skipped so far since they are not as they
// were written. A last line that was cut off in the writing is not among them.
func (r *Reader) Damage() int { return r.damage }

// Damaged returns the first 100 of the lines that Damage counts.
func (r *Reader) Damaged() []*SyntaxError { return r.damaged }

// Torn returns the last line of the journal where its writing was cut off, as by
// a kill or a full disk; else nil.
func (r *Reader) Torn() *SyntaxError { return r.torn }

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
	b.panicked = nil
	b.decoding.Go(panics.Into(&b.panicked, b.decode))
}

// batchSize is what is read at a time: short enough for a core's cache, long
// enough for the hand-over not to matter.
const batchSize = 256 << 10

// fill puts the next whole lines into a batch, or the last one even if it is not
// whole. Of a line that is too long only its beginning is kept.
func (r *Reader) fill(b *batch) {
	b.text, b.tooLong = append(b.text[:0], r.rest...), false
	r.rest = r.rest[:0]
	for r.end == nil {
		old := len(b.text)
		b.text = slices.Grow(b.text, batchSize)
		n, err := r.src.Read(b.text[old:min(cap(b.text), old+batchSize)])
		b.text, r.end = b.text[:old+n], err
		if newline := bytes.LastIndexByte(b.text[old:], '\n'); newline >= 0 {
			whole := old + newline + 1
			r.rest = append(r.rest, b.text[whole:]...)
			b.text = b.text[:whole]
			break
		}
		if b.tooLong || len(b.text) > MaxLine {
			b.text, b.tooLong = b.text[:1], true
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
	if r.err = b.panicked; r.err != nil {
		return false
	}
	if b.line == 1 {
		if r.err = checkHeader(b); r.err != nil {
			return false
		}
	}
	r.damage += len(b.damaged)
	r.damaged = append(r.damaged, b.damaged[:min(len(b.damaged), mostDamaged-len(r.damaged))]...)
	r.torn = b.torn
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
func checkHeader(b *batch) error {
	header, ok := b.first.(*exobench.Header)
	if !ok {
		text, _, _ := bytes.Cut(b.text, []byte("\n"))
		return headerError(text, b)
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

var errHeadless = errors.New("the journal's first line is no header: its beginning is missing, and without it nothing can be said of the run")

var errNoHeader = errors.New("the journal's first line is no header: this is not a journal of exobench")

// headerError says what is wrong with a first line that is not sealed, or is of
// another entry. One that has any of the marks of a header is a damaged header;
// one without a checksum may be of another schema.
func headerError(text []byte, b *batch) error {
	switch {
	case b.torn != nil && b.line == b.torn.Line && (bytes.HasPrefix(text, typeFirst) || bytes.HasPrefix(typeFirst, text)):
		return errors.New("the journal holds no whole line: its run was cut off before it began")
	case len(b.damaged) == 0 || b.damaged[0].Line != b.line:
		if b.torn != nil && b.line == b.torn.Line {
			return errNoHeader
		}
		return errHeadless // its checksum is right: it is a line of ours
	}
	why := b.damaged[0].Err
	var other exobench.Header
	if errors.Is(why, errUnsealed) && bytes.HasPrefix(text, []byte(`{"type":"header"`)) &&
		json.Unmarshal(text, &other) == nil && other.Schema != exobench.SchemaVersion {
		b.first = &other
		return checkHeader(b)
	}
	for _, mark := range []string{`"type":"header"`, `"run_id":"`, sealKey} {
		if bytes.Contains(text, []byte(mark)) {
			return fmt.Errorf("the journal's header (line 1) is damaged, and without it nothing can be said of the run: %w", why)
		}
	}
	return errNoHeader
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
