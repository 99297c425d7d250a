package resource

import (
	"context"
	"slices"
	"sync"

	"exobench"
)

// census lists the processes of a tree again and again. The first time it walks the
// tree, which takes a file for each thread; after that it looks only at the
// processes that are new on the host, and at those that it counts.
//
// A process number that ended and was given away again since the last look is not
// seen as new; numbers go round in the thousands.
//
// list may be called concurrently, also with read.
type census struct {
	proc procRoot
	// statuses are those of the processes that were read last by their list; only
	// read uses them.
	statuses statuses

	mu sync.Mutex // of what follows
	of Tree
	// known are all processes of the host at the last look.
	known map[int]bool
	// members are those of the tree, in order, each with when it started.
	members []int
	started map[int]uint64
}

func newCensus() *census { return &census{proc: "/proc", statuses: statuses{proc: "/proc"}} }

// read reads the memory of a tree. Of one with its list, the files that are read are
// kept open until a tree is read without.
func (c *census) read(ctx context.Context, t Tree) (exobench.Values, error) {
	c.statuses.keep(t.members)
	if t.members == nil || !t.Resident {
		return t.Read(ctx)
	}
	return t.told(t.readUnder(ctx, c.proc, c.statuses.resident))
}

// list returns the processes of a tree, its root first.
func (c *census) list(_ context.Context, t Tree) ([]int, error) {
	pids, err := c.proc.pids()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.sameTree(t) || !c.update(pids) {
		return c.begin(t, pids)
	}
	return slices.Clone(c.members), nil
}

func (c *census) sameTree(t Tree) bool {
	return len(c.members) > 0 && c.of.PID == t.PID && slices.Equal(c.of.Also, t.Also) && slices.Equal(c.of.Without, t.Without)
}

// begin walks the tree. What is started meanwhile is new at the next look.
func (c *census) begin(t Tree, pids []int) ([]int, error) {
	c.members = nil
	members, err := c.proc.members(t)
	if err != nil {
		return nil, err
	}
	c.of, c.started = t, map[int]uint64{}
	for _, pid := range members {
		if k, _, err := c.proc.kin(pid); err == nil {
			c.started[pid] = k.started
		}
	}
	c.members = members
	c.know(pids)
	return slices.Clone(members), nil
}

func (c *census) know(pids []int) {
	c.known = make(map[int]bool, len(pids))
	for _, pid := range pids {
		c.known[pid] = true
	}
}

// update drops the members that ended or were given another parent, and adds the
// descendants of members among the processes that are new. It reports false where
// the root is no longer the one that it was.
func (c *census) update(pids []int) bool {
	is := map[int]bool{}
	roots := append([]int{c.of.PID}, c.of.Also...)
	var members []int
	for _, pid := range c.members { // parents come before their children
		k, state, err := c.proc.kin(pid)
		started, known := c.started[pid]
		gone := err != nil || !known || k.started != started || state == 'X'
		if gone || !is[k.parent] && !slices.Contains(roots, pid) {
			if pid == c.of.PID {
				return false
			}
			continue
		}
		is[pid], members = true, append(members, pid)
	}
	parents := map[int]kin{}
	for _, pid := range pids {
		if !c.known[pid] {
			if k, _, err := c.proc.kin(pid); err == nil {
				parents[pid] = k
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for pid, k := range parents {
			if is[k.parent] && !is[pid] && !slices.Contains(c.of.Without, pid) {
				is[pid], members, grown = true, append(members, pid), true
				c.started[pid] = k.started
			}
		}
	}
	c.members = members
	c.know(pids)
	return true
}
