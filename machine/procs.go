package machine

import (
	"math"
	"os"
	"runtime"
)

// AdaptProcs keeps this process to what its control groups leave it. Go does so
// itself for the process's own group, not for those above it, so that a quota of a
// whole container or slice is missed; GOMAXPROCS in the environment has the last
// word, as with Go. Fewer than two is never set: then one goroutine that computes
// would delay all others.
func AdaptProcs() {
	if os.Getenv("GOMAXPROCS") != "" || runtime.GOOS != "linux" {
		return
	}
	if n := procs(This().Limits().CPUs, runtime.GOMAXPROCS(0)); n > 0 {
		runtime.GOMAXPROCS(n)
	}
}

// procs is what to lower GOMAXPROCS to under a quota, from what it is now; 0
// where it is right.
func procs(quota float64, now int) int {
	if n := max(2, int(math.Ceil(quota))); quota > 0 && n < now {
		return n
	}
	return 0
}
