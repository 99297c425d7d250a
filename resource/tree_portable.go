//go:build !linux

package resource

import (
	"context"
	"errors"
	"slices"

	"github.com/shirou/gopsutil/v4/process"

	"exobench"
)

// errHidden means that the system shows nothing of the root's memory.
var errHidden = errors.New("its memory cannot be seen: it may be another user's")

func listTree(ctx context.Context, t Tree) ([]int, error) {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(pids, int32(t.PID)) {
		return nil, ErrGone
	}
	children := map[int][]int{}
	for _, pid := range pids {
		p := process.Process{Pid: pid}
		if parent, err := p.PpidWithContext(ctx); err == nil {
			children[int(parent)] = append(children[int(parent)], int(pid))
		}
	}
	return t.list(func(pid int) []int { return children[pid] }), nil
}

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
