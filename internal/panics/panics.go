// Package panics sees to it that no panic of a goroutine takes the process down:
// models that were loaded must be taken away and the journal be ended first.
//
// Every goroutine of exobench runs its function through [Caught], or through
// [Into] where somebody waits for its error, and so does what timers and contexts
// call. What they catch goes to the handler of the process, which ends what is
// under way in order. Without a handler, as in tests of a package, a panic is a
// panic.
package panics

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
)

// Error is a panic: a mistake in exobench itself.
type Error struct {
	Value any
	// Stack is that of the goroutine, as Go writes it.
	Stack []byte
}

// Recovered makes an error of what was recovered. It must be called by the
// function that recovered it, for its stack.
func Recovered(value any) *Error { return &Error{Value: value, Stack: debug.Stack()} }

// Error returns the value on one line.
func (e *Error) Error() string {
	return "a mistake in exobench itself: " + strings.Join(strings.Fields(fmt.Sprint(e.Value)), " ")
}

var handler atomic.Pointer[func(*Error)]

// Handle has h told of each panic from now on; nil lets panics be. It is called
// on the goroutine that panicked, whose deferred calls have not all run: it must
// not wait for anything.
func Handle(h func(*Error)) {
	if h == nil {
		handler.Store(nil)
		return
	}
	handler.Store(&h)
}

// Caught returns f with its panics caught.
func Caught(f func()) func() {
	return func() {
		defer Catch(nil)
		f()
	}
}

// Catch is deferred where others call us on goroutines of theirs. Where err is not
// nil it is set too.
func Catch(err *error) {
	h := handler.Load()
	if h == nil {
		return
	}
	if value := recover(); value != nil {
		e := Recovered(value)
		if err != nil {
			*err = e
		}
		(*h)(e)
	}
}

// Into returns f with its panic put into err. Who reads err waits for the end of f.
func Into(err *error, f func()) func() {
	return func() {
		defer func() {
			if value := recover(); value != nil {
				*err = Recovered(value)
			}
		}()
		f()
	}
}
