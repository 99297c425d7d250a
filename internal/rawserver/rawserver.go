// Package rawserver serves bare TCP connections, for tests of what no HTTP server
// of Go's would send.
package rawserver

import (
	"net"
	"testing"
)

// Start listens on loopback until the test ends, gives each connection to serve
// in a goroutine of its own, and returns the address as host and port. Whoever
// serves a connection closes it.
func Start(t testing.TB, serve func(*net.TCPConn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(c.(*net.TCPConn))
		}
	}()
	return listener.Addr().String()
}
