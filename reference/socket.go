package reference

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// socket writes to a connection without ever waiting for it. It is used by one
// goroutine at a time.
type socket struct {
	raw  syscall.RawConn
	put  func(fd uintptr) bool // made once, so that a write allocates nothing
	look func(fd uintptr) bool
	buf  []byte
	peek [1]byte
	n    int
	err  error
}

func newSocket(conn net.Conn) (*socket, error) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return nil, errors.New("the reference needs a plain socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{raw: raw}
	s.put = func(fd uintptr) bool {
		s.n, s.err = unix.Write(int(fd), s.buf)
		return true // whatever came of it: never wait
	}
	s.look = func(fd uintptr) bool {
		s.n, _, s.err = unix.Recvfrom(int(fd), s.peek[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	}
	return s, nil
}

// write hands over as much as the socket takes; 0 without an error where it is
// full.
func (s *socket) write(p []byte) (int, error) {
	s.buf = p
	if err := s.raw.Write(s.put); err != nil {
		return 0, err
	}
	switch {
	case s.err == nil:
		return s.n, nil
	case s.err == unix.EAGAIN || s.err == unix.EINTR:
		return 0, nil
	}
	return 0, s.err
}

// gone reports whether the other side closed the connection.
func (s *socket) gone() bool {
	if err := s.raw.Read(s.look); err != nil {
		return true
	}
	return s.err == nil && s.n == 0 || s.err != nil && s.err != unix.EAGAIN && s.err != unix.EINTR
}
