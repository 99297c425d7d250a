//go:build !linux

package resource

import (
	"context"
	"slices"

	"github.com/shirou/gopsutil/v4/process"
)

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
