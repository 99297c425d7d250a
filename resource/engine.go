package resource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Engine is the processes that an engine on this host is taken to be.
type Engine struct {
	// Tree is what is counted.
	Tree Tree
	// Listeners are the processes that listen, without their workers.
	Listeners []ProcessID
	// Beside are trees that may be the engine's or not; they are not counted.
	Beside []Tree
	// Neighbours are trees that one of our own ancestors started at about the same
	// time, such as other programs of the script that runs exobench. They are
	// beside only while they are larger than all that is counted: then what is
	// counted may be the front end of one of them.
	Neighbours []Tree
	// Owner is set where what listens could not be seen, and is taken to be the
	// only program of that user.
	Owner string
	// Names are the programs that are counted, and Left those that are beside and
	// not small, each with its size.
	Names, Left []string
}

// ProcessID tells a process from a later one with the same number.
type ProcessID struct {
	PID int
	// Started is when it did, as the system tells it; 0 where that is unknown.
	Started uint64
}

// FindEngine returns the processes of the engine that listens at hostport on this
// host. Those are the process that listens and what it started, and
//
//   - the launcher that started it, with all that it started: what listens may be
//     a front end, and the engine a process beside it;
//   - what runs in the same process group, service or container.
//
// None of that holds of our own ancestors, of a person's shell and of service
// managers, which start what has nothing to do with the engine. What serves a
// port itself, beside the one that listens, and not to it as far as can be seen,
// may be another engine: it is in Beside. Where the process that listens is another
// user's and hidden, and that user runs one program only, it is that one. Where what
// listens only passes requests on, the error wraps [ErrNotFound].
func FindEngine(ctx context.Context, hostport string) (Engine, error) {
	holders, sockets, err := holdersOf(ctx, hostport)
	var hidden *hiddenError
	if err != nil && !errors.As(err, &hidden) {
		return Engine{}, err
	}
	table, err := processTable(ctx)
	if err != nil {
		return Engine{}, fmt.Errorf("find the engine process: %w", err)
	}
	table.ports = portsOf(sockets)
	owner := ""
	if hidden != nil {
		if hidden.owner != nil {
			holders, owner = table.ownedAlone(ctx, hidden.owner.uid), hidden.owner.name
		}
		if len(holders) == 0 {
			return Engine{}, hidden
		}
	}
	tops := table.tops(holders)
	if err := notRelays(ctx, tops, hostport); err != nil {
		return Engine{}, err
	}
	e := table.enclose(tops)
	e.Owner = owner
	e.name(ctx, table)
	return e, nil
}

// enclosing is the search for what belongs to the processes that listen.
type enclosing struct {
	*processes
	// ours are exobench and its ancestors.
	ours map[int]bool
	// own are the processes that listen and their descendants.
	own             map[int]bool
	roots, without  []int
	counted, beside map[int]bool
	neighbours      map[int]bool
}

// enclose returns the engine whose listeners are given.
func (t *processes) enclose(tops []int) Engine {
	e := enclosing{processes: t, ours: t.ancestors(t.self), own: t.under(tops, nil), beside: map[int]bool{}, neighbours: map[int]bool{}}
	for _, top := range tops {
		e.roots = append(e.roots, t.launcher(top, e.ours))
	}
	e.roots = t.tops(slices.Compact(slices.Sorted(slices.Values(e.roots))))
	e.leaveOut()
	e.takeIn(tops)
	e.lookBeside()
	found := Engine{Tree: Tree{PID: e.roots[0], Also: e.roots[1:], Without: e.without}}
	for _, top := range tops {
		found.Listeners = append(found.Listeners, ProcessID{top, t.all[top].started})
	}
	found.Beside, found.Neighbours = e.trees(e.beside), e.trees(e.neighbours)
	return found
}

// trees are those of the processes, less what is counted and what is ours.
func (e *enclosing) trees(pids map[int]bool) []Tree {
	var all []Tree
	for _, pid := range slices.Sorted(maps.Keys(pids)) {
		all = append(all, Tree{PID: pid, Without: slices.Concat(e.roots, slices.Sorted(maps.Keys(e.ours)))})
	}
	return all
}

// leaveOut leaves out what a script started beside the one that listens and that
// serves a port of its own.
func (e *enclosing) leaveOut() {
	for _, root := range e.roots {
		if !shells[e.all[root].name] || e.own[root] {
			continue
		}
		for _, branch := range e.children[root] {
			tree := e.under([]int{branch}, nil)
			if !e.meets(tree, e.own) && e.servesOthers(tree) {
				e.without = append(e.without, branch)
				e.beside[branch] = true
			}
		}
	}
	e.counted = e.under(e.roots, e.without)
}

// takeIn adds what runs in the process groups, the services and the containers of
// the processes that listen.
func (e *enclosing) takeIn(tops []int) {
	groups, services := map[int]bool{}, map[string]bool{}
	for _, pid := range slices.Concat(tops, e.roots) {
		groups[e.all[pid].group] = true
		services[e.service(pid)] = true
	}
	delete(services, "")
	for pid := range e.all {
		if e.ours[pid] {
			delete(groups, e.all[pid].group)
		}
		if len(services) == 0 {
			continue
		}
		if service := e.service(pid); services[service] && (e.ours[pid] || e.holdsJobs(pid, service)) {
			delete(services, service)
		}
	}
	var kindred []int
	for _, pid := range slices.Sorted(maps.Keys(e.all)) {
		if !e.counted[pid] && !e.ours[pid] && !e.manages(pid) &&
			(groups[e.all[pid].group] || len(services) > 0 && services[e.service(pid)]) {
			kindred = append(kindred, pid)
		}
	}
	if len(kindred) == 0 {
		return
	}
	for _, pid := range e.tops(kindred) {
		tree := e.under([]int{pid}, nil)
		switch {
		case slices.ContainsFunc(e.without, func(left int) bool { return tree[left] }) || e.isBeside(pid):
		case e.servesOthers(tree) || e.meets(tree, e.ours):
			e.beside[pid] = true
		default:
			e.roots = append(e.roots, pid)
			maps.Copy(e.counted, tree)
		}
	}
}

// holdsJobs reports whether a service is one whose programs have nothing to do with
// each other, going by one of its processes: cron.service holds all that cron
// started, and that of a supervisor all of its programs.
func (e *enclosing) holdsJobs(pid int, service string) bool {
	name := e.all[pid].name
	return strings.HasSuffix(service, ".service") && managers[name] && !containerInits[name]
}

// togetherSeconds is how far apart the parts of an engine are started by what
// started exobench too.
const togetherSeconds = 10

// isNeighbour reports whether a process may be where the engine computes since it
// was started in one job with a root, and at about the same time. One that serves
// others, or is itself a client of the engine, is not.
func (e *enclosing) isNeighbour(pid, root int) bool {
	a, b := e.all[pid], e.all[root]
	apart := max(a.started, b.started) - min(a.started, b.started)
	if a.group != b.group || apart > togetherSeconds*startsPerSecond || e.counted[pid] || e.ours[pid] {
		return false
	}
	tree := e.under([]int{pid}, nil)
	return !e.servesOthers(tree) && !e.connected(tree, e.own)
}

// lookBeside finds what may belong to the engine and is not counted: what started
// it in a session of its own, what one of our own ancestors started with it, and
// what it is connected to.
func (e *enclosing) lookBeside() {
	for _, root := range e.roots {
		parent := e.all[root].parent
		if !e.ours[parent] && !e.manages(parent) && !shells[e.all[parent].name] {
			e.beside[parent] = true
		}
	}
	for pid := range e.serves {
		if !e.counted[pid] && !e.ours[pid] && !e.isBeside(pid) && e.tied(map[int]bool{pid: true}) {
			e.beside[pid] = true
		}
	}
	for _, root := range e.roots {
		if !e.ours[e.all[root].parent] {
			continue
		}
		for _, pid := range e.children[e.all[root].parent] {
			if !e.isBeside(pid) && e.isNeighbour(pid, root) {
				e.neighbours[pid] = true
			}
		}
	}
}

func (e *enclosing) isBeside(pid int) bool {
	return e.meets(e.ancestors(pid), e.beside)
}

// servesOthers reports whether a tree serves a port to which none of the engine's
// own processes is connected.
func (e *enclosing) servesOthers(tree map[int]bool) bool {
	for pid := range tree {
		if len(e.serves[pid]) > 0 {
			return !e.tied(tree)
		}
	}
	return false
}

// tied reports whether one of the processes that listen, or of their descendants,
// is connected to a port that a tree serves.
func (e *enclosing) tied(tree map[int]bool) bool { return e.connected(e.own, tree) }

// connected reports whether one of some processes is connected to a port that one
// of others serves.
func (e *enclosing) connected(from, to map[int]bool) bool {
	for pid := range from {
		for _, port := range e.dials[pid] {
			for other := range to {
				if slices.Contains(e.serves[other], port) {
					return true
				}
			}
		}
	}
	return false
}

func (e *enclosing) meets(a, b map[int]bool) bool {
	for pid := range a {
		if b[pid] {
			return true
		}
	}
	return false
}
