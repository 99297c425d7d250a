package wire

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
)

// waiting waits until the connection has so many bytes to read.
func waiting(t *testing.T, c net.Conn, want int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for got := 0; got < want; {
		raw.Control(func(fd uintptr) { got, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The kernel has the bytes before the reader asks for them, so its stamp lies
// before that, however late the reader is.
func TestTheKernelStampLiesBetweenTheWriteAndTheRead(t *testing.T) {
	stamping := keepStamping()
	defer stamping.Close()
	clock := exobench.NewClock()
	ours, theirs := pair(t, clock)
	text, buffer := []byte("hello"), make([]byte, 100)
	const wanted, attempts = 50, 10_000
	stamps := 0
	for i := 0; i < attempts && stamps < wanted; i++ {
		before := clock.Now()
		theirs.Write(text)
		waiting(t, ours.Conn, len(text))
		there := clock.Now()
		n, err := ours.Read(buffer)
		after := clock.Now()
		if n != len(text) || err != nil {
			t.Fatal(n, err)
		}
		a := ours.to.Load().latest()
		if !a.kernel() {
			time.Sleep(time.Millisecond) // the kernel begins to stamp some time after it is asked to
			continue
		}
		stamps++
		// A microsecond for the two clocks, which are not read at one instant.
		if a.at() < before-1000 || a.at() > there+1000 || a.user < there || a.user > after {
			t.Errorf("written at %d, there at %d, stamped at %d, read at %d with delay %d, done at %d", before, there, a.at(), a.user, a.delay, after)
		}
	}
	if stamps < wanted {
		t.Errorf("%d of %d reads had a stamp", stamps, attempts)
	}
}
