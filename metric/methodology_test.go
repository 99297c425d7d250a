package metric

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of metrics into the methodology")

const (
	methodology = "../docs/benchmarking_methodology.md"
	tableStart  = "<!-- metrics: written by go test ./metric -update -->\n"
	tableEnd    = "<!-- end of metrics -->\n"
)

// definitions is the table of metrics as the methodology shows it.
func definitions() string {
	var b strings.Builder
	b.WriteString("| column | metric | unit | better | definition |\n|---|---|---|---|---|\n")
	for _, m := range All {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Title, m.Unit, m.Better, m.Formula)
	}
	return b.String()
}

func TestTheMethodologyHasTheDefinitionsOfTheCode(t *testing.T) {
	text, err := os.ReadFile(methodology)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), tableStart)
	table, after, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		t.Fatalf("%s has no place for the table of metrics", methodology)
	}
	if table == definitions() {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the table in code: go test ./metric -update", methodology)
	}
	fresh := before + tableStart + definitions() + tableEnd + after
	if err := os.WriteFile(methodology, []byte(fresh), 0o644); err != nil {
		t.Fatal(err)
	}
}
