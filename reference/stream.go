package reference

import (
	"math"
	"math/rand/v2"
	"net"
	"time"
)

const (
	retry     = int64(time.Millisecond)       // of a full socket
	lookAfter = int64(100 * time.Millisecond) // a stalled stream's client
)

// stream is one answer under way. Its scheduler alone touches it.
type stream struct {
	frames
	conn   net.Conn
	socket *socket

	first, interval int64 // of the due instants
	jitter          func() int64
	next, count     int   // events
	due             int64 // of the next event
	wake            int64 // when its scheduler must look at it

	fault   Fault
	faultAt int // the event that it comes in place of

	rest     []byte // of the event under way, where the socket did not take it
	emitted  int64  // of that event
	blocked  int64  // since when the socket has been full; 0: it is not
	late     bool
	patience int64
}

func newStream(t task, fr frames, conn net.Conn, socket *socket, arrival int64, seed uint64) *stream {
	s := &stream{
		frames: fr, conn: conn, socket: socket,
		first:    arrival + int64(t.TTFT) + int64(t.prompt)*int64(t.PrefillPerToken),
		interval: int64(t.Interval),
		jitter:   t.Jitter.source(seed),
		count:    (t.Tokens + t.PerChunk - 1) / t.PerChunk,
		fault:    t.Errors.Fault,
		faultAt:  math.MaxInt,
		patience: int64(t.Patience),
	}
	switch s.fault {
	case StreamError, Truncated, Stall:
		s.faultAt = s.count / 2
	}
	s.schedule()
	return s
}

// source returns the delays of one stream, nil where there are none.
func (j Jitter) source(stream uint64) func() int64 {
	if j.Size == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(j.Seed, stream))
	switch j.Distribution {
	case Uniform:
		return func() int64 { return int64(random.Float64() * float64(j.Size)) }
	case Exponential:
		return func() int64 { return int64(random.ExpFloat64() * float64(j.Size)) }
	}
	return nil
}

// schedule sets when the next event is due.
func (s *stream) schedule() {
	due := s.first + int64(s.next)*s.interval
	if s.jitter != nil {
		due += s.jitter()
	}
	s.due = max(s.due, due)
	s.wake = s.due
}

// step does what the stream's instant asks for, and reports whether there is
// more to come.
func (s *stream) step(now clock, l *lateness) bool {
	switch {
	case len(s.rest) > 0:
	case s.next == s.faultAt && s.fault == Truncated:
		return false
	case s.next == s.faultAt && s.fault == Stall:
		s.wake = now.now() + lookAfter
		return !s.socket.gone()
	default:
		s.rest = s.piece().bytes
		s.emitted = 0
	}
	return s.write(now, l)
}

// piece is what the next event consists of.
func (s *stream) piece() *piece {
	if s.ending() {
		return s.last
	}
	return s.middle
}

func (s *stream) ending() bool { return s.next == s.count-1 || s.next == s.faultAt }

// write hands the event under way to the socket, stamped at the last moment.
func (s *stream) write(now clock, l *lateness) bool {
	p := s.piece()
	if len(s.rest) == len(p.bytes) {
		s.emitted = now.now()
		p.stamp(s.due, s.emitted)
	}
	n, err := s.socket.write(s.rest)
	if err != nil {
		l.aborted.Add(1)
		return false
	}
	s.rest = s.rest[n:]
	if len(s.rest) > 0 {
		return s.wait(now.now(), n, l)
	}
	if s.blocked == 0 {
		l.spans.Record(time.Duration(s.emitted - s.due))
	}
	s.blocked = 0
	if s.ending() {
		return false
	}
	s.next++
	s.schedule()
	return true
}

// wait puts a stream off whose socket is full.
func (s *stream) wait(now int64, progress int, l *lateness) bool {
	if !s.late {
		s.late = true
		l.late.Add(1)
	}
	if s.blocked == 0 || progress > 0 {
		s.blocked = now
	}
	if now-s.blocked > s.patience {
		l.aborted.Add(1)
		s.reset()
		return false
	}
	s.wake = now + retry
	return true
}

// reset makes the close drop what the client has not read.
func (s *stream) reset() {
	if c, ok := s.conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
}
