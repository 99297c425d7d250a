package resource

import (
	"context"
	"slices"
)

func descendants(_ context.Context, pid int) ([]int, error) {
	proc := procRoot("/proc")
	pids, err := proc.tree(pid)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(pids[1:], func(pid int) bool {
		_, state, err := proc.parent(pid)
		return err != nil || state == 'Z' || state == 'X'
	}), nil
}
