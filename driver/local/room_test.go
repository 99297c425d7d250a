package local

import (
	"os"
	"path/filepath"
	"testing"

	"exobench"
)

func TestTheTightestControlGroupCounts(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	for _, row := range []struct {
		why   string
		files map[string]string
		want  exobench.Bytes // -1 is no limit
	}{
		{"no limit", map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/memory.current": "5\n"}, -1},
		{"a container, which sees its own group as the root", map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "2147483648\n", "sys/fs/cgroup/memory.current": "1610612736\n",
			"sys/fs/cgroup/memory.stat": "anon 5\ninactive_file 536870912\nactive_file 7\n"}, gib},
		{"a path of outside", map[string]string{
			"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/memory.max": "2147483648\n", "sys/fs/cgroup/memory.current": "1073741824\n"}, gib},
		{"the group above is tighter", map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "8589934592\n", "sys/fs/cgroup/a/b/memory.current": "0\n",
			"sys/fs/cgroup/a/memory.max": "1073741824\n", "sys/fs/cgroup/a/memory.current": "0\n"}, gib},
		{"version 1", map[string]string{
			"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/x\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "3221225472\n",
			"sys/fs/cgroup/memory/x/memory.usage_in_bytes": "2147483648\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes": "2147483648\n"}, gib},
		{"more is used than allowed", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "5\n", "sys/fs/cgroup/memory.current": "9\n"}, 0},
		{"no control groups", nil, -1},
	} {
		root := t.TempDir()
		for name, text := range row.files {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		room, limited := groupRoom(root)
		if limited != (row.want >= 0) || limited && room != row.want {
			t.Errorf("%s: got %d, %v, want %d", row.why, room, limited, row.want)
		}
	}
}
