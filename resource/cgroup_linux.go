package resource

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/procfs"

	"exobench"
)

// groupsOf returns the control groups of a process, one for each hierarchy.
func (r procRoot) groupsOf(pid int) []procfs.Cgroup {
	proc, err := procfs.NewFS(string(r))
	if err != nil {
		return nil
	}
	p, err := proc.Proc(pid)
	if err != nil {
		return nil
	}
	groups, err := p.Cgroups()
	if err != nil {
		return nil
	}
	return groups
}

// memoryGroup is a control group that counts memory, as a folder.
type memoryGroup struct {
	folder string
	// peak is the name of the file with the most memory that it ever had: of
	// version 2 memory.peak (Linux 5.19), of version 1 memory.max_usage_in_bytes.
	peak string
}

// memoryGroupOf returns the control group in which a process's memory is counted;
// it is absent where there is none, or none that can be seen from here.
//
// The path of a group is relative to the root of our own control group namespace,
// and what is mounted may be a part of the hierarchy, as in a container: its root
// is taken off the path.
func (r procRoot) memoryGroupOf(pid int) (memoryGroup, bool) {
	path, version2, ok := countingGroup(r.groupsOf(pid))
	if !ok {
		return memoryGroup{}, false
	}
	proc, err := procfs.NewFS(string(r))
	if err != nil {
		return memoryGroup{}, false
	}
	mounts, err := proc.GetMounts()
	if err != nil {
		return memoryGroup{}, false
	}
	for _, m := range mounts {
		_, counts := m.SuperOptions["memory"]
		if version2 && m.FSType != "cgroup2" || !version2 && !(m.FSType == "cgroup" && counts) {
			continue
		}
		within, err := filepath.Rel(m.Root, path)
		if err != nil || within == ".." || strings.HasPrefix(within, "../") {
			continue
		}
		peak := "memory.max_usage_in_bytes"
		if version2 {
			peak = "memory.peak"
		}
		return memoryGroup{filepath.Join(m.MountPoint, within), peak}, true
	}
	return memoryGroup{}, false
}

// countingGroup returns the path of the control group that counts memory: that of
// version 1's memory controller, where there is one, and else that of version 2.
func countingGroup(groups []procfs.Cgroup) (path string, version2, ok bool) {
	for _, g := range groups {
		switch {
		case slices.Contains(g.Controllers, "memory"):
			return g.Path, false, true
		case g.HierarchyID == 0 && len(g.Controllers) == 0:
			path, version2, ok = g.Path, true, true
		}
	}
	return path, version2, ok
}

// peakOf returns the most memory that the control group of a tree ever had. It is
// absent where other processes are in the group, or some of the tree in another.
func (r procRoot) peakOf(members []int) (exobench.Bytes, bool) {
	if len(members) == 0 {
		return 0, false
	}
	group, ok := r.memoryGroupOf(members[0])
	if !ok || !sameProcesses(group.processes(), members) {
		return 0, false
	}
	data, err := os.ReadFile(filepath.Join(group.folder, group.peak))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(data)), 10, 64)
	return exobench.Bytes(n), err == nil
}

// processes are those of the group and of the groups below it.
func (g memoryGroup) processes() []int {
	var all []int
	err := filepath.WalkDir(g.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		all = append(all, numbers(data)...)
		return err
	})
	if err != nil {
		return nil // a group that was taken away meanwhile, or is hidden
	}
	return all
}

// sameProcesses reports whether two lists name the same processes.
func sameProcesses(a, b []int) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// container is a path component that names a container by its id.
var container = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(^|[^0-9a-f])[0-9a-f]{64}($|[^0-9a-f])`) })

// service returns the control group of the service or container that a process
// belongs to; empty where it belongs to none.
func (r procRoot) service(pid int) string { return serviceOf(r.groupsOf(pid)) }

// serviceOf looks in the hierarchy of version 2, in systemd's own of version 1, and
// where those tell nothing, as under an init that is not systemd, in that of the
// memory controller.
func serviceOf(groups []procfs.Cgroup) string {
	inMemory := ""
	for _, g := range groups {
		unit := unitOf(g.Path)
		switch {
		case unit == "":
		case len(g.Controllers) == 0 || slices.Contains(g.Controllers, "name=systemd"):
			return unit
		case slices.Contains(g.Controllers, "memory"):
			inMemory = unit
		}
	}
	return inMemory
}

// unitOf returns the part of a control group's path up to the innermost component
// that stands for one service or container; empty where none does.
func unitOf(path string) string {
	parts := strings.Split(path, "/")
	for i := len(parts) - 1; i > 0; i-- {
		if standsForOne(parts[i], parts[i-1]) {
			return strings.Join(parts[:i+1], "/")
		}
	}
	return ""
}

// standsForOne reports whether a component of a path, below another, is that of one
// service or container:
//
//   - the id of a container, as Docker, Podman, containerd and CRI-O name theirs
//     (docker-ID.scope, libpod-ID.scope, cri-containerd-ID.scope, crio-ID.scope, or
//     the bare ID), but not what looks after it (libpod-conmon-ID.scope);
//   - a container of LXC (lxc.payload.NAME, or NAME below lxc), or one registered
//     with systemd (machine-NAME.scope);
//   - a service of systemd, but for the manager of a user's own (user@1000.service);
//   - what systemd-run, snap and Flatpak start in a scope of its own.
//
// The scopes of sessions, terminals and desktop programs hold whatever a person
// started there.
func standsForOne(part, above string) bool {
	begins := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(part, p) })
	}
	scope := strings.HasSuffix(part, ".scope")
	switch {
	case container().MatchString(part):
		return !begins("libpod-conmon-", "crio-conmon-")
	case begins("lxc.payload.") || above == "lxc":
		return true
	case strings.HasSuffix(part, ".service"):
		return !begins("user@")
	}
	return scope && begins("machine-", "run-", "snap.", "app-flatpak-")
}
