package gguf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"exobench/internal/panics"
	"exobench/shape"
)

// Options says what a file is called and how it is made.
type Options struct {
	Name  string // of the model; general.name adds "(random weights)"
	Quant string // one of Quants
	Seed  uint64 // the same seed gives the same bytes
	// Workers is how many goroutines make random numbers, at most 32; 0: one a
	// processor. The bytes do not depend on it.
	Workers int
	// Progress, if not nil, is called by Write's own goroutine after each write,
	// with the bytes written so far and in all.
	Progress func(written, total int64)
}

// Size returns the exact size in bytes of the file that Write makes. It depends
// on the name, but not on the seed.
func Size(s shape.Shape, o Options) (int64, error) {
	m, list, err := plan(s, o)
	if err != nil {
		return 0, err
	}
	return headerSize(s, m, o, list) + valuesSize(list), nil
}

// file is all of a file but its random values.
type file struct {
	header  []byte
	tensors []tensor
}

func newFile(s shape.Shape, o Options) (*file, error) {
	m, list, err := plan(s, o)
	if err != nil {
		return nil, err
	}
	return &file{header: header(s, m, o, list), tensors: list}, nil
}

// plan returns the mixture and the tensors of a file.
func plan(s shape.Shape, o Options) (mixture, []tensor, error) {
	m, err := o.validate()
	if err = errors.Join(validate(s), err); err != nil {
		return mixture{}, nil, err
	}
	list, err := tensors(s, m)
	if err != nil {
		return mixture{}, nil, fmt.Errorf("quantisation %s: %w", m.name, err)
	}
	return m, list, nil
}

func (f *file) size() int64 { return int64(len(f.header)) + valuesSize(f.tensors) }

// valuesSize is the size of the values of all tensors with what pads them.
func valuesSize(list []tensor) int64 {
	var size int64
	for _, t := range list {
		size += padded(t.bytes())
	}
	return size
}

const (
	// chunk is how many elements a worker makes at a time: a multiple of all block
	// sizes, and at most 1 MiB.
	chunk = 1 << 18

	// With two buffers a worker, memory stays below 70 MiB and the vocabulary.
	maxWorkers = 32
)

// piece is a chunk of a tensor on its way to the writer.
type piece struct {
	buffer []byte
	fill   func(dst []byte, g *generator)
	g      generator
	values int // bytes of the buffer that are values, the rest is padding
	done   chan struct{}
	// panicked is set before done is closed where the filling came to nothing.
	panicked error
}

// Write writes a whole file to w. It ends early, with the context's error, when
// ctx is done, and then or on any other error w holds a part of a file.
//
// All writes come from the calling goroutine, in order; w need not be buffered.
func Write(ctx context.Context, w io.Writer, s shape.Shape, o Options) error {
	f, err := newFile(s, o)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	out := &progressWriter{w: w, total: f.size(), report: o.Progress}
	if err := out.write(f.header); err != nil {
		stop()
		return err
	}
	f.header = nil

	workers := min(maxWorkers, o.Workers)
	if workers == 0 {
		workers = min(maxWorkers, runtime.GOMAXPROCS(0))
	}
	var (
		running sync.WaitGroup
		free    = make(chan []byte, 2*workers)
		todo    = make(chan *piece, 2*workers)
		ordered = make(chan *piece, 2*workers)
	)
	for range 2 * workers {
		free <- nil
	}
	var cutErr error
	running.Go(panics.Caught(func() {
		panics.Into(&cutErr, func() { f.cut(ctx, o.Seed, free, todo, ordered) })()
		close(todo)
		close(ordered)
	}))
	for range workers {
		running.Go(panics.Caught(func() {
			for p := range todo {
				panics.Into(&p.panicked, func() { p.fill(p.buffer[:p.values], &p.g) })()
				close(p.done)
			}
		}))
	}
	defer running.Wait()
	defer stop()
	for p := range ordered {
		<-p.done
		if err := cmp.Or(p.panicked, ctx.Err()); err != nil {
			return err
		}
		if err := out.write(p.buffer); err != nil {
			return err
		}
		free <- p.buffer
	}
	return cmp.Or(cutErr, ctx.Err())
}

// cut sends the tensors piece by piece, each to whoever fills it and to whoever
// wants them in order, until ctx is done. There are never more pieces than
// buffers, so neither channel is ever full.
func (f *file) cut(ctx context.Context, seed uint64, free <-chan []byte, todo, ordered chan<- *piece) {
	for number, t := range f.tensors {
		fill := t.fill()
		elements := t.elements()
		for i := int64(0); i*chunk < elements; i++ {
			var buffer []byte
			select {
			case buffer = <-free:
			case <-ctx.Done():
				return
			}
			n := min(chunk, elements-i*chunk)
			p := &piece{fill: fill, g: generatorFor(seed, number, int(i)), values: int(t.format.size(n)), done: make(chan struct{})}
			size := p.values
			if (i+1)*chunk >= elements {
				size = int(padded(int64(size)))
			}
			if cap(buffer) < size {
				buffer = make([]byte, size)
			}
			p.buffer = buffer[:size]
			clear(p.buffer[p.values:])
			todo <- p
			ordered <- p
		}
	}
}

// fill returns what fills a chunk of the tensor.
func (t tensor) fill() func([]byte, *generator) {
	if t.data != nil {
		return func(dst []byte, _ *generator) { copy(dst, t.data) }
	}
	return t.format.random(t.sd)
}

// progressWriter counts what it writes.
type progressWriter struct {
	w              io.Writer
	written, total int64
	report         func(written, total int64)
}

func (p *progressWriter) write(b []byte) error {
	n, err := p.w.Write(b)
	p.written += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write GGUF after %d of %d bytes: %w", p.written, p.total, err)
	}
	if p.report != nil {
		p.report(p.written, p.total)
	}
	return nil
}
