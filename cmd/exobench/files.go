package main

import (
	"fmt"
	"syscall"

	"exobench"
	"exobench/driver"
)

// filesBesides is how many files a run has open at most beside a socket for each
// request under way: standard streams, the journal, pipes of a child process,
// what sensors read, calls to the engine, and some to spare.
const filesBesides = 20

// leastAddresses is the virtual memory that a run may need, most of it never
// touched: 1.5 GiB were too little and 2 enough. Where Go gets none it dies on the
// spot, and the model stays on the engine.
const leastAddresses = 3 << 30

// checkAddresses makes sure that there is that much.
func checkAddresses() error {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &l) != nil || l.Cur >= leastAddresses {
		return nil
	}
	return driver.UsageError{Err: fmt.Errorf("exobench needs %d MiB of virtual memory, and this process may have %d: raise the limit (ulimit -v unlimited)", leastAddresses>>20, l.Cur>>20)}
}

// checkFiles makes sure that the plan's requests can all be under way: the
// system bounds how many files a process has open, of which each connection is
// one. A bound that may be raised is raised. What it means for an open loop,
// whose number of requests under way nobody knows before, is the note; it is
// empty where there is nothing to say.
func checkFiles(p exobench.Plan) (note string, err error) {
	if err := checkAddresses(); err != nil {
		return "", err
	}
	closed, open := 0, 0
	for _, t := range p.Traffic {
		closed = max(closed, t.Concurrency)
		if t.Open() {
			open = max(open, exobench.Plan{Traffic: []exobench.Traffic{t}, Stop: p.Stop, Workload: p.Workload}.MostUnderWay())
			if t.MaxUnderWay == 0 && p.Stop.Count(len(p.Workload.Prompts)) == 0 {
				open = unbounded
			}
		}
	}
	limit := raiseFiles(max(closed, open) + filesBesides)
	if need := closed + filesBesides; need > limit {
		advice := fmt.Sprintf("raise the limit (ulimit -n %d)", need)
		if fewer := limit - filesBesides; fewer > 0 {
			advice += fmt.Sprintf(", or lower --concurrency to %d", fewer)
		}
		return "", driver.UsageError{Err: fmt.Errorf("with --concurrency %d exobench needs %d open files, and this process may have %d: %s", closed, need, limit, advice)}
	}
	if open+filesBesides > limit {
		note = fmt.Sprintf("no more than %d requests can be under way here, since a process may have %d open files (ulimit -n): where an open loop has more, connections fail, and not for the engine's sake", max(0, limit-filesBesides), limit)
	}
	return note, nil
}

// unbounded is the number of requests under way where nothing bounds it.
const unbounded = 1 << 30

// raiseFiles raises the limit on open files to what is needed, as far as it may
// be, and returns it.
func raiseFiles(need int) int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return unbounded // the system does not tell of a bound
	}
	if l.Cur < l.Max && l.Cur < uint64(need) {
		raised := syscall.Rlimit{Cur: min(l.Max, uint64(need)), Max: l.Max}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			l = raised
		}
	}
	return int(min(l.Cur, unbounded))
}
