package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"exobench"
)

// errWithheld means that the system does not give proportional set sizes.
var errWithheld = errors.New("no proportional set sizes")

// usage is the set size of one process, or of several, of one kind.
type usage struct {
	total, anonymous, file exobench.Bytes
	// split reports whether anonymous and file are known.
	split bool
	// peak is the sum of the high-water marks, and swap what is swapped out; they
	// are known where marked and swaps are set.
	peak, swap    exobench.Bytes
	marked, swaps bool
	// of are the processes that were summed.
	of []int
}

func listTree(_ context.Context, t Tree) ([]int, error) { return procRoot("/proc").members(t) }

func (t Tree) read(ctx context.Context) (memory, error) {
	return t.readUnder(ctx, "/proc", procRoot("/proc").resident)
}

// readUnder reads a tree under a proc file system, of whose processes resident reads
// the resident sizes.
func (t Tree) readUnder(ctx context.Context, proc procRoot, resident func(pid int) (usage, error)) (memory, error) {
	pids := t.members
	if pids == nil {
		var err error
		if pids, err = proc.members(t); err != nil {
			return memory{}, err
		}
	}
	all, err := sum(ctx, pids, resident)
	if err != nil {
		return memory{}, err
	}
	m := memory{rss: all.total, processes: len(all.of)}
	one := all
	if !t.Resident {
		proportional, err := sum(ctx, pids, proc.proportional)
		switch {
		case err == nil:
			m.pss, m.processes = &proportional.total, len(proportional.of)
			one = proportional
		case !errors.Is(err, errWithheld):
			return memory{}, err
		}
		if peak, ok := proc.peakOf(all.of); ok {
			m.groupPeak = &peak
		}
	}
	if one.split {
		m.anonymous, m.file = &one.anonymous, &one.file
	}
	if all.marked {
		m.peak = &all.peak
	}
	if one.swaps {
		m.swap = &one.swap
	}
	return m, nil
}

// sum adds up what of returns for each process; pids[0] is the root.
func sum(ctx context.Context, pids []int, of func(pid int) (usage, error)) (usage, error) {
	all := usage{split: true, marked: true, swaps: true, of: make([]int, 0, len(pids))}
	for i, pid := range pids {
		if err := ctx.Err(); err != nil {
			return usage{}, err
		}
		one, err := of(pid)
		if errors.Is(err, ErrGone) && i > 0 {
			continue
		}
		if err != nil {
			return usage{}, err
		}
		all.of = append(all.of, pid)
		all.total += one.total
		all.anonymous += one.anonymous
		all.file += one.file
		all.split = all.split && one.split
		all.peak += one.peak
		all.marked = all.marked && one.marked
		all.swap += one.swap
		all.swaps = all.swaps && one.swaps
	}
	return all, nil
}

// proportional reads a process's proportional set size.
func (r procRoot) proportional(pid int) (usage, error) {
	var page page
	data, err := page.read(r.of(pid, "/smaps_rollup"))
	switch {
	case errors.Is(err, unix.ENOENT):
		if _, err := os.Stat(r.of(pid, "")); err == nil {
			return usage{}, errWithheld // a kernel before 4.14
		}
		return usage{}, ErrGone
	case errors.Is(err, unix.ESRCH):
		return usage{}, ErrGone
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return usage{}, errWithheld
	case err != nil:
		return usage{}, err
	}
	// Kernels before 5.4 do not split it.
	wanted := [...]wantedSize{{key: "Pss"}, {key: "Pss_Anon"}, {key: "Pss_File"}, {key: "Pss_Shmem"}, {key: "SwapPss"}}
	sizes(data, wanted[:])
	u := split(wanted[0], wanted[1], wanted[2], wanted[3])
	u.swap, u.swaps = wanted[4].size, wanted[4].known
	if !wanted[0].known {
		return usage{}, ErrGone
	}
	return u, nil
}

// resident reads a process's resident set size. The kernel keeps it in counters
// per CPU and shows their sum with an error of some hundred KiB per CPU.
func (r procRoot) resident(pid int) (usage, error) {
	var page page
	return residentOf(page.read(r.of(pid, "/status")))
}

// split tells pages that can be dropped and read again from those that cannot,
// shared memory among them.
func split(total, anonymous, file, shared wantedSize) usage {
	return usage{
		total: total.size, anonymous: anonymous.size + shared.size, file: file.size,
		split: anonymous.known && file.known && shared.known,
	}
}

// tree returns pid and its descendants.
func (r procRoot) tree(pid int) ([]int, error) { return r.members(Tree{PID: pid}) }

// members returns the processes of a tree, its root first.
func (r procRoot) members(t Tree) ([]int, error) {
	_, state, err := r.parent(t.PID)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || state == 'Z' || state == 'X' {
		return nil, ErrGone
	}
	if err != nil {
		return nil, err
	}
	// Most kernels list the children of each thread; without that the only way
	// is to ask every process on the host for its parent.
	if unix.Access(string(r)+"/thread-self/children", unix.R_OK) == nil {
		return t.list(r.listed), nil
	}
	children, err := r.scan()
	if err != nil {
		return nil, err
	}
	return t.list(func(pid int) []int { return children[pid] }), nil
}

// listed returns the children of a process as the kernel lists them, thread by
// thread. What ends on the way is left out.
func (r procRoot) listed(pid int) []int {
	threads, err := os.ReadDir(r.of(pid, "/task"))
	if err != nil {
		return nil
	}
	var page page
	var children []int
	for _, thread := range threads {
		data, err := page.read(r.of(pid, "/task/"+thread.Name()+"/children"))
		if err == nil {
			children = append(children, numbers(data)...)
		}
	}
	return children
}

// scan asks every process for its parent and returns the children of each.
func (r procRoot) scan() (map[int][]int, error) {
	pids, err := r.pids()
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, pid := range pids {
		if parent, _, err := r.parent(pid); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	return children, nil
}

// pids returns the ids of all processes.
func (r procRoot) pids() ([]int, error) {
	dir, err := os.Open(string(r))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
