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
