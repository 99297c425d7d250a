package resource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exobench"
)

// grouped is a proc file system with an engine of two processes, 100 and 101, in
// the control group that their cgroup files and the mounts tell of.
func grouped(t *testing.T, cgroup, mounts string) fakeProc {
	f := fakeFamily(t)
	for _, pid := range []int{100, 101, 50} {
		f.write(fmt.Sprintf("%d/cgroup", pid), cgroup)
	}
	f.write("self/mountinfo", mounts)
	return f
}

func (f fakeProc) path(parts ...string) string {
	return filepath.Join(append([]string{string(f.root)}, parts...)...)
}

func TestThePeakOfTheEnginesOwnControlGroup(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, row := range []struct {
		why, cgroup string
		// mounts has %s for the folder of the fake system.
		mounts string
		// files are those of the control groups.
		files map[string]string
		want  exobench.Bytes
	}{
		{
			"version 2, a service", "0::/system.slice/ollama.service\n",
			"24 30 0:26 / %s/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
			map[string]string{
				"fs/cgroup/system.slice/ollama.service/cgroup.procs": "100\n101\n50\n",
				"fs/cgroup/system.slice/ollama.service/memory.peak":  "123456789\n",
			}, 123456789,
		},
		{
			"version 2, a group below it", "0::/system.slice/ollama.service\n",
			"24 30 0:26 / %s/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
			map[string]string{
				"fs/cgroup/system.slice/ollama.service/cgroup.procs":        "100\n",
				"fs/cgroup/system.slice/ollama.service/runner/cgroup.procs": "101\n50\n",
				"fs/cgroup/system.slice/ollama.service/memory.peak":         "5000\n",
			}, 5000,
		},
		{
			"somebody else is in it", "0::/user.slice/session-3.scope\n",
			"24 30 0:26 / %s/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
			map[string]string{
				"fs/cgroup/user.slice/session-3.scope/cgroup.procs": "100\n101\n50\n200\n",
				"fs/cgroup/user.slice/session-3.scope/memory.peak":  "5000\n",
			}, 0,
		},
		{
			"some of the engine is in another", "0::/user.slice/session-3.scope\n",
			"24 30 0:26 / %s/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
			map[string]string{
				"fs/cgroup/user.slice/session-3.scope/cgroup.procs": "100\n101\n",
				"fs/cgroup/user.slice/session-3.scope/memory.peak":  "5000\n",
			}, 0,
		},
		{
			"a kernel before 5.19", "0::/system.slice/ollama.service\n",
			"24 30 0:26 / %s/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
			map[string]string{"fs/cgroup/system.slice/ollama.service/cgroup.procs": "100\n101\n50\n"}, 0,
		},
		{
			"version 1, beside a version 2 that counts nothing", "5:devices:/x\n4:memory:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n0::/\n",
			"31 23 0:28 / %[1]s/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n35 31 0:32 / %[1]s/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
				"41 31 0:38 / %[1]s/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
			map[string]string{
				"fs/cgroup/memory/docker/" + id + "/cgroup.procs":              "50\n100\n101\n",
				"fs/cgroup/memory/docker/" + id + "/memory.max_usage_in_bytes": "7000\n",
			}, 7000,
		},
		{
			"inside of a container, of version 1: a part of the hierarchy is mounted", "4:memory:/docker/" + id + "\n",
			"35 31 0:32 /docker/" + id + " %s/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n",
			map[string]string{
				"fs/cgroup/memory/cgroup.procs":              "100\n101\n50\n",
				"fs/cgroup/memory/memory.max_usage_in_bytes": "7000\n",
			}, 7000,
		},
		{
			"outside of our own name space", "0::/../../ollama.service\n",
			"24 30 0:26 / %s/fs/cgroup ro - cgroup2 cgroup rw\n",
			map[string]string{"fs/cgroup/cgroup.procs": "100\n101\n50\n", "fs/cgroup/memory.peak": "9000\n"}, 0,
		},
		{"no control groups", "", "22 27 0:21 / /proc rw,relatime - proc proc rw\n", nil, 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			f := grouped(t, row.cgroup, "")
			mounts := row.mounts
			if strings.Contains(mounts, "%") {
				mounts = fmt.Sprintf(mounts, f.path())
			}
			f.write("self/mountinfo", mounts)
			for path, text := range row.files {
				f.write(path, text)
			}
			m, err := Tree{PID: 100}.readUnder(t.Context(), f.root, f.root.resident)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := m.values().Get(exobench.CgroupPeak); got != float64(row.want) || ok != (row.want > 0) {
				t.Errorf("got %v (known: %v), want %d", got, ok, row.want)
			}
		})
	}
}

// limited starts an engine in a control group of its own that may have so many MiB.
func limited(t *testing.T, mebibytes int) (e *engine, group memoryGroup) {
	t.Helper()
	own, ok := procRoot("/proc").memoryGroupOf(os.Getpid())
	if !ok {
		t.Skip("no control group counts memory here")
	}
	limit := map[string]string{"memory.peak": "memory.max", "memory.max_usage_in_bytes": "memory.limit_in_bytes"}[own.peak]
	group = memoryGroup{filepath.Join(own.folder, fmt.Sprintf("exobench-test-%d", os.Getpid())), own.peak}
	if err := os.Mkdir(group.folder, 0o755); err != nil {
		t.Skipf("control groups cannot be made here: %v", err)
	}
	t.Cleanup(func() { os.Remove(group.folder) })
	if err := os.WriteFile(filepath.Join(group.folder, limit), fmt.Append(nil, mebibytes<<20), 0o644); err != nil {
		t.Skipf("control groups cannot be given a limit here: %v", err)
	}
	e = newEngine(t)
	if err := os.WriteFile(filepath.Join(group.folder, "cgroup.procs"), fmt.Append(nil, e.pid), 0o644); err != nil {
		t.Skipf("processes cannot be put into control groups here: %v", err)
	}
	return e, group
}

// Under a limit the kernel takes pages of files away again: what is read is what is
// there.
func TestUnderALimitOfTheControlGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, under which short tests run, has memory of its own in every size")
	}
	engine, group := limited(t, 192)
	engine.order("fork")
	engine.order("touch 64")
	engine.order("give touch 32")
	path := filepath.Join(t.TempDir(), "weights")
	if err := os.WriteFile(path, make([]byte, 256<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	drop(t, path)
	engine.order("map " + path)
	m := read(t, Tree{PID: engine.pid})
	if m.groupPeak == nil {
		t.Fatal("the peak of the control group is unknown")
	}
	t.Logf("%+v; group's peak %v", m.values(), *m.groupPeak)
	// The kernel lets a group above its limit by some pages rather than fail.
	if *m.groupPeak > 193*mib || *m.groupPeak < 188*mib {
		t.Errorf("the group's peak is %v, want its limit of 192 MiB", *m.groupPeak)
	}
	if *m.anonymous < 96*mib || *m.anonymous > 116*mib {
		t.Errorf("%v anonymous, want 96 MiB and what Go takes", *m.anonymous)
	}
	// Of the 256 MiB that were mapped no more can be there than the limit leaves.
	if *m.file > 192*mib-96*mib+40*mib || *m.pss > 192*mib+40*mib {
		t.Errorf("%v of files, %v in all, where the limit is 192 MiB", *m.file, *m.pss)
	}
	agrees(t, m, engine.pid, must(childrenOf(engine.pid))...)
	outside := newEngine(t)
	if err := os.WriteFile(filepath.Join(group.folder, "cgroup.procs"), fmt.Append(nil, outside.pid), 0o644); err != nil {
		t.Fatal(err)
	}
	if m := read(t, Tree{PID: engine.pid}); m.groupPeak != nil {
		t.Errorf("the peak of a group with another process in it: %v", *m.groupPeak)
	}
}
