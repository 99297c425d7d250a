package machine

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"exobench"
)

const mountsV2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

// Both controllers of a docker with version 1, seen without a namespace.
const mountsV1 = `33 32 0:29 /docker/ab12 /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:11 - cgroup cgroup rw,cpu,cpuacct
34 32 0:30 /docker/ab12 /sys/fs/cgroup/memory ro,nosuid master:12 - cgroup cgroup rw,memory
35 32 0:31 / /sys/fs/cgroup/systemd ro,nosuid master:13 - cgroup cgroup rw,xattr,name=systemd
`

func TestTheTightestControlGroupOfAllLevelsCounts(t *testing.T) {
	for _, row := range []struct {
		why   string
		files map[string]string
		want  exobench.Limits
	}{
		{"no control groups", nil, exobench.Limits{}},
		{"version 2, no limit", map[string]string{
			"proc/self/cgroup": "0::/user.slice/a.scope\n", "proc/self/mountinfo": mountsV2,
			"sys/fs/cgroup/user.slice/a.scope/cpu.max": "max 100000\n", "sys/fs/cgroup/user.slice/a.scope/memory.max": "max\n",
		}, exobench.Limits{}},
		{"version 2, its own group", map[string]string{
			"proc/self/cgroup": "0::/user.slice/a.scope\n", "proc/self/mountinfo": mountsV2,
			"sys/fs/cgroup/user.slice/a.scope/cpu.max": "150000 100000\n", "sys/fs/cgroup/user.slice/a.scope/memory.max": "1073741824\n",
		}, exobench.Limits{CPUs: 1.5, CPUsFrom: "/sys/fs/cgroup/user.slice/a.scope/cpu.max", Memory: 1 << 30, MemoryFrom: "/sys/fs/cgroup/user.slice/a.scope/memory.max"}},
		{"version 2, a group above is tighter", map[string]string{
			"proc/self/cgroup": "0::/user.slice/a.scope\n", "proc/self/mountinfo": mountsV2,
			"sys/fs/cgroup/user.slice/a.scope/cpu.max": "800000 100000\n", "sys/fs/cgroup/user.slice/cpu.max": "200000 100000\n",
			"sys/fs/cgroup/user.slice/a.scope/memory.max": "max\n", "sys/fs/cgroup/user.slice/memory.max": "2147483648\n",
		}, exobench.Limits{CPUs: 2, CPUsFrom: "/sys/fs/cgroup/user.slice/cpu.max", Memory: 2 << 30, MemoryFrom: "/sys/fs/cgroup/user.slice/memory.max"}},
		{"version 2, a container with a namespace of its own", map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": mountsV2,
			"sys/fs/cgroup/cpu.max": "200000 100000\n", "sys/fs/cgroup/memory.max": "max\n",
		}, exobench.Limits{CPUs: 2, CPUsFrom: "/sys/fs/cgroup/cpu.max"}},
		{"version 1, docker", map[string]string{
			"proc/self/cgroup":                            "4:memory:/docker/ab12\n3:cpu,cpuacct:/docker/ab12\n1:name=systemd:/docker/ab12\n0::/\n",
			"proc/self/mountinfo":                         mountsV1,
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":  "50000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":  "536870912\n",
		}, exobench.Limits{CPUs: 0.5, CPUsFrom: "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", Memory: 512 << 20, MemoryFrom: "/sys/fs/cgroup/memory/memory.limit_in_bytes"}},
		{"version 1, no limit", map[string]string{
			"proc/self/cgroup": "4:memory:/docker/ab12\n3:cpu,cpuacct:/docker/ab12\n", "proc/self/mountinfo": mountsV1,
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, exobench.Limits{}},
		{"a group outside of the namespace", map[string]string{
			"proc/self/cgroup": "0::/../other\n", "proc/self/mountinfo": "30 23 0:26 /x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/cpu.max": "300000 100000\n",
		}, exobench.Limits{CPUs: 3, CPUsFrom: "/sys/fs/cgroup/cpu.max"}},
		{"damaged", map[string]string{
			"proc/self/cgroup": "0::/\nx\n", "proc/self/mountinfo": "x\n" + mountsV2, "sys/fs/cgroup/cpu.max": "1 0\n", "sys/fs/cgroup/memory.max": "-5\n",
		}, exobench.Limits{}},
	} {
		if got := tree(t, row.files).Limits(); got != row.want {
			t.Errorf("%s: %+v, want %+v", row.why, got, row.want)
		}
	}
}

func TestALimitLeavesWhatItsGroupDoesNotHold(t *testing.T) {
	for why, files := range map[string]map[string]string{
		"version 2": {
			"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": mountsV2, "proc/meminfo": "MemAvailable: 16777216 kB\n",
			"sys/fs/cgroup/a/memory.max": "2147483648\n", "sys/fs/cgroup/a/memory.current": "1073741824\n",
			"sys/fs/cgroup/a/memory.stat": "anon 5\ninactive_file 100\nactive_file 24\n",
		},
		"version 1": {
			"proc/self/cgroup": "4:memory:/docker/ab12\n", "proc/self/mountinfo": mountsV1, "proc/meminfo": "MemAvailable: 16777216 kB\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "1073741824\n",
			"sys/fs/cgroup/memory/memory.stat": "inactive_file 7\ntotal_inactive_file 100\ntotal_active_file 24\n",
		},
	} {
		h := exobench.Host{Memory: 64 << 30}
		tree(t, files).linux(&h)
		if h.Limits.Memory != 2<<30 || h.UsableMemory() != 2<<30 || *h.Conditions.MemoryAvailable != 1<<30+124 {
			t.Errorf("%s: a limit of %d leaves %d", why, h.Limits.Memory, *h.Conditions.MemoryAvailable)
		}
	}
}

func TestGoIsKeptToAQuotaOfAGroupAbove(t *testing.T) {
	for _, row := range []struct {
		quota     float64
		now, want int
	}{{0, 16, 0}, {2, 16, 2}, {2.5, 16, 3}, {0.5, 16, 2}, {16, 16, 0}, {32, 16, 0}, {1, 2, 0}, {1, 1, 0}} {
		if got := procs(row.quota, row.now); got != row.want {
			t.Errorf("quota of %v with GOMAXPROCS %d: %d, want %d", row.quota, row.now, got, row.want)
		}
	}
}

// asked has the test program print its limits and end, as a process of a control
// group.
const asked = "EXOBENCH_TEST_LIMITS"

func TestMain(m *testing.M) {
	if os.Getenv(asked) != "" {
		AdaptProcs()
		l := This().Limits()
		fmt.Println(l.CPUs, l.Memory, runtime.GOMAXPROCS(0))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A real quota of a group above the process's own, where this machine lets the
// test make one.
func TestARealControlGroupIsSeen(t *testing.T) {
	version1 := []string{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory"}
	for _, root := range version1 {
		if _, err := os.Stat(root + "/cgroup.procs"); err != nil {
			t.Skip("control groups of version 1 are not mounted at their usual place")
		}
	}
	name := fmt.Sprintf("exobench-test-%d", os.Getpid())
	groups := []string{version1[0] + "/" + name, version1[1] + "/" + name}
	for _, group := range groups {
		if err := os.MkdirAll(group+"/inner", 0o777); err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { os.Remove(group + "/inner"); os.Remove(group) })
	}
	for _, limit := range [][2]string{{groups[0] + "/cpu.cfs_period_us", "100000"}, {groups[0] + "/cpu.cfs_quota_us", "150000"}, {groups[1] + "/memory.limit_in_bytes", "2147483648"}} {
		if err := os.WriteFile(limit[0], []byte(limit[1]), 0); err != nil {
			t.Skip(err)
		}
	}
	script := fmt.Sprintf("echo $$ > %s/inner/cgroup.procs && echo $$ > %s/inner/cgroup.procs && exec %s", groups[0], groups[1], os.Args[0])
	command := exec.Command("/bin/sh", "-c", script)
	command.Env = append(os.Environ(), asked+"=1", "GOMAXPROCS=")
	out, err := command.Output()
	if want := fmt.Sprintf("1.5 2.00 GiB %d\n", min(2, runtime.NumCPU())); err != nil || string(out) != want {
		t.Errorf("%q, %v, want %q", out, err, want)
	}
}
