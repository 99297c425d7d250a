package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"exobench"
)

// ErrGone means that the process at the root of a tree has ended.
var ErrGone = errors.New("engine process has ended")

// Tree is a process and all its descendants.
type Tree struct {
	PID int
	// Also are the roots of further trees that are counted with it, and Without
	// those of trees that are not.
	Also, Without []int
	// Resident asks for resident set sizes only. They count a page once for each
	// process that maps it, and take microseconds to read whatever the size of
	// the process; for proportional ones the system walks its page tables, some
	// 10 ms for each GiB in pages of 4 KiB.
	Resident bool
	// members are its processes, the root first, where they are known; else each
	// reading lists them anew.
	members []int
}

// Read returns the memory of the tree as it is now.
//
// On Linux these are proportional set sizes (PSS), the resident ones (RSS) beside
// them, and a split: File is file-backed pages, Anonymous the rest, shared memory
// included. Where the system refuses proportional sizes for any process, or they
// are not asked for, the whole tree is read as resident set sizes instead: the
// split never mixes the two. On macOS they are physical footprints, which hold
// what is swapped out, with the resident sizes and the footprints' peaks beside
// them. Elsewhere there are only resident set sizes.
// Memory that is swapped out is in none of them, but beside them where the system
// tells ([exobench.Swap]), and so is the most that it has seen of each process
// ([exobench.RSSPeak]).
//
// A process that ends on the way is left out; if it is the root, the error
// wraps [ErrGone].
func (t Tree) Read(ctx context.Context) (exobench.Values, error) {
	return t.told(t.read(ctx))
}

// told returns what was read of the tree.
func (t Tree) told(m memory, err error) (exobench.Values, error) {
	if err != nil {
		return nil, fmt.Errorf("read the memory of process %d: %w", t.PID, err)
	}
	return m.values(), nil
}

// memory is the memory of one process, or of several.
type memory struct {
	// pss is nil where there are no proportional sizes.
	pss *exobench.Bytes
	rss exobench.Bytes
	// anonymous and file split the PSS, or the RSS where there is none; nil
	// where the system does not tell.
	anonymous, file *exobench.Bytes
	// peak is the sum of the processes' high-water marks, swap what is swapped
	// out; nil where the system does not tell.
	peak, swap *exobench.Bytes
	// groupPeak is the most that the control group ever had, where that is theirs
	// alone.
	groupPeak *exobench.Bytes
	// footprint is what the system charges to the processes, footprintPeak the sum
	// of the most that it ever charged to each; nil but on macOS.
	footprint, footprintPeak *exobench.Bytes
	processes                int
}

func (m memory) values() exobench.Values {
	var values exobench.Values
	add := func(q exobench.Quantity, size *exobench.Bytes) {
		if size != nil {
			values = append(values, exobench.Value{Quantity: q, Value: float64(*size)})
		}
	}
	add(exobench.PSS, m.pss)
	add(exobench.Footprint, m.footprint)
	add(exobench.RSS, &m.rss)
	add(exobench.Anonymous, m.anonymous)
	add(exobench.File, m.file)
	add(exobench.RSSPeak, m.peak)
	add(exobench.Swap, m.swap)
	add(exobench.CgroupPeak, m.groupPeak)
	add(exobench.FootprintPeak, m.footprintPeak)
	return append(values, exobench.Value{Quantity: exobench.Processes, Value: float64(m.processes)})
}

// list returns the processes of the tree, its root first.
func (t Tree) list(children func(pid int) []int) []int {
	seen := map[int]bool{}
	for _, pid := range t.Without {
		seen[pid] = true
	}
	var all []int
	for _, root := range append([]int{t.PID}, t.Also...) {
		for _, pid := range family(root, func(pid int) []int {
			return slices.DeleteFunc(slices.Clone(children(pid)), func(child int) bool { return seen[child] })
		}) {
			if !seen[pid] {
				seen[pid] = true
				all = append(all, pid)
			}
		}
	}
	return all
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
