package resource

import (
	"maps"
	"slices"
)

// processes is a table of the host's processes as they were at one moment.
type processes struct {
	all      map[int]kin
	children map[int][]int
	ports
	// service names the service or container that a process belongs to; empty
	// where it belongs to none.
	service func(pid int) string
	// self is our own process.
	self int
}

// kin is what ties one process to others.
type kin struct {
	parent, group, session int
	started                uint64
	name                   string
}

func newProcesses(all map[int]kin, self int, service func(int) string) *processes {
	t := &processes{all: all, children: map[int][]int{}, self: self, service: service}
	for _, pid := range slices.Sorted(maps.Keys(all)) {
		t.children[all[pid].parent] = append(t.children[all[pid].parent], pid)
	}
	return t
}

// managers start programs that have nothing to do with each other.
var managers = map[string]bool{
	"systemd": true, "launchd": true, "init": true, "tini": true, "dumb-init": true, "docker-init": true, "catatonit": true,
	"supervisord": true, "runsv": true, "runsvdir": true, "s6-svscan": true, "s6-supervise": true, "monit": true,
	"circusd": true, "honcho": true, "foreman": true, "overmind": true, "containerd-shim": true, "conmon": true,
	"cron": true, "crond": true, "atd": true, "sshd": true, "sshd-session": true, "login": true, "tmux: server": true,
	"screen": true, "SCREEN": true, "gnome-shell": true, "plasmashell": true, "Finder": true, "Dock": true,
}

// containerInits are managers of one program and what it leaves behind.
var containerInits = map[string]bool{"tini": true, "dumb-init": true, "docker-init": true, "catatonit": true}

// shells start whatever a person, or a script, tells them to.
var shells = map[string]bool{
	"sh": true, "bash": true, "zsh": true, "fish": true, "dash": true, "ash": true, "ksh": true, "mksh": true,
	"tcsh": true, "csh": true, "nu": true, "pwsh": true, "xonsh": true, "busybox": true,
}

// manages reports whether a process is a service manager, or stands for one.
func (t *processes) manages(pid int) bool {
	k, known := t.all[pid]
	return pid <= 1 || !known || managers[k.name] || len(k.name) == 15 && k.name == "containerd-shim"
}

// ancestors returns a process and those that it descends from.
func (t *processes) ancestors(pid int) map[int]bool {
	all := map[int]bool{}
	for ; pid > 0 && !all[pid]; pid = t.all[pid].parent {
		all[pid] = true
	}
	return all
}

// tops returns those of the processes that descend from none of the others, in
// order. A service manager counts only where there is nobody else.
func (t *processes) tops(pids []int) []int {
	engines := slices.DeleteFunc(slices.Clone(pids), t.manages)
	if len(engines) == 0 {
		engines = pids
	}
	var tops []int
	for _, pid := range engines {
		above := t.ancestors(t.all[pid].parent)
		if !slices.ContainsFunc(engines, func(other int) bool { return other != pid && above[other] }) {
			tops = append(tops, pid)
		}
	}
	if len(tops) == 0 {
		tops = engines[:1] // they went round in a circle while they were read
	}
	slices.Sort(tops)
	return slices.Compact(tops)
}

// under returns the processes and their descendants, but for those left out and
// theirs.
func (t *processes) under(roots, without []int) map[int]bool {
	all := map[int]bool{}
	for _, root := range roots {
		for _, pid := range family(root, func(pid int) []int {
			return slices.DeleteFunc(slices.Clone(t.children[pid]), func(child int) bool { return slices.Contains(without, child) })
		}) {
			all[pid] = true
		}
	}
	return all
}

// launcher returns the ancestor that started all of what a process belongs to: its
// furthest ancestor in its session that is no service manager, none of our own
// ancestors, and no shell of another job.
func (t *processes) launcher(pid int, ours map[int]bool) int {
	for range len(t.all) {
		own := t.all[pid]
		parent := t.all[own.parent]
		if own.parent == pid || ours[own.parent] || t.manages(own.parent) || parent.session != own.session ||
			shells[parent.name] && parent.group != own.group {
			break
		}
		pid = own.parent
	}
	return pid
}
