// Package machine describes the machine that exobench runs on: what it is made
// of, what is left of it to exobench, how it is powered, and what of its state
// spoils figures.
//
// [This] reads this machine:
//
//	host := machine.This().Host(ctx)
//
// On Linux it reads the proc and sys file systems; on macOS it asks the system's
// own commands (sysctl, vm_stat, pmset, notifyutil, sw_vers, ioreg), none of which
// needs root. What cannot be read is absent. It measures nothing while requests
// are under way: sensors do.
package machine
