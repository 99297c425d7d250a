//go:build !linux && !darwin

package resource

import (
	"context"
	"errors"

	"github.com/shirou/gopsutil/v4/process"

	"exobench"
)

func (t Tree) read(ctx context.Context) (memory, error) {
	pids := t.members
	if pids == nil {
		var err error
		if pids, err = listTree(ctx, t); err != nil {
			return memory{}, err
		}
	}
	var m memory
	for i, pid := range pids {
		p := process.Process{Pid: int32(pid)}
		info, err := p.MemoryInfoWithContext(ctx)
		// gopsutil gives 0, not an error, for a process that has ended or may
		// not be looked at.
		shown := err == nil && info.RSS > 0
		if !shown && i == 0 {
			return memory{}, errors.Join(errHidden, err)
		}
		if shown {
			m.rss += exobench.Bytes(info.RSS)
			m.processes++
		}
	}
	return m, ctx.Err()
}
