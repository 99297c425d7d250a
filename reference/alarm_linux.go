package reference

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// alarm wakes one goroutine at an instant. It is a timerfd, read through the
// runtime's poller: Go's own timers are rounded to 1 ms on an idle Linux.
type alarm struct {
	fd   int
	file *os.File
	buf  [8]byte
	spec unix.ItimerSpec // here, since the heap would be the place otherwise
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create a timer: %w", err)
	}
	return &alarm{fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}, nil
}

// set moves the alarm to an instant; one that is past wakes at once. It must
// not be called after close, nor twice at a time.
func (a *alarm) set(at int64) {
	a.spec = unix.ItimerSpec{Value: unix.NsecToTimespec(max(at, 1))}
	// An error would mean a bad descriptor or a bad value, and there is neither.
	_ = unix.TimerfdSettime(a.fd, unix.TFD_TIMER_ABSTIME, &a.spec, nil)
}

// wait returns when the alarm has gone off or is closed.
func (a *alarm) wait() {
	_, _ = a.file.Read(a.buf[:])
	runtime.KeepAlive(a)
}

func (a *alarm) close() { _ = a.file.Close() }
