//go:build !linux

package reference

import "time"

// alarm wakes one goroutine at an instant.
type alarm struct {
	timer  *time.Timer
	closed chan struct{}
}

func newAlarm() (*alarm, error) {
	return &alarm{timer: time.NewTimer(maxSpan), closed: make(chan struct{})}, nil
}

// set moves the alarm to an instant; one that is past wakes at once.
func (a *alarm) set(at int64) { a.timer.Reset(time.Duration(at - Monotonic())) }

// wait returns when the alarm has gone off or is closed.
func (a *alarm) wait() {
	select {
	case <-a.timer.C:
	case <-a.closed:
	}
}

func (a *alarm) close() { close(a.closed) }
