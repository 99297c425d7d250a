package resource

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of CPU time in the proc file system: USER_HZ is 100 on every
// architecture that Go runs on.
const tick = time.Second / 100

func readWork(engine int) work { return procRoot("/proc").work(engine) }

// work reads what was used until now. What cannot be read stays unknown.
func (r procRoot) work(engine int) work {
	w := work{own: ownTime()}
	if engine != 0 {
		w.tree = r.treeTimes(engine)
	}
	if data, err := os.ReadFile(string(r) + "/stat"); err == nil {
		if busy, steal, cores, ok := machineTime(data); ok {
			w.busy, w.steal, w.cores = &busy, &steal, cores
		}
	}
	return w
}

// machineTime reads /proc/stat, whose first line is the sum of the lines of the
// cores that are online:
//
//	cpu  user nice system idle iowait irq softirq steal guest guest_nice
//
// Guests are in user and nice already (proc_stat(5)).
func machineTime(data []byte) (busy, steal time.Duration, cores int, ok bool) {
	for line := range bytes.Lines(data) {
		if !bytes.HasPrefix(line, []byte("cpu")) {
			break
		}
		if line[3] != ' ' {
			cores++
			continue
		}
		ticks := numbers(line[3:])
		if len(ticks) < 8 {
			return 0, 0, 0, false
		}
		user, nice, system, irq, softirq := ticks[0], ticks[1], ticks[2], ticks[5], ticks[6]
		busy = time.Duration(user+nice+system+irq+softirq) * tick
		steal = time.Duration(ticks[7]) * tick
		ok = true
	}
	return busy, steal, cores, ok && cores > 0
}

// treeTimes reads the CPU times of a process and its descendants; nil where it is
// gone. What ends on the way is left out.
func (r procRoot) treeTimes(root int) map[processID]processTime {
	pids, err := r.tree(root)
	if err != nil {
		return nil
	}
	times := map[processID]processTime{}
	for _, pid := range pids {
		var page page
		data, err := page.read(r.of(pid, "/stat"))
		if err != nil {
			continue
		}
		if started, time, err := parseProcess(data); err == nil {
			times[processID{pid, started}] = time
		}
	}
	return times
}

// parseProcess reads a process's stat file, of which it takes the fields 14 to 17
// and 22 of proc_pid_stat(5): utime, stime, cutime, cstime, starttime.
func parseProcess(data []byte) (started uint64, t processTime, err error) {
	// The name of the program, in brackets, may hold blanks and brackets; the
	// state, field 3, comes after it.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 20 {
		return 0, processTime{}, fmt.Errorf("stat of a process is %q", data)
	}
	var ticks [5]uint64
	for i, field := range []int{14, 15, 16, 17, 22} {
		if ticks[i], err = strconv.ParseUint(string(fields[field-3]), 10, 64); err != nil {
			return 0, processTime{}, fmt.Errorf("stat of a process, field %d: %w", field, err)
		}
	}
	return ticks[4], processTime{
		own:    time.Duration(ticks[0]+ticks[1]) * tick,
		waited: time.Duration(ticks[2]+ticks[3]) * tick,
	}, nil
}

// sleepThread puts the calling thread to sleep.
func sleepThread(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &t, nil)
}

// sharpen asks the system to wake the calling thread as exactly as it can; by
// default it may be up to 50 µs late, to wake several at once.
func sharpen() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }
