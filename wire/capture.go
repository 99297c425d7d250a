package wire

import (
	"bytes"
	"sync"
	"unsafe"

	"exobench"
)

// segmentSize is how much of an answer one pooled buffer holds. minSpare is the
// least space that a read is given; what net/http holds ready beyond it comes
// with the next.
const (
	segmentSize = 4 << 10
	minSpare    = 512
)

// mark says that the bytes of an answer up to end came with one read of the
// connection: an arrival in little room, since an answer has one for each.
type mark struct {
	user  exobench.Instant
	delay int32
	end   uint32
}

// markSize is the memory of a mark in bytes.
const markSize = int(unsafe.Sizeof(mark{}))

func (m mark) arrival() arrival { return arrival{user: m.user, delay: int64(m.delay)} }

// capture holds the raw bytes of one answer and when each read of them returned.
type capture struct {
	segments [][]byte
	marks    []mark
	size     int
	lineEnds int // about as many
}

var (
	newline        = []byte("\n")
	carriageReturn = []byte("\r")
)

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
	ends := bytes.Count(came, newline)
	if ends == 0 {
		ends = bytes.Count(came, carriageReturn)
	}
	c.lineEnds += ends
	c.size += n
	m := mark{user: a.user, delay: int32(a.delay), end: uint32(c.size)}
	if k := len(c.marks); k > 0 && c.marks[k-1].arrival() == a {
		c.marks[k-1] = m // more of the same read
		return
	}
	c.marks = append(c.marks, m)
}

// held returns how much memory the answer takes, in bytes: one that comes byte by
// byte takes more for the marks than for itself.
func (c *capture) held() int { return c.size + len(c.marks)*markSize }

// kernel reports whether the kernel stamped every read of the answer.
func (c *capture) kernel() bool {
	for _, m := range c.marks {
		if !m.arrival().kernel() {
			return false
		}
	}
	return len(c.marks) > 0
}

// capturedLine is a line without its ending, with the read that brought the end
// of it. Text after the last line end is a line too, and not whole. The text is
// valid until the next line.
type capturedLine struct {
	text    []byte
	arrival arrival
	whole   bool
}

// lines yields the lines of the answer, without the byte-order mark before them.
func (c *capture) lines(yield func(capturedLine) bool) {
	var (
		cutter       lineCutter
		carry        []byte // the start of a line whose end is in a later segment
		offset, read int
		later        bool // than the first line
	)
	emit := func(line []byte, last int, whole bool) bool {
		for int(c.marks[read].end) <= last {
			read++
		}
		if !later {
			line, later = bytes.TrimPrefix(line, byteOrderMark), true
		}
		return yield(capturedLine{line, c.marks[read].arrival(), whole})
	}
	for _, segment := range c.segments {
		end := offset + len(segment)
		for {
			line, rest, ended := cutter.cut(segment)
			if !ended {
				carry = append(carry, line...)
				break
			}
			offset = end - len(rest)
			if len(carry) > 0 {
				carry = append(carry, line...)
				line = carry
			}
			if !emit(line, offset-1, true) {
				return
			}
			carry, segment = carry[:0], rest
		}
		offset = end
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
