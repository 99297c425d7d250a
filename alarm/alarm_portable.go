//go:build !linux

package alarm

import (
	"time"

	"exobench"
)

// Alarm wakes one goroutine at an instant.
type Alarm struct {
	timer  *time.Timer
	closed chan struct{}
}

// New returns an alarm that is not set. It must be closed.
func New() (*Alarm, error) {
	return &Alarm{timer: time.NewTimer(1 << 62), closed: make(chan struct{})}, nil
}

// Set moves the alarm to an instant of [exobench.Monotonic]; one that is past
// wakes at once. It must not be called after Close, nor twice at a time.
func (a *Alarm) Set(at int64) { a.timer.Reset(time.Duration(at - exobench.Monotonic())) }

// Wait returns when the alarm has gone off or is closed.
func (a *Alarm) Wait() {
	select {
	case <-a.timer.C:
	case <-a.closed:
	}
}

// Close ends a Wait that is under way.
func (a *Alarm) Close() { close(a.closed) }
