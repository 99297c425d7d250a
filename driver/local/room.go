package local

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"exobench"
)

// groupRoom returns how much memory the control groups of this process leave it,
// by the tightest of its own and those above; absent where none has a limit.
// root is the folder that holds proc and sys. What a group has of files that are
// not in use is given back when memory runs out, and counts as free, as it does
// in what the system calls available. (cgroup-v2.rst, cgroup-v1/memory.rst.)
func groupRoom(root string) (exobench.Bytes, bool) {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, false
	}
	least, limited := exobench.Bytes(math.MaxInt64), false
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		base, names := "sys/fs/cgroup", groupFiles{"memory.max", "memory.current", "inactive_file"}
		switch {
		case parts[1] == "memory":
			base, names = "sys/fs/cgroup/memory", groupFiles{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}
		case parts[1] != "":
			continue
		}
		// In a container the path may be that of outside, of which nothing is there:
		// then only the mounted group itself can be seen.
		for group := parts[2]; ; group = filepath.Dir(group) {
			if room, ok := names.room(filepath.Join(root, base, group)); ok {
				least, limited = min(least, room), true
			}
			if group == "/" || group == "." {
				break
			}
		}
	}
	return least, limited
}

// groupFiles are what one version of control groups calls a group's limit and its
// use of memory, and in its statistics the files that are not in use.
type groupFiles struct{ limit, usage, inactive string }

// unlimited is beyond what a limit is; version 1 writes the largest number of
// pages where there is none.
const unlimited = 1 << 60

func (f groupFiles) room(folder string) (exobench.Bytes, bool) {
	limit, ok := number(filepath.Join(folder, f.limit))
	if !ok || limit >= unlimited {
		return 0, false
	}
	used, ok := number(filepath.Join(folder, f.usage))
	if !ok {
		return 0, false
	}
	stat, _ := os.ReadFile(filepath.Join(folder, "memory.stat"))
	for line := range strings.Lines(string(stat)) {
		if text, ok := strings.CutPrefix(line, f.inactive+" "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			used -= min(max(n, 0), used)
		}
	}
	return exobench.Bytes(max(0, limit-used)), true
}

// number reads a file that holds one; "max" is none.
func number(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil && n >= 0
}
