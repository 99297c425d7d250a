package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
	"exobench/child"
)

// startReference serves the timing reference as a process of its own.
func startReference(t *testing.T, args ...string) (url string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, append([]string{"reference", "--port", "0"}, args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, child.ReadyPrefix))
}

// look is what a process held at a moment.
type look struct {
	memory, journal int64 // bytes, of the process and of its journal
	peak            int64 // the most memory so far
	descriptors     int
}

// lookAt looks at a process; ok is false when it is gone.
func lookAt(pid int, out string) (l look, ok bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return l, false
	}
	for name, to := range map[string]*int64{"VmRSS:": &l.memory, "VmHWM:": &l.peak} {
		_, rest, found := bytes.Cut(status, []byte(name))
		if !found {
			return l, false // it is a zombie
		}
		kib, err := strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64)
		if err != nil {
			return l, false
		}
		*to = kib << 10
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return l, false
	}
	if info, err := os.Stat(filepath.Join(out, "journal.jsonl")); err == nil {
		l.journal = info.Size()
	}
	l.descriptors = len(open)
	return l, true
}

// watchedRun runs exobench against a server and looks at it all the while. It
// returns what was seen, and the most memory that it had.
//
// Note: what wait4 tells of the most memory begins at that of the test.
func watchedRun(t *testing.T, every time.Duration, out, url string, args ...string) (seen []look, peak int64) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, append([]string{"run", "--engine", "openai", "--url", url, "--model", "reference", "--no-calibrate", "--quiet", "--out", out}, args...)...)
	cmd.Dir = t.TempDir()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v\n%s", err, said.String())
			}
			return seen, seen[len(seen)-1].peak
		case <-time.After(every):
			if l, ok := lookAt(cmd.Process.Pid, out); ok {
				seen = append(seen, l)
			}
		}
	}
}

// atOnce returns how many of the measured requests were under way at a moment, at
// most, and how many there were, all of them ok.
func atOnce(t *testing.T, out string) (most, all int) {
	t.Helper()
	type edge struct {
		at   exobench.Instant
		more int
	}
	var edges []edge
	for _, e := range entries(t, out) {
		r, ok := e.(*exobench.Record)
		if !ok {
			continue
		}
		if all++; r.Outcome != exobench.OK {
			t.Fatalf("outcome %s %s", r.Outcome, r.Error)
		}
		edges = append(edges, edge{r.Sent, 1}, edge{r.Ended, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), a.more-b.more) })
	now := 0
	for _, e := range edges {
		now += e.more
		most = max(most, now)
	}
	return most, all
}

// The memory of a run: so much for all that it does, and for each stream.
const (
	memoryOfRun    = 128 << 20
	memoryOfStream = 64 << 10
)

func TestThousandsOfStreamsAreHeldAtOnce(t *testing.T) {
	streams := fullOr(10_000, 2_000)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Max < uint64(streams+filesBesides) {
		t.Skipf("%d streams need %d open files, and a process may have %d here", streams, streams+filesBesides, limit.Max)
	}
	// Long enough to begin them all before the first ends, on a busy machine too.
	first := time.Duration(fullOr(60, 5)) * time.Second
	url := startReference(t, "--ttft", first.String(), "--interval", "100ms", "--tokens", "20")
	out := filepath.Join(t.TempDir(), "out")
	seen, peak := watchedRun(t, 20*time.Millisecond, out, url, "--max-tokens", "20", "--warmup", "0",
		"--concurrency", fmt.Sprint(streams), "--requests", fmt.Sprint(streams))
	if most, all := atOnce(t, out); most != streams || all != streams {
		t.Errorf("%d of %d streams were under way at once, of %d", most, all, streams)
	}
	bound := int64(memoryOfRun + streams*memoryOfStream)
	before, after := seen[0].descriptors, seen[len(seen)-1].descriptors
	t.Logf("%d streams: %d MiB at most, bound %d MiB; descriptors %d before, %d during, %d after", streams, peak>>20, bound>>20,
		before, slices.MaxFunc(seen, func(a, b look) int { return a.descriptors - b.descriptors }).descriptors, after)
	if peak > bound {
		t.Errorf("the process took %d MiB, bound %d MiB", peak>>20, bound>>20)
	}
	if after > before+10 {
		t.Errorf("%d descriptors were open after the cell, %d before it", after, before)
	}
}

func TestMemoryDoesNotGrowWithTheRequests(t *testing.T) {
	for _, c := range []struct {
		name string
		load []string
	}{
		{"as fast as they are served", []string{"--concurrency", "32", "--requests", fmt.Sprint(fullOr(1_000_000, 20_000))}},
		{"at 100 per second", []string{"--rate", fmt.Sprint(fullOr(100, 500)), "--requests", fmt.Sprint(fullOr(360_000, 4_000))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := startReference(t, "--ttft", "0s", "--interval", "0s", "--tokens", "4")
			out := filepath.Join(t.TempDir(), "out")
			seen, peak := watchedRun(t, 50*time.Millisecond, out, url, append(c.load, "--max-tokens", "4", "--warmup", "1")...)
			// What grows after the last request has begun is the reports.
			size := seen[len(seen)-1].journal
			of := func(share float64) look {
				return seen[slices.IndexFunc(seen, func(l look) bool { return float64(l.journal) >= share*float64(size) })]
			}
			early, late := of(0.1), of(0.98)
			t.Logf("journal of %d MiB: %.1f MiB at 10 %%, %.1f MiB at a third, %.1f MiB at 98 %%; %.1f MiB at most, with the reports",
				size>>20, mib(early.memory), mib(of(1./3).memory), mib(late.memory), mib(peak))
			if late.memory > early.memory+memoryGrowth {
				t.Errorf("memory grew from %.1f to %.1f MiB", mib(early.memory), mib(late.memory))
			}
			if peak > memoryOfReports {
				t.Errorf("the process took %.1f MiB", mib(peak))
			}
		})
	}
}

// Bounds of a run of many requests: what memory grows by from a tenth of it to its
// end, and the most that it takes with the reports of a million requests.
const (
	memoryGrowth    = 16 << 20
	memoryOfReports = 512 << 20
)

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
