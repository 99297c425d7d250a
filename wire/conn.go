package wire

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// maxDelay is the longest that a read may lie behind its kernel stamp; a longer
// one is taken for a step of the wall clock.
const maxDelay = time.Second

// noDelay is the delay of a read without a kernel stamp.
const noDelay = -1

// arrival is when a read of a connection returned, and how long after the
// kernel had received the last of its bytes: noDelay where that is not known.
type arrival struct {
	user  exobench.Instant
	delay int64
}

// kernel reports whether the kernel stamped the read.
func (a arrival) kernel() bool { return a.delay >= 0 }

// at returns the instant of the kernel where there is one, else that of the
// read.
func (a arrival) at() exobench.Instant { return a.user - exobench.Instant(max(a.delay, 0)) }

// arrivedAt takes the time now, just after a read, and the kernel's stamp, in
// nanoseconds of wall time; 0 is none.
//
// The delay is a difference on the wall clock and is then taken off the
// monotonic one: now is a pair of readings of both, some 20 ns apart. So every
// read measures the offset between the two anew, and a step of the wall clock
// can bend only a read that it falls into the delay of.
func arrivedAt(epoch, now time.Time, stamp int64) arrival {
	// As exobench.Clock has it.
	a := arrival{user: exobench.Instant(now.Sub(epoch)) + 1, delay: noDelay}
	if stamp == 0 {
		return a
	}
	if delay := now.UnixNano() - stamp; delay >= 0 && delay <= int64(maxDelay) {
		a.delay = delay
	}
	return a
}

// arrivals are the two latest reads that a connection made for one exchange.
// The fields are atomic since headers are read by a goroutine of net/http, the
// body by ours.
type arrivals struct {
	reads atomic.Int64 // how many there were
	size  atomic.Int64 // bytes of the latest
	user  [2]atomic.Int64
	delay [2]atomic.Int64
}

// note takes a read of n bytes.
func (s *arrivals) note(n int, a arrival) {
	s.user[1].Store(s.user[0].Load())
	s.delay[1].Store(s.delay[0].Load())
	s.user[0].Store(int64(a.user))
	s.delay[0].Store(a.delay)
	s.size.Store(int64(n))
	s.reads.Add(1)
}

// latest returns the latest read, before the one before it.
func (s *arrivals) latest() arrival { return s.ago(0) }
func (s *arrivals) before() arrival { return s.ago(1) }

func (s *arrivals) ago(i int) arrival {
	return arrival{user: exobench.Instant(s.user[i].Load()), delay: s.delay[i].Load()}
}

// conn notes when each of its reads returned, with the kernel's receive stamp
// where there is one. Unlike those of other connections, its reads must come
// one at a time; those of net/http and crypto/tls do.
type conn struct {
	net.Conn
	epoch  time.Time
	kernel *receiver // nil where the kernel gives no stamps
	// to is where reads are noted: the exchange that has the connection.
	to atomic.Pointer[arrivals]

	// habit is that of the origin that the connection was last used for, and last
	// when its latest byte was read.
	habit atomic.Pointer[habit]
	last  exobench.Instant

	// written is how many bytes were handed to the kernel, or are being. reached
	// is how many of them had reached the server's side when it was found to
	// have closed its end, plus one; 0 where it was not.
	written, reached atomic.Int64

	// open counts the connections that are open, this one among them until it is
	// closed.
	open   *atomic.Int64
	closed atomic.Bool
}

func newConn(c net.Conn, clock exobench.Clock, open *atomic.Int64) *conn {
	open.Add(1)
	return &conn{Conn: c, epoch: clock.Epoch(), kernel: newReceiver(c), open: open}
}

func (c *conn) Read(p []byte) (n int, err error) {
	defer panics.Catch(&err) // on a goroutine of net/http
	var stamp int64
	if c.kernel != nil && len(p) > 0 {
		n, stamp, err = c.kernel.read(p)
	} else {
		n, err = c.Conn.Read(p)
	}
	if n > 0 {
		now := time.Now()
		c.last = exobench.Instant(now.Sub(c.epoch)) + 1
		if to := c.to.Load(); to != nil {
			to.note(n, arrivedAt(c.epoch, now, stamp))
		}
	}
	if err == io.EOF {
		c.noteEnd()
		c.habit.Load().ended(c.last, exobench.Instant(time.Since(c.epoch)))
	}
	return n, err
}

func (c *conn) Write(p []byte) (n int, err error) {
	defer panics.Catch(&err)
	c.written.Add(int64(len(p)))
	n, err = c.Conn.Write(p)
	c.written.Add(int64(n - len(p)))
	if err != nil && c.kernel.ended() {
		c.noteEnd()
	}
	return n, err
}

func (c *conn) Close() (err error) {
	defer panics.Catch(&err)
	// Of a TLS connection, the end of the one below may be still unread.
	if c.kernel.ended() {
		c.noteEnd()
	}
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

// noteEnd notes how much of what was written had reached the server's side when
// that had closed its end: as the kernel knows by the server's acknowledgements,
// or, where it does not tell, all of it.
func (c *conn) noteEnd() {
	reached, ok := c.kernel.acknowledged()
	if !ok {
		reached = c.written.Load()
	}
	c.reached.CompareAndSwap(0, reached+1)
}

// untaken reports whether the server cannot have got anything of what was written
// after the first so many bytes.
func (c *conn) untaken(before int64) bool {
	if c.written.Load() == before {
		return true
	}
	if c.kernel.ended() {
		c.noteEnd()
	}
	reached := c.reached.Load() - 1
	return 0 <= reached && reached <= before
}

// dialer dials stamped connections.
type dialer struct {
	clock exobench.Clock
	inner func(ctx context.Context, network, address string) (net.Conn, error)
	open  atomic.Int64 // connections that are open
}

func (d *dialer) dial(ctx context.Context, network, address string) (dialed net.Conn, err error) {
	defer panics.Catch(&err)
	c, err := d.inner(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newConn(c, d.clock, &d.open), nil
}

// stamped finds our connection under what net/http hands out: itself, or the
// one that TLS runs over.
func stamped(c net.Conn) *conn {
	for {
		switch inner := c.(type) {
		case *conn:
			return inner
		case interface{ NetConn() net.Conn }:
			c = inner.NetConn()
		default:
			return nil
		}
	}
}
