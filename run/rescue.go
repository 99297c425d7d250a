package run

import (
	"context"
	"errors"

	"exobench/internal/panics"
)

// rescue ends the run in order where what deferred it panics: the model under way
// is taken away all the same.
func (x *execution) rescue() {
	if value := recover(); value != nil {
		x.fail(panics.Recovered(value))
	}
}

// heed makes the run one that failed where its context was ended for a panic of
// another goroutine, such as the live view's.
func (x *execution) heed(ctx context.Context) {
	if p, ok := errors.AsType[*panics.Error](context.Cause(ctx)); ok {
		x.fail(p)
	}
}
