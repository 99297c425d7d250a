package resource

import (
	"context"
	"fmt"
)

// Descendants returns the processes that a process has started and that still
// live, and those that they have started. A process that has ended counts as
// gone although its parent has yet to take note. Where the process itself is
// gone, the error wraps [ErrGone].
func Descendants(ctx context.Context, pid int) ([]int, error) {
	pids, err := descendants(ctx, pid)
	if err != nil {
		return nil, fmt.Errorf("list what process %d has started: %w", pid, err)
	}
	return pids, nil
}
