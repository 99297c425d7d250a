// Package resource reads how much memory an engine on this host uses.
//
// [FindListener] tells which process answers at an address, [Tree] reads the
// memory of that process and of everything it started, and [Sampler] does so
// again and again while requests are under way:
//
//	pid, err := resource.FindListener(ctx, "127.0.0.1:52415")
//	...
//	sampler := resource.StartSampler(ctx, resource.Tree{PID: pid}.Read, 0, keep)
//	defer sampler.Stop()
//
// It knows nothing of engines on other hosts, and it never guesses: what it
// cannot see is an error that says why, not a 0.
package resource
