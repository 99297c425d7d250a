package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"exobench"
	"exobench/internal/faults"
)

// Four endless answers at once, twice, each up to the longest that is taken.
func TestTheMemoryOfARunIsBounded(t *testing.T) {
	const bound = 512 << 10 // KiB of the process at its peak
	for _, row := range faults.All {
		if row.Outcome != exobench.Malformed || !strings.Contains(row.Server, "without end") {
			continue
		}
		t.Run(row.Server, func(t *testing.T) {
			server, err := faults.Start(func(n int) *faults.Row {
				if n > 2 {
					return row
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			out := filepath.Join(t.TempDir(), "out")
			cmd := command(t, t.TempDir(), faultyRun(server, row, out, "--requests", "8", "--concurrency", "4")...)
			text, _ := cmd.CombinedOutput() // its exit code is looked at
			if code := cmd.ProcessState.ExitCode(); code != exitFailed {
				t.Errorf("exit code %d\n%s", code, text)
			}
			for _, r := range rows(t, out) {
				if r["outcome"] != string(row.Outcome) || !strings.Contains(r["error"], row.Says) {
					t.Errorf("outcome %s %q", r["outcome"], r["error"])
				}
			}
			peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
			t.Logf("%d MiB", peak>>10)
			if peak > bound {
				t.Errorf("the process took %d MiB", peak>>10)
			}
		})
	}
}
