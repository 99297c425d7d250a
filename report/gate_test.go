package report_test

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"exobench"
	"exobench/journal"
	"exobench/report"
	"exobench/summary"
)

// The folders of testdata/gate hold journals of the embedded engine that the
// exobench before schema 2 wrote, converted once by hand, and the tables that it
// made of them: two models at two concurrencies, two rates, a run that was
// interrupted, and engines that were killed while the second model was measured
// and while it was loaded.
var gate = []string{"closed", "open", "interrupted", "killed", "failed"}

// entriesIn reads the journal of a folder of the gate, whole.
func entriesIn(t *testing.T, folder string) []exobench.Entry {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "gate", folder, journal.Name))
	if err != nil {
		t.Fatal(err)
	}
	r := journal.NewReader(file)
	var all []exobench.Entry
	for e := range r.All() {
		switch e := e.(type) { // those that the reader uses again
		case *exobench.Record:
			all = append(all, e.Clone())
		case *exobench.Sample:
			all = append(all, e.Clone())
		default:
			all = append(all, e)
		}
	}
	if err := errors.Join(r.Err(), file.Close()); err != nil || len(r.Damaged()) > 0 {
		t.Fatalf("%s: %v, %v", folder, r.Damaged(), err)
	}
	return all
}

// reported returns what a report says now and what it said before.
func reported(t *testing.T, folder, name string) (now, before string) {
	t.Helper()
	entries := entriesIn(t, folder)
	run, err := summary.Build(slices.Values(entries))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := report.Write(dir, run, slices.Values(entries)); err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{filepath.Join(dir, name), filepath.Join("testdata", "gate", folder, name)} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		*[]*string{&now, &before}[i] = string(text)
	}
	return now, before
}

// TestRequestsHaveTheRowsThatTheyHadBefore allows for what came later: columns
// after the rest.
func TestRequestsHaveTheRowsThatTheyHadBefore(t *testing.T) {
	for _, folder := range gate {
		now, before := reported(t, folder, "benchmark_results.csv")
		now = firstColumns(t, now, strings.Count(before[:strings.Index(before, "\n")], ",")+1)
		if d := lineDiff(before, now); d != "" {
			t.Errorf("%s: %s", folder, d)
		}
	}
}

// firstColumns returns a CSV file cut after n columns.
func firstColumns(t *testing.T, text string, n int) string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cut strings.Builder
	w := csv.NewWriter(&cut)
	for _, line := range lines {
		if err := w.Write(line[:n]); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return cut.String()
}

// lineDiff returns the first line in which two texts differ.
func lineDiff(want, got string) string {
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(wants), len(gots)) {
		w, g := "", ""
		if i < len(wants) {
			w = wants[i]
		}
		if i < len(gots) {
			g = gots[i]
		}
		if w != g {
			return "want " + w + "\n got " + g
		}
	}
	return ""
}

// TestCellsHaveTheRowsThatTheyHadBefore allows for what was meant to change:
//
//   - columns count the requests that were not sent since the engine had stopped
//     answering, which were among the dropped ones, and those during which the
//     engine restarted what computes;
//   - the intervals of medians go by prompts and loads;
//   - columns that came later stand after the rest;
//   - a model that was not measured has a row for each of its cells in place of
//     one.
func TestCellsHaveTheRowsThatTheyHadBefore(t *testing.T) {
	for _, folder := range gate {
		now, before := reported(t, folder, "summary.csv")
		want, got := withoutIntervals(tableOf(t, before)), withoutIntervals(tableOf(t, now))
		for _, outcome := range []exobench.Outcome{exobench.Unsent, exobench.Restarted} {
			at := slices.Index(got[0], string(outcome))
			for i := range got {
				if i > 0 && got[i][at] != "0" {
					t.Errorf("%s row %d: %s requests were %s", folder, i, got[i][at], outcome)
				}
				got[i] = slices.Delete(got[i], at, at+1)
			}
		}
		for i := range got {
			got[i] = got[i][:len(want[0])]
		}
		cells := len(got)
		if got = unmeasuredModels(got); (cells > len(got)) != (folder == "interrupted" || folder == "failed") {
			t.Errorf("%s: %d of %d cells have rows", folder, len(got)-1, cells-1)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-before +now):\n%s", folder, d)
		}
	}
}

// withoutIntervals empties the columns of intervals below their heads.
func withoutIntervals(lines [][]string) [][]string {
	for column, name := range lines[0] {
		if strings.HasSuffix(name, "_lo") || strings.HasSuffix(name, "_hi") || strings.HasSuffix(name, "_confidence") {
			for _, line := range lines[1:] {
				line[column] = ""
			}
		}
	}
	return lines
}

func tableOf(t *testing.T, text string) [][]string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// unmeasuredModels makes one row of those of the cells of a model that was not
// measured.
func unmeasuredModels(lines [][]string) [][]string {
	requests, concurrency := slices.Index(lines[0], "requests"), slices.Index(lines[0], "concurrency")
	for _, line := range lines {
		if line[requests] == "0" {
			line[concurrency] = ""
		}
	}
	return slices.CompactFunc(lines, slices.Equal)
}
