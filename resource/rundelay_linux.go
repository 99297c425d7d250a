package resource

import (
	"os"
	"strconv"
	"time"
)

func ownThreads() threads { return procRoot("/proc").threads("self") }

// threads reads what the kernel counts of those threads of a process that have run.
// The three numbers of a schedstat file are the time on a core and the time in a
// queue for one, in nanoseconds, and how often it got one; a kernel that does not
// count (without CONFIG_SCHED_INFO) writes zeros. What ends on the way is left out.
func (r procRoot) threads(process string) threads {
	tasks := string(r) + "/" + process + "/task"
	dir, err := os.Open(tasks)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	all := threads{}
	var page page
	for _, name := range names {
		id, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		data, err := page.read(tasks + "/" + name + "/schedstat")
		if err != nil {
			continue
		}
		if n := numbers(data); len(n) == 3 && n[2] > 0 {
			all[id] = threadRun{time.Duration(n[0]), time.Duration(n[1]), uint64(n[2])}
		}
	}
	return all
}
