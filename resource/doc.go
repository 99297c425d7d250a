// Package resource reads what an engine on this host uses: its memory
// ([Processes]) and, beside what everything else does, its CPU time
// ([Machine]). Both are sensors: they return samples when they are read, and
// know nothing of when that is.
//
// [Listen] finds the processes of the engine that answers at an address, and finds
// them anew where it is started again:
//
//	engine := resource.Listen(ctx, "127.0.0.1:52415")
//	...
//	before, err := engine.Sensor().Read(ctx, exobench.Before)
//
// On Linux sizes are proportional, on macOS physical footprints (proc_pid_rusage,
// without cgo).
//
// It knows nothing of engines on other hosts, and it never guesses: what it
// cannot see is an error that says why, or absent, not a 0.
package resource
