package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"exobench"
)

// noteworthy is how large what is beside must be to be named.
const noteworthy = 16 << 20

// name fills in the names of programs, with their sizes.
func (e *Engine) name(ctx context.Context, t *processes) {
	sizes := func(trees ...Tree) []string {
		var all []string
		for _, tree := range trees {
			size := tree.resident(ctx)
			if size < noteworthy && tree.PID != e.Tree.PID {
				continue
			}
			all = append(all, fmt.Sprintf("%s (process %d, %v)", t.all[tree.PID].name, tree.PID, size))
		}
		return all
	}
	counted := e.Tree
	counted.Resident = true
	members, _ := listTree(ctx, counted)
	for _, pid := range members {
		one := Tree{PID: pid, members: []int{pid}}
		if size := one.resident(ctx); size >= noteworthy || slices.ContainsFunc(e.Listeners, func(l ProcessID) bool { return l.PID == pid }) {
			e.Names = append(e.Names, fmt.Sprintf("%s (process %d, %v)", t.all[pid].name, pid, size))
		}
	}
	e.Left = sizes(e.beside(ctx)...)
}

// beside are the trees that may be the engine's now.
func (e Engine) beside(ctx context.Context) []Tree {
	all := slices.Clone(e.Beside)
	if len(e.Neighbours) == 0 {
		return all
	}
	counted := e.Tree.resident(ctx)
	for _, tree := range e.Neighbours {
		if tree.resident(ctx) > counted {
			all = append(all, tree)
		}
	}
	return all
}

// resident returns the resident size of the tree; 0 where it cannot be read.
func (t Tree) resident(ctx context.Context) exobench.Bytes {
	t.Resident = true
	m, err := t.read(ctx)
	if err != nil {
		return 0
	}
	return m.rss
}

// Notices say what is counted, where that is more than one process and what it
// started, and what is not though it may be the engine's.
func (e Engine) Notices() []string {
	var all []string
	if e.Owner != "" {
		all = append(all, fmt.Sprintf("the process that listens cannot be looked at from here; the engine's memory is that of all that user %[1]s runs: %[2]s, in resident sizes, "+
			"which count pages that processes share more than once. For proportional ones run exobench as that user (sudo -u %[1]s) or with sudo", e.Owner, strings.Join(e.Names, ", ")))
		return append(all, e.leftNotices()...)
	}
	if len(e.Listeners) > 1 || len(e.Tree.Also) > 0 || e.Tree.PID != e.Listeners[0].PID {
		all = append(all, "the engine's memory is that of several processes, which belong together as far as can be seen: "+strings.Join(e.Names, ", "))
	}
	return append(all, e.leftNotices()...)
}

func (e Engine) leftNotices() []string {
	if len(e.Left) == 0 {
		return nil
	}
	return []string{"not counted as the engine's memory, though it may belong to it: " + strings.Join(e.Left, ", ")}
}
