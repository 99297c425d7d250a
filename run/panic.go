package run

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// Panic is the error of a run that a mistake in exobench itself ended: the model
// under way was taken away all the same.
type Panic struct {
	Value any
	// Stack is that of the goroutine, as Go writes it.
	Stack []byte
}

// newPanic must be called while the panic is recovered, for its stack.
func newPanic(value any) *Panic { return &Panic{Value: value, Stack: debug.Stack()} }

// Error returns the value on one line.
func (p *Panic) Error() string {
	return "a mistake in exobench itself: " + strings.Join(strings.Fields(fmt.Sprint(p.Value)), " ")
}

// rescue ends the run in order where what deferred it panics.
func (x *execution) rescue() {
	if value := recover(); value != nil {
		x.fail(newPanic(value))
	}
}
