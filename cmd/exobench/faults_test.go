package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"exobench"
	"exobench/internal/faults"
)

// inTurn starts a server that answers the probe, the warm-up, and every other
// measured request well; the rest meet the row.
func inTurn(t *testing.T, row *faults.Row) *faults.Server {
	t.Helper()
	const before = 2 // the probe and the warm-up
	server, err := faults.Start(func(n int) *faults.Row {
		if n > before && n%2 == 1 {
			return row
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// faultyRun are the arguments of a run against it.
func faultyRun(server *faults.Server, row *faults.Row, out string, more ...string) []string {
	args := []string{"run", "--engine", "openai", "--url", server.URL(), "--model", faults.Model, "--max-tokens", fmt.Sprint(row.Asked()),
		"--warmup", "1", "--no-calibrate", "--quiet", "--out", out}
	if row.Timeout > 0 {
		args = append(args, "--timeout", row.Timeout.String())
	}
	if row.Idle > 0 {
		args = append(args, "--idle-timeout", row.Idle.String())
	}
	return append(args, more...)
}

func TestARunGoesOnAfterFaults(t *testing.T) {
	for _, row := range faults.All {
		if !row.Whole {
			continue
		}
		t.Run(row.Server, func(t *testing.T) {
			t.Parallel()
			server, out := inTurn(t, row), filepath.Join(t.TempDir(), "out")
			got := exobenchIn(t, t.TempDir(), faultyRun(server, row, out, "--requests", "6")...)
			if got.code != row.Exit() {
				t.Errorf("exit code %d, want %d: %s", got.code, row.Exit(), got.stderr)
			}
			checkFaultyRecords(t, out, row)
			checkFaultyReports(t, out, got)
			if n := server.Chats(); n != 8 && !row.Away || n > 8 || server.Strays() > 0 {
				t.Errorf("%d chats came, want 8; %d connections to another origin", n, server.Strays())
			}
		})
	}
}

// checkFaultyRecords holds the measured requests against the row.
func checkFaultyRecords(t *testing.T, out string, row *faults.Row) {
	t.Helper()
	measured, met, warmups := 0, 0, map[int]bool{}
	for _, e := range entries(t, out) {
		if b, ok := e.(*exobench.Block); ok {
			warmups[b.ID] = b.Warmup()
		}
		r, ok := e.(*exobench.Record)
		if !ok || warmups[r.Block] {
			continue
		}
		measured++
		switch {
		case r.Outcome == row.Outcome && strings.Contains(r.Error, row.Says):
			met++
		case row.Away && r.Outcome == exobench.ConnectError && strings.Contains(r.Error, "refused"):
		case r.Outcome != exobench.OK:
			t.Errorf("outcome %s %q, want %s and %q", r.Outcome, r.Error, row.Outcome, row.Says)
		}
	}
	want := 3
	if row.Outcome == exobench.OK {
		want = 6
	}
	if measured != 6 || met != want && !row.Away || met == 0 {
		t.Errorf("%d requests were measured, %d as the row says; want 6 and %d", measured, met, want)
	}
}

// checkFaultyReports checks that all reports are there and can be read, and that
// nothing that a terminal obeys is in what was printed.
func checkFaultyReports(t *testing.T, out string, got outcome) {
	t.Helper()
	if text := readFile(t, filepath.Join(out, "summary.json")); !json.Valid([]byte(text)) {
		t.Error("summary.json is no JSON")
	}
	if n := len(rows(t, out)); n < 6 {
		t.Errorf("benchmark_results.csv has %d rows", n)
	}
	for name, text := range map[string]string{"stdout": got.stdout, "stderr": got.stderr, "report.md": readFile(t, filepath.Join(out, "report.md")), "summary.csv": readFile(t, filepath.Join(out, "summary.csv"))} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }); i >= 0 {
			t.Errorf("%s has %q", name, text[i:min(len(text), i+20)])
		}
	}
}
