package main

import "fmt"

// The exit codes of exobench.
const (
	exitOK          = 0
	exitFailed      = 1   // something could not be measured or written
	exitUsage       = 2   // the command line or a file it names is wrong
	exitInterrupted = 130 // by a signal; the reports are made all the same
)

// usageError is an error in what the user asked for.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError ends the program with its code; what was wrong has been shown.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
