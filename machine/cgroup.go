package machine

import (
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"exobench"
)

// Limits returns what control groups leave of the machine to this process: the
// tightest limit of its own group and of all above it that can be seen, of
// version 1 and 2 (cgroups(7); Documentation/admin-guide/cgroup-v2.rst). A group
// above the one that is mounted, as outside of a container, cannot be seen.
func (s Source) Limits() exobench.Limits { return s.limits().Limits }

// limits are those of control groups, with the memory that is left below the
// tightest of them; nil where there is none.
type limits struct {
	exobench.Limits
	room *exobench.Bytes
}

func (s Source) limits() limits {
	var l limits
	mounts := s.hierarchies()
	for line := range strings.Lines(s.text("proc/self/cgroup")) {
		// The hierarchy's number, its controllers, and the path of the group.
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 {
			continue
		}
		for _, m := range mounts {
			if !m.is(fields[1]) {
				continue
			}
			for _, folder := range m.levels(fields[2]) {
				s.tighten(&l, folder, m)
			}
		}
	}
	return l
}

// hierarchy is one mounted hierarchy of control groups.
type hierarchy struct {
	// root is the group that is mounted at point.
	root, point string
	// controllers are those of version 1; nil for version 2.
	controllers []string
}

// hierarchies reads what is mounted from mountinfo (proc_pid_mountinfo(5)):
//
//	36 35 98:0 /root /point rw,noatime master:1 - cgroup source rw,cpu,cpuacct
func (s Source) hierarchies() []hierarchy {
	var all []hierarchy
	for line := range strings.Lines(s.text("proc/self/mountinfo")) {
		mount, kind, _ := strings.Cut(strings.TrimSpace(line), " - ")
		of, super := strings.Fields(mount), strings.Fields(kind)
		if len(of) < 5 || len(super) < 1 {
			continue
		}
		switch super[0] {
		case "cgroup2":
			all = append(all, hierarchy{root: of[3], point: of[4]})
		case "cgroup":
			if len(super) > 2 {
				all = append(all, hierarchy{root: of[3], point: of[4], controllers: strings.Split(super[2], ",")})
			}
		}
	}
	return all
}

// is reports whether a line of proc/self/cgroup with these controllers is of the
// hierarchy.
func (m hierarchy) is(controllers string) bool {
	if m.controllers == nil || controllers == "" {
		return m.controllers == nil && controllers == ""
	}
	return slices.Contains(m.controllers, strings.Split(controllers, ",")[0])
}

// levels returns the folders of a group and of those above it, up to the mount.
func (m hierarchy) levels(group string) []string {
	group = path.Clean("/" + group)
	if rest, ok := strings.CutPrefix(group, strings.TrimSuffix(m.root, "/")); ok && (rest == "" || rest[0] == '/') {
		group = path.Clean("/" + rest)
	} else if m.root != "/" {
		group = "/" // of another namespace: what is mounted is all that can be seen
	}
	var all []string
	for {
		all = append(all, path.Join(m.point, group))
		if group == "/" {
			return all
		}
		group = path.Dir(group)
	}
}

// tighten lowers the limits to those of a group.
func (s Source) tighten(l *limits, folder string, m hierarchy) {
	cpus, file := s.quota(folder, m)
	if cpus > 0 && (l.CPUs == 0 || cpus < l.CPUs) {
		l.CPUs, l.CPUsFrom = cpus, file
	}
	file = path.Join(folder, "memory.max")
	if m.controllers != nil {
		file = path.Join(folder, "memory.limit_in_bytes")
	}
	size, err := strconv.ParseInt(s.text(file), 10, 64)
	if err != nil || size <= 0 || size >= noLimit {
		return
	}
	if l.Memory == 0 || exobench.Bytes(size) < l.Memory {
		l.Memory, l.MemoryFrom = exobench.Bytes(size), file
	}
	if held, ok := s.held(folder, m); ok {
		if room := max(0, exobench.Bytes(size)-held); l.room == nil || room < *l.room {
			l.room = &room
		}
	}
}

// held is what a group has of its memory, less the files in its cache, which it
// gives up before it reaches its limit.
func (s Source) held(folder string, m hierarchy) (exobench.Bytes, bool) {
	file, prefix := "memory.current", ""
	if m.controllers != nil {
		file, prefix = "memory.usage_in_bytes", "total_"
	}
	usage, ok := s.number(path.Join(folder, file))
	for line := range strings.Lines(s.text(path.Join(folder, "memory.stat"))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == prefix+"inactive_file" || name == prefix+"active_file" {
			if cached, err := strconv.ParseFloat(value, 64); err == nil {
				usage -= cached
			}
		}
	}
	return exobench.Bytes(max(0, usage)), ok
}

// noLimit is less than the greatest page-aligned number of 63 bits, by which
// version 1 says that there is no limit.
const noLimit = math.MaxInt64 - 1<<20

// quota returns the CPU time of a group in cores, and the file that says so; 0
// where there is no limit.
func (s Source) quota(folder string, m hierarchy) (float64, string) {
	file := path.Join(folder, "cpu.max")
	var quota, period string
	if m.controllers == nil {
		quota, period, _ = strings.Cut(s.text(file), " ")
	} else {
		file = path.Join(folder, "cpu.cfs_quota_us")
		quota, period = s.text(file), s.text(path.Join(folder, "cpu.cfs_period_us"))
	}
	time, err := strconv.ParseFloat(quota, 64) // "max" or -1: none
	of, err2 := strconv.ParseFloat(period, 64)
	if err != nil || err2 != nil || time <= 0 || of <= 0 {
		return 0, ""
	}
	return time / of, file
}
