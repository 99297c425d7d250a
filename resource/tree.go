package resource

import (
	"context"
	"errors"
	"fmt"

	"exobench"
)

// ErrGone means that the process at the root of a tree has ended.
var ErrGone = errors.New("engine process has ended")

// Tree is a process and all its descendants.
type Tree struct {
	PID int
	// Resident asks for resident set sizes where proportional ones could be
	// had. They count a page once for each process that maps it, and take
	// microseconds to read whatever the size of the process; for proportional
	// ones the system walks its page tables, some 10 ms for each GiB in pages
	// of 4 KiB, which a Sampler answers with fewer readings.
	Resident bool
}

// Read returns the memory of the tree as it is now; the tree is walked anew
// each time. At, Model and Moment are left for the caller, who knows them.
//
// On Linux the reading is of proportional set sizes, split in two: File is
// file-backed pages, Anonymous the rest, shared memory included; Resident is the
// resident set size beside them. Where the
// system refuses them for any process, the whole tree is read as resident set
// sizes instead: a reading never mixes the two. Elsewhere it is of resident set
// sizes, without a split. Memory that is swapped out is in neither.
//
// A process that ends on the way is left out; if it is the root, the error
// wraps [ErrGone].
func (t Tree) Read(ctx context.Context) (exobench.Reading, error) {
	reading, err := t.read(ctx)
	if err != nil {
		return exobench.Reading{}, fmt.Errorf("read the memory of process %d: %w", t.PID, err)
	}
	return reading, nil
}

// family returns root and its descendants, asking once for the children of each.
func family(root int, children func(pid int) []int) []int {
	pids := []int{root}
	seen := map[int]bool{root: true}
	for i := 0; i < len(pids); i++ {
		for _, child := range children(pids[i]) {
			if !seen[child] {
				seen[child] = true
				pids = append(pids, child)
			}
		}
	}
	return pids
}
