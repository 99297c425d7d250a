//go:build !linux

package resource

import (
	"context"
	"os"

	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"
)

// processTable reads the table of this host's processes.
func processTable(ctx context.Context) (*processes, error) {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, err
	}
	all := map[int]kin{}
	for _, pid := range pids {
		p := process.Process{Pid: pid}
		parent, err := p.PpidWithContext(ctx)
		if err != nil {
			continue
		}
		k := kin{parent: int(parent)}
		k.name, _ = p.NameWithContext(ctx)
		k.group, _ = unix.Getpgid(int(pid))
		k.session, _ = unix.Getsid(int(pid))
		k.started, _ = startOf(ctx, int(pid))
		all[int(pid)] = k
	}
	return newProcesses(all, os.Getpid(), func(int) string { return "" }), nil
}

// startsPerSecond is the unit in which the system tells when processes started.
const startsPerSecond = 1000

// startOf returns when a process started; it is absent where the process has
// ended.
func startOf(ctx context.Context, pid int) (uint64, bool) {
	p := process.Process{Pid: int32(pid)}
	if there, err := process.PidExistsWithContext(ctx, int32(pid)); err == nil && !there {
		return 0, false
	}
	started, err := p.CreateTimeWithContext(ctx)
	return uint64(started), err == nil
}
