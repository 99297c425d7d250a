// Package resource reads what an engine on this host uses: its memory
// ([Processes]) and, beside what everything else does, its CPU time
// ([Machine]). Both are sensors: they return samples when they are read, and
// know nothing of when that is.
//
// [FindListener] tells which process answers at an address:
//
//	pid, err := resource.FindListener(ctx, "127.0.0.1:52415")
//	...
//	memory := resource.NewProcesses(func() (int, error) { return pid, nil })
//	before, err := memory.Read(ctx, exobench.Before)
//
// It knows nothing of engines on other hosts, and it never guesses: what it
// cannot see is an error that says why, or absent, not a 0.
package resource
