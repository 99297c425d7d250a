package alarm

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Alarm wakes one goroutine at an instant. It is a timerfd, read through the
// runtime's poller: Go's own timers are rounded to 1 ms on an idle Linux.
type Alarm struct {
	fd   int
	file *os.File
	buf  [8]byte
	spec unix.ItimerSpec // here, since the heap would be the place otherwise
}

// New returns an alarm that is not set. It must be closed.
func New() (*Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create a timer: %w", err)
	}
	return &Alarm{fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}, nil
}

// Set moves the alarm to an instant of [exobench.Monotonic]; one that is past
// wakes at once. It must not be called after Close, nor twice at a time.
func (a *Alarm) Set(at int64) {
	a.spec = unix.ItimerSpec{Value: unix.NsecToTimespec(max(at, 1))}
	// An error would mean a bad descriptor or a bad value, and there is neither.
	_ = unix.TimerfdSettime(a.fd, unix.TFD_TIMER_ABSTIME, &a.spec, nil)
}

// Wait returns when the alarm has gone off or is closed.
func (a *Alarm) Wait() {
	_, _ = a.file.Read(a.buf[:])
	runtime.KeepAlive(a)
}

// Close ends a Wait that is under way.
func (a *Alarm) Close() { _ = a.file.Close() }
