package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"exobench/run"
)

// panicked returns the error of a panic that was recovered, and keeps its stack: in the folder, or with the system's temporary files where folder is empty
// or takes no file.
func panicked(value any, stack []byte, folder string) error {
	what := (&run.Panic{Value: value}).Error()
	text := fmt.Appendf(nil, "exobench %s\n%s\n\n%s", version(), what, stack)
	for _, at := range []string{folder, os.TempDir()} {
		if at == "" {
			continue
		}
		f, err := os.CreateTemp(at, "exobench-panic-*.txt")
		if err != nil {
			continue
		}
		_, err = f.Write(text)
		if errors.Join(err, f.Close()) == nil {
			return fmt.Errorf("%s (its stack is in %s)", what, f.Name())
		}
	}
	return fmt.Errorf("%s (its stack could not be kept)", what)
}

// withStack keeps the stack of a run's panic in the folder and names it in the
// error. Other errors are returned as they are.
func withStack(err error, folder string) error {
	var p *run.Panic
	if !errors.As(err, &p) {
		return err
	}
	return panicked(p.Value, p.Stack, folder)
}

// rescue makes of a panic an error that err then holds; it is deferred.
func rescue(err *error) {
	if value := recover(); value != nil {
		*err = panicked(value, debug.Stack(), "")
	}
}
