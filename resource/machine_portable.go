//go:build !linux

package resource

import (
	"context"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"
)

// readWork reads what was used until now. What cannot be read stays unknown.
func readWork(engine int) work {
	ctx := context.Background()
	w := work{own: ownTime(), cores: runtime.NumCPU()}
	if engine != 0 {
		w.tree = treeTimes(ctx, engine)
	}
	if all, err := cpu.TimesWithContext(ctx, false); err == nil && len(all) == 1 {
		t := all[0]
		w.busy = new(seconds(t.User + t.Nice + t.System + t.Irq + t.Softirq))
	}
	return w
}

// treeTimes reads the CPU times of a process and its descendants; nil where
// nothing of it can be seen. The system does not tell those of children that
// ended.
func treeTimes(ctx context.Context, root int) map[processID]processTime {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for _, pid := range pids {
		p := process.Process{Pid: pid}
		if parent, err := p.PpidWithContext(ctx); err == nil {
			children[int(parent)] = append(children[int(parent)], int(pid))
		}
	}
	times := map[processID]processTime{}
	for _, pid := range family(root, func(pid int) []int { return children[pid] }) {
		p := process.Process{Pid: int32(pid)}
		started, err := p.CreateTimeWithContext(ctx)
		if err != nil {
			continue
		}
		// gopsutil gives 0, not an error, for a process that may not be looked at.
		if t, err := p.TimesWithContext(ctx); err == nil && t.User+t.System > 0 {
			times[processID{pid, uint64(started)}] = processTime{own: seconds(t.User + t.System)}
		}
	}
	return times
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// ownThreads returns none: this system does not count how long a thread waits.
func ownThreads() threads { return nil }

// sleepThread puts the calling thread to sleep.
func sleepThread(d time.Duration) {
	t := unix.NsecToTimeval(d.Nanoseconds())
	_, _ = unix.Select(0, nil, nil, nil, &t)
}

// sharpen does nothing: there is no way without cgo to ask for exact wake-ups.
func sharpen() {}
