//go:build !unix

package reference

import (
	"errors"
	"net"
	"os"
	"time"
)

// socket writes to a connection and waits a moment at most.
type socket struct{ conn net.Conn }

func newSocket(conn net.Conn) (*socket, error) { return &socket{conn}, nil }

func (s *socket) write(p []byte) (int, error) {
	s.conn.SetWriteDeadline(time.Now().Add(time.Millisecond))
	n, err := s.conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}

func (s *socket) gone() bool {
	s.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := s.conn.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}
