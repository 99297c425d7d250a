package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"exobench/internal/faults"
)

// Four endless answers at once, twice, each up to the longest that is taken: of
// events, lines, errors and heads, as they are and compressed.
func TestTheMemoryOfARunIsBounded(t *testing.T) {
	const bound = 512 << 10 // KiB of the process at its peak
	met := 0
	for _, row := range faults.All {
		if !strings.Contains(row.Server, "without end") {
			continue
		}
		met++
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
	if met < 10 {
		t.Errorf("%d rows of the table have no end", met)
	}
}

// A list of models that takes many times its length once it is read, and one id
// without end, are refused or cut before they take much.
func TestTheMemoryForAListOfModelsIsBounded(t *testing.T) {
	const bound = 512 << 10 // KiB of the process at its peak
	for name, list := range map[string]string{
		"many values": `{"data":[` + strings.Repeat("{},", 5<<20) + `{"id":"m"}]}`,
		"many models": `{"data":[` + strings.Repeat(`{"id":"a"},`, 1<<20) + `{"id":"m"}]}`,
		"a long id":   `{"data":[{"id":"` + strings.Repeat("x", 15<<20) + `"},{"id":"other"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, list) }))
			defer server.Close()
			for _, args := range [][]string{{"models"}, {"run", "--engine", "openai", "--model", "m"}} {
				cmd := command(t, t.TempDir(), append(args, "--url", server.URL)...)
				text, _ := cmd.CombinedOutput() // its exit code is looked at
				code, peak := cmd.ProcessState.ExitCode(), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
				if code > exitUsage || len(text) > 4096 || peak > bound {
					t.Errorf("%s: exit code %d, %d MiB, %.500s", args[0], code, peak>>10, text)
				}
			}
		})
	}
}
