package wire

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/internal/faults"
)

// Every row of the table, over a socket: on a fresh connection, and on one that
// was used before. After each, the same client gets a good answer.
func TestFaults(t *testing.T) {
	for _, row := range faults.All {
		t.Run(row.Server, func(t *testing.T) {
			t.Parallel()
			server, err := faults.Start(func(n int) *faults.Row {
				if n%2 == 1 {
					return row
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			client := NewClient(Config{Clock: exobench.NewClock()})
			defer client.Close()
			good := Call{URL: server.URL() + "/v1/chat/completions", Body: fmt.Appendf(nil, `{"model":"m","max_tokens":%d}`, row.Asked()), Timeout: time.Minute}
			bad := good
			bad.Timeout, bad.Idle = cmp.Or(row.Timeout, good.Timeout), row.Idle
			for i := range 2 {
				r := client.Do(t.Context(), bad)
				if r.Outcome != row.Outcome || !strings.Contains(r.Error, row.Says) || (r.Outcome == exobench.OK) != (r.Error == "") {
					t.Errorf("request %d: outcome %s %q, want %s and %q", i, r.Outcome, r.Error, row.Outcome, row.Says)
				}
				checkOrder(t, &r)
				for r = client.Do(t.Context(), good); r.Outcome == exobench.ConnectError && strings.Contains(r.Error, "refused"); r = client.Do(t.Context(), good) {
					time.Sleep(50 * time.Millisecond) // it is away
				}
				if r.Outcome != exobench.OK {
					t.Errorf("after it: outcome %s %q", r.Outcome, r.Error)
				}
			}
			if server.Chats() != 4 || server.Strays() > 0 {
				t.Errorf("%d chats came, want 4; %d connections to another origin", server.Chats(), server.Strays())
			}
		})
	}
}

var update = flag.Bool("update", false, "write the table of faults into its page")

const (
	faultsPage  = "../docs/faults.md"
	faultsStart = "<!-- faults: written by go test ./wire -run Page -update -->\n"
	faultsEnd   = "<!-- end of faults -->\n"
)

// faultTable is the table as the page shows it: that of package faults, and the
// cases of this package that are faults.
func faultTable() string {
	var b strings.Builder
	kind := ""
	line := func(of, server string, outcome exobench.Outcome, says, whole string) {
		if of != kind {
			kind = of
			fmt.Fprintf(&b, "\n### %s\n\n| the server | outcome | its sentence has | exit code | whole run |\n|---|---|---|---|---|\n", kind)
		}
		exit := 1
		if outcome == exobench.OK {
			exit = 0
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s |\n", server, outcome, strings.ReplaceAll(says, "<", "&lt;"), exit, whole)
	}
	for _, row := range faults.All {
		whole := ""
		if row.Whole {
			whole = "tested"
		}
		line(row.Kind, row.Server, row.Outcome, row.Says, whole)
	}
	of := ""
	for _, c := range cases {
		if of = cmp.Or(c.kind, of); of != otherCases {
			line(of, c.name, c.outcome, c.text, "")
		}
	}
	return b.String() + "\n"
}

func TestThePageOfFaultsHasTheTableOfTheCode(t *testing.T) {
	text, err := os.ReadFile(faultsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), faultsStart)
	table, after, ended := strings.Cut(rest, faultsEnd)
	if !found || !ended {
		t.Fatalf("%s has no place for the table of faults", faultsPage)
	}
	if table == faultTable() {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the table in code: go test ./wire -run Page -update", faultsPage)
	}
	if err := os.WriteFile(faultsPage, []byte(before+faultsStart+faultTable()+faultsEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
