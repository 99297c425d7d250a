package wire

import (
	"context"
	"net"
	"sync/atomic"

	"exobench"
)

// conn notes when its latest read returned. It is the place for kernel receive
// stamps.
type conn struct {
	net.Conn
	clock exobench.Clock
	// at is atomic since headers are read by a goroutine of net/http and the
	// body by ours.
	at atomic.Int64
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.at.Store(int64(c.clock.Now()))
	}
	return n, err
}

// readAt returns the instant at which the latest read returned.
func (c *conn) readAt() exobench.Instant { return exobench.Instant(c.at.Load()) }

// dialer dials stamped connections.
type dialer struct {
	clock exobench.Clock
	under func(ctx context.Context, network, address string) (net.Conn, error)
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.under(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, clock: d.clock}, nil
}

// stamped finds our connection under what net/http hands out: itself, or the
// one that TLS runs over.
func stamped(c net.Conn) *conn {
	for {
		switch under := c.(type) {
		case *conn:
			return under
		case interface{ NetConn() net.Conn }:
			c = under.NetConn()
		default:
			return nil
		}
	}
}
