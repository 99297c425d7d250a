package wire

import (
	"bytes"
	"sync"

	"exobench"
)

// segmentSize is how much of an answer one pooled buffer holds; readRoom is the
// least room that a read is given, so that bytes which net/http holds ready come
// in one piece.
const (
	segmentSize = 16 << 10
	readRoom    = 4 << 10
)

// mark says that the bytes of an answer up to end had arrived at the instant at.
type mark struct {
	at  exobench.Instant
	end int
}

// capture holds the raw bytes of one answer and when each read of them returned.
type capture struct {
	segments [][]byte
	marks    []mark
	size     int
}

var (
	captures = sync.Pool{New: func() any { return new(capture) }}
	segments = sync.Pool{New: func() any { return new([segmentSize]byte) }}
)

func newCapture() *capture { return captures.Get().(*capture) }

// free gives the buffers back; the capture must not be used any more.
func (c *capture) free() {
	for i, s := range c.segments {
		segments.Put((*[segmentSize]byte)(s[:segmentSize]))
		c.segments[i] = nil
	}
	*c = capture{segments: c.segments[:0], marks: c.marks[:0]}
	captures.Put(c)
}

// room returns where the next read may put its bytes.
func (c *capture) room() []byte {
	if n := len(c.segments); n > 0 {
		last := c.segments[n-1]
		if segmentSize-len(last) >= readRoom {
			return last[len(last):segmentSize]
		}
	}
	fresh := segments.Get().(*[segmentSize]byte)[:0]
	c.segments = append(c.segments, fresh)
	return fresh[:segmentSize]
}

// took notes that a read put n bytes into the room, at the instant at.
func (c *capture) took(n int, at exobench.Instant) {
	last := &c.segments[len(c.segments)-1]
	*last = (*last)[:len(*last)+n]
	c.size += n
	c.marks = append(c.marks, mark{at: at, end: c.size})
}

// lines calls yield for each line without its ending, with the instant of the
// read that brought the line's last byte. Text after the last newline is a line
// too, and not whole. The line is valid until yield returns.
func (c *capture) lines(yield func(line []byte, at exobench.Instant, whole bool)) {
	var carry []byte // the start of a line whose end is in a later segment
	offset, read := 0, 0
	emit := func(line []byte, last int, whole bool) {
		for c.marks[read].end <= last {
			read++
		}
		yield(bytes.TrimSuffix(line, []byte("\r")), c.marks[read].at, whole)
	}
	for _, segment := range c.segments {
		for {
			n := bytes.IndexByte(segment, '\n')
			if n < 0 {
				break
			}
			line := segment[:n]
			if len(carry) > 0 {
				carry = append(carry, line...)
				line = carry
			}
			emit(line, offset+n, true)
			carry = carry[:0]
			offset += n + 1
			segment = segment[n+1:]
		}
		carry = append(carry, segment...)
		offset += len(segment)
	}
	if len(carry) > 0 {
		emit(carry, c.size-1, false)
	}
}

// head returns the first bytes of the answer, at most n.
func (c *capture) head(n int) []byte {
	var out []byte
	for _, segment := range c.segments {
		out = append(out, segment[:min(len(segment), n-len(out))]...)
	}
	return out
}
