package resource

import "time"

// CPU returns a function that returns the CPU time which a process and its
// descendants used since it was called before, or since CPU was; absent where the
// process is gone. The system counts it in ticks of 10 ms.
func CPU(pid int) func() (time.Duration, bool) {
	before := readWork(pid).tree
	return func() (time.Duration, bool) {
		after := readWork(pid).tree
		used, known := treeTime(before, after, pid)
		before = after
		return used, known
	}
}
