//go:build !linux

package wire

import (
	"net"
	"os"
)

// receiver is for kernels that stamp what a TCP socket receives; this system's
// does not.
type receiver struct{}

func newReceiver(net.Conn) *receiver { return nil }

func keepStamping() *os.File { return nil }

func (*receiver) read([]byte) (n int, stamp int64, err error) { panic("no receiver here") }

func (*receiver) ended() bool { return false }

func (*receiver) acknowledged() (bytes int64, ok bool) { return 0, false }
