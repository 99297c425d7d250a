package wire

import (
	"bytes"
	"errors"
	"math"
	"sync"

	"exobench"
)

// segmentSize is how much of an answer one pooled buffer holds. minSpare is the
// least space that a read is given; what net/http holds ready beyond it comes
// with the next.
const (
	segmentSize = 4 << 10
	minSpare    = 512
)

// maxAnswer is the longest answer that marks can tell of.
const maxAnswer = math.MaxInt32

var errTooLong = errors.New("the answer is over 2 GiB long")

// mark says that the bytes of an answer up to end came with one read of the
// connection: an arrival in little room, since an answer has one for each.
type mark struct {
	user  exobench.Instant
	delay int32
	end   uint32
}

func (m mark) arrival() arrival { return arrival{user: m.user, delay: int64(m.delay)} }

// capture holds the raw bytes of one answer and when each read of them returned.
type capture struct {
	segments [][]byte
	marks    []mark
	size     int
	newlines int
}

var newline = []byte("\n")

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

// spare returns where the next read may put its bytes.
func (c *capture) spare() []byte {
	if n := len(c.segments); n > 0 {
		last := c.segments[n-1]
		if segmentSize-len(last) >= minSpare {
			return last[len(last):segmentSize]
		}
	}
	fresh := segments.Get().(*[segmentSize]byte)[:0]
	c.segments = append(c.segments, fresh)
	return fresh[:segmentSize]
}

// note notes that the next n bytes of the spare space came with the read of a.
func (c *capture) note(n int, a arrival) {
	last := &c.segments[len(c.segments)-1]
	came := (*last)[len(*last) : len(*last)+n]
	*last = (*last)[:len(*last)+n]
	c.newlines += bytes.Count(came, newline)
	c.size += n
	m := mark{user: a.user, delay: int32(a.delay), end: uint32(c.size)}
	if k := len(c.marks); k > 0 && c.marks[k-1].arrival() == a {
		c.marks[k-1] = m // more of the same read
		return
	}
	c.marks = append(c.marks, m)
}

// kernel reports whether the kernel stamped every read of the answer.
func (c *capture) kernel() bool {
	for _, m := range c.marks {
		if !m.arrival().kernel() {
			return false
		}
	}
	return len(c.marks) > 0
}

// lines calls yield for each line without its ending, with the read that brought
// the line's last byte. Text after the last newline is a line too, and not
// whole. The line is valid until yield returns.
func (c *capture) lines(yield func(line []byte, a arrival, whole bool)) {
	var carry []byte // the start of a line whose end is in a later segment
	offset, read := 0, 0
	emit := func(line []byte, last int, whole bool) {
		for int(c.marks[read].end) <= last {
			read++
		}
		yield(bytes.TrimSuffix(line, []byte("\r")), c.marks[read].arrival(), whole)
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
