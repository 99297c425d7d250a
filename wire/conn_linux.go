package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxRead bounds one read, as package net does.
const maxRead = 1 << 30

// receiver reads from a TCP socket with the kernel's receive stamps
// (SO_TIMESTAMPNS). The kernel stamps a packet as it comes from the network
// device, in wall time; of what one read returns, the stamp is that of the last
// byte. What recvmsg needs is held here, so that a read allocates nothing.
//
// Note: x/sys's Recvmsg allocates five times a read.
type receiver struct {
	conn    net.Conn
	raw     syscall.RawConn
	receive func(fd uintptr) bool
	message unix.Msghdr
	vector  unix.Iovec
	control [64]byte // room for one stamp of at most 32 bytes

	n   int
	err syscall.Errno
}

// newReceiver has the kernel stamp what the connection receives. It returns nil
// where it does not.
func newReceiver(c net.Conn) *receiver {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var option error
	err = raw.Control(func(fd uintptr) {
		option = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err != nil || option != nil {
		return nil
	}
	r := &receiver{conn: c, raw: raw}
	r.receive = r.tryReceive
	r.message.Iov = &r.vector
	r.message.SetIovlen(1)
	return r
}

// keepStamping has the kernel stamp packets until the file is closed. It begins
// to some time after the first socket of the system asks for it and ends with
// the last, so that without this the first reads of a run would have no stamp.
// It returns nil where there can be none.
func keepStamping() *os.File {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	// Where this fails, it does for the connections too, and they see to it.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	return os.NewFile(uintptr(fd), "stamps")
}

// tryReceive is the part that package net calls when there may be something to
// read; false makes it wait.
//
// The call does not announce itself to the Go scheduler. An announced one wakes
// the runtime's monitor thread whenever all else is idle, at the rate of events
// twice for each, and on a machine that is full of the engine's threads those
// wake-ups are at its cost. It cannot block, so there is nothing to announce.
func (r *receiver) tryReceive(fd uintptr) bool {
	for {
		r.message.Control = &r.control[0]
		r.message.SetControllen(len(r.control))
		n, _, err := syscall.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.message)), unix.MSG_DONTWAIT)
		switch err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			r.n, r.err = int(n), err
			return true
		}
	}
}

// read reads as net.Conn does, of at least one byte; stamp is the wall time at
// which the last byte came, in nanoseconds, or 0 where there is none.
func (r *receiver) read(p []byte) (n int, stamp int64, err error) {
	r.vector.Base = unsafe.SliceData(p)
	r.vector.SetLen(min(len(p), maxRead))
	err = r.raw.Read(r.receive)
	r.vector.Base = nil
	switch {
	case err != nil: // closed, or past the deadline
		var op *net.OpError
		if errors.As(err, &op) {
			op.Op = "read"
		}
		return 0, 0, err
	case r.err != 0:
		return 0, 0, &net.OpError{
			Op: "read", Net: "tcp", Source: r.conn.LocalAddr(), Addr: r.conn.RemoteAddr(),
			Err: os.NewSyscallError("read", r.err),
		}
	case r.n == 0:
		return 0, 0, io.EOF
	}
	return r.n, r.stamp(), nil
}

// stamp returns the stamp that came with the latest read. SO_TIMESTAMPNS brings
// one control message and nothing else is asked for.
func (r *receiver) stamp() int64 {
	header := (*unix.Cmsghdr)(unsafe.Pointer(&r.control[0]))
	if int(r.message.Controllen) < unix.CmsgLen(int(unsafe.Sizeof(unix.Timespec{}))) ||
		header.Level != unix.SOL_SOCKET || header.Type != unix.SCM_TIMESTAMPNS {
		return 0
	}
	at := (*unix.Timespec)(unsafe.Pointer(&r.control[unix.CmsgLen(0)]))
	return at.Nano()
}

// ended reports whether the other side has closed its end, and all that it sent
// before was read.
func (r *receiver) ended() (ended bool) {
	if r == nil {
		return false
	}
	_ = r.raw.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		ended = err == nil && n == 0
	})
	return ended
}

// acknowledged returns how many of the bytes that were written the other side has
// acknowledged. With the end of its stream it acknowledges all that came before:
// what was not acknowledged then, it had not got when it closed.
func (r *receiver) acknowledged() (bytes int64, ok bool) {
	if r == nil {
		return 0, false
	}
	_ = r.raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil && info.Bytes_acked > 0 {
			// The handshake counts as one.
			bytes, ok = int64(info.Bytes_acked)-1, true
		}
	})
	return bytes, ok
}
