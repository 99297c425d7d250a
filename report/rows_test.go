package report

import (
	"slices"
	"strings"
	"testing"

	"exobench"
	"exobench/summary"
)

// An engine that stops answering fails a cell whose step has no error of its own.
func TestACellThatBrokeOffSaysWhyOnce(t *testing.T) {
	for reason, want := range map[exobench.BlockEndReason]string{
		exobench.BlockNoAnswer: "the engine stopped answering",
		exobench.BlockFailed:   "exobench could not go on",
	} {
		entries := journal()
		for _, e := range entries {
			if end, ok := e.(*exobench.BlockEnd); ok && end.Block == 2 {
				end.Reason = reason
			}
		}
		run, err := summary.Build(slices.Values(entries))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(run.Cells, func(c summary.Cell) bool { return slices.Contains(c.Ends, reason) })
		if i < 0 || run.Cells[i].State != summary.Failed {
			t.Fatalf("%s: no cell failed", reason)
		}
		if why := failure(run, &run.Cells[i]); why != want {
			t.Errorf("%s: failed: %q", reason, why)
		}
		if text := strings.Join(doubts(run, &run.Cells[i]), " "); strings.Contains(text, "The model failed later") || !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("%s: %s", reason, text)
		}
	}
}
