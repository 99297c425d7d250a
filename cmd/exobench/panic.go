package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"exobench/internal/panics"
	"exobench/secret"
)

// How long what is under way may take to end in order after a panic: a goroutine
// that is no more may be waited for. A run may have a model to take away.
const (
	endTime     = 5 * time.Second
	releaseTime = 2 * time.Minute
)

// endOnPanic returns a context that a panic of any goroutine ends, with the panic
// as its cause, and what returns the first panic so far. Where exobench has not
// ended some time later, it says what was wrong and ends: programs that it started
// end with it, and what it made on an engine bears its mark.
func endOnPanic(ctx context.Context, env environment, patience time.Duration) (context.Context, func() *panics.Error) {
	ctx, end := context.WithCancelCause(ctx)
	var first atomic.Pointer[panics.Error]
	panics.Handle(func(p *panics.Error) {
		if !first.CompareAndSwap(nil, p) {
			return
		}
		end(p)
		time.AfterFunc(patience, panics.Caught(func() {
			os.Exit(exitCode(env, keepStack(p, "", env.secrets)))
		}))
	})
	return ctx, first.Load
}

// keptPanic is a panic whose stack was kept.
type keptPanic struct {
	panic *panics.Error
	where string
}

func (k keptPanic) Error() string { return k.panic.Error() + " (" + k.where + ")" }
func (k keptPanic) Unwrap() error { return k.panic }

// keepStack keeps the stack of a panic in the folder, or with the system's
// temporary files where folder is empty or takes no file, and says where. What
// is secret is not in it.
func keepStack(p *panics.Error, folder string, secrets *secret.Set) error {
	text := secrets.Hide(fmt.Sprintf("exobench %s\n%s\n\n%s", version(), p.Error(), p.Stack))
	for _, at := range []string{folder, os.TempDir()} {
		if at == "" {
			continue
		}
		f, err := os.CreateTemp(at, "exobench-panic-*.txt")
		if err != nil {
			continue
		}
		_, err = f.WriteString(text)
		if errors.Join(err, f.Close()) == nil {
			return keptPanic{p, "its stack is in " + f.Name()}
		}
	}
	return keptPanic{p, "its stack could not be kept"}
}

func isPanic(err error) bool {
	_, is := errors.AsType[*panics.Error](err)
	return is
}

// withStack keeps the stack of a panic that is not kept yet and names it in the
// error. Other errors are returned as they are.
func withStack(err error, folder string, secrets *secret.Set) error {
	if _, kept := errors.AsType[keptPanic](err); kept {
		return err
	}
	if p, ok := errors.AsType[*panics.Error](err); ok {
		return keepStack(p, folder, secrets)
	}
	return err
}

// rescue makes of a panic an error that err then holds; it is deferred.
func rescue(err *error) {
	if value := recover(); value != nil {
		*err = panics.Recovered(value)
	}
}
