package calibrate

import (
	"os"

	"github.com/shirou/gopsutil/v4/process"

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
