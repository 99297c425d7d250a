package reference

import "exobench/alarm"

// Monotonic returns CLOCK_MONOTONIC in nanoseconds, the clock of due_ns and
// emitted_ns. It has the same value in all processes of a machine.
func Monotonic() int64 { return alarm.Monotonic() }
