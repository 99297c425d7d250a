package calibrate

import (
	"os"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"

	"exobench"
)

// residentMemory returns the resident set of this process; 0 where the system
// does not tell.
func residentMemory() exobench.Bytes {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return 0
	}
	m, err := self.MemoryInfo()
	if err != nil {
		return 0
	}
	return exobench.Bytes(m.RSS)
}

// cpuTime returns the CPU time of this process so far; 0 where the system does
// not tell.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
