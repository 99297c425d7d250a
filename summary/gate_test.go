package summary_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// The folders of gate hold journals that were written by the exobench before
// schema 2 and converted once by hand, with the tables that it made of them. The
// tests hold the summary to the same values.
const gate = "../report/testdata/gate"

func entriesOf(t *testing.T, path string) []exobench.Entry {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []exobench.Entry
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var kind struct{ Type string }
		if err := json.Unmarshal(lines.Bytes(), &kind); err != nil {
			t.Fatal(err)
		}
		entry := map[string]exobench.Entry{
			"header": &exobench.Header{}, "session": &exobench.Session{}, "step": &exobench.Step{}, "cell": &exobench.Cell{},
			"block": &exobench.Block{}, "stage": &exobench.StageEvent{}, "request": &exobench.Record{}, "sample": &exobench.Sample{},
			"block_end": &exobench.BlockEnd{}, "step_end": &exobench.StepEnd{}, "calibration": &exobench.Calibration{},
			"note": &exobench.Note{}, "end": &exobench.End{},
		}[kind.Type]
		if entry == nil {
			t.Fatalf("%s: an entry of type %q", path, kind.Type)
		}
		if err := json.Unmarshal(lines.Bytes(), entry); err != nil {
			t.Fatalf("%s: %v in %s", path, err, lines.Text())
		}
		all = append(all, entry)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// table reads a CSV file as one map from column to value for each row.
func table(t *testing.T, path string) []map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// agree compares a field of a table, which may be empty, with a value, to the
// decimals that the table has.
func agree(field string, value float64, known bool) bool {
	if field == "" || !known {
		return field == "" && !known
	}
	_, fraction, _ := strings.Cut(field, ".")
	return strconv.FormatFloat(value, 'f', len(fraction), 64) == field
}

func TestCellsAreThoseOfTheSchemaBefore(t *testing.T) {
	for _, folder := range []string{"closed", "open", "interrupted", "failed"} {
		run, err := summary.Build(slices.Values(entriesOf(t, filepath.Join(gate, folder, "journal.jsonl"))))
		if err != nil {
			t.Fatal(err)
		}
		before := table(t, filepath.Join(gate, folder, "summary.csv"))
		after := run.Cells
		if folder == "interrupted" {
			// A model that the run never came to had one row; now each of its
			// cells has one.
			before = slices.DeleteFunc(before, func(row map[string]string) bool { return row["error"] == "not run" })
			after = slices.DeleteFunc(after, func(c summary.Cell) bool { return c.State == summary.Planned })
			if len(run.Cells)-len(after) != 2 {
				t.Errorf("%d cells never ran, want 2", len(run.Cells)-len(after))
			}
		}
		if len(before) != len(after) {
			t.Fatalf("%s: %d cells, want %d", folder, len(after), len(before))
		}
		compared := 0
		for i, row := range before {
			compared += checkCell(t, fmt.Sprint(folder, " cell ", i), &after[i], row)
		}
		t.Logf("%s: %d values of %d cells", folder, compared, len(before))
	}
}

func checkCell(t *testing.T, name string, c *summary.Cell, row map[string]string) (compared int) {
	t.Helper()
	check := func(column string, value float64, known bool) {
		t.Helper()
		compared++
		if field, has := row[column]; !has || !agree(field, value, known) {
			t.Errorf("%s: %s is %v (%v), before it was %q", name, column, value, known, row[column])
		}
	}
	for column, text := range map[string]string{
		"engine": c.Engine, "model": c.Model, "model_id": c.ModelID, "placement": c.Placement,
		"tokens_from": string(c.TokensFrom), "cache": string(c.Cache), "memory_source": string(c.Memory.Source),
	} {
		if compared++; row[column] != text {
			t.Errorf("%s: %s is %q, before it was %q", name, column, text, row[column])
		}
	}
	check("concurrency", float64(c.Traffic.Concurrency), c.Traffic.Concurrency > 0)
	check("rate_rps", c.Traffic.Rate, c.Traffic.Open())
	check("requests", float64(c.Requests), true)
	for _, outcome := range exobench.Outcomes {
		if outcome != exobench.Unsent { // which schema 1 did not know
			check(string(outcome), float64(c.Outcomes[outcome]), true)
		}
	}
	for _, m := range metric.PerCell() {
		v, known := c.Value(m.Name)
		check(m.Name, v, known)
	}
	for _, m := range metric.Sampled() {
		s, known := c.Metric(m.Name)
		check(m.Name+"_n", float64(s.N), true)
		for suffix, v := range map[string]float64{"median": s.Median, "mean": s.Mean, "min": s.Min, "max": s.Max} {
			check(m.Name+"_"+suffix, v, known)
		}
		sd, lo, hi := 0.0, 0.0, 0.0
		if s.SD != nil {
			sd = *s.SD
		}
		if s.Interval != nil {
			lo, hi = s.Interval.Lo, s.Interval.Hi
		}
		check(m.Name+"_sd", sd, s.SD != nil)
		check(m.Name+"_lo", lo, s.Interval != nil)
		check(m.Name+"_hi", hi, s.Interval != nil)
		for name, p := range map[string]float64{"p90": 0.9, "p95": 0.95, "p99": 0.99} {
			q, known := s.Percentile(p)
			check(m.Name+"_"+name, q.Value, known)
		}
	}
	return compared
}

func TestRowsAreThoseOfTheSchemaBefore(t *testing.T) {
	for _, folder := range []string{"closed", "open", "interrupted", "failed"} {
		entries := entriesOf(t, filepath.Join(gate, folder, "journal.jsonl"))
		run, err := summary.Build(slices.Values(entries))
		if err != nil {
			t.Fatal(err)
		}
		before := table(t, filepath.Join(gate, folder, "benchmark_results.csv"))
		i, metrics := 0, metric.PerRequest()
		err = run.Rows(slices.Values(entries), func(row summary.Row) error {
			if i == len(before) {
				return fmt.Errorf("more than %d rows", i)
			}
			was := before[i]
			i++
			r := row.Record
			got := []string{strconv.Itoa(r.Seq), row.Cell.Engine, row.Cell.Model, row.Cell.ModelID, row.Cell.Placement, string(r.Outcome), r.PromptID}
			for column, name := range []string{"seq", "engine", "model", "model_id", "placement", "outcome", "prompt_id"} {
				if got[column] != was[name] {
					t.Errorf("%s row %d: %s is %q, before it was %q", folder, i, name, got[column], was[name])
				}
			}
			if row.Energy != nil || was[metric.Energy] != "" {
				t.Errorf("%s row %d: energy %v, before it was %q", folder, i, row.Energy, was[metric.Energy])
			}
			check := func(column string, value float64, known bool) {
				if !agree(was[column], value, known) {
					t.Errorf("%s row %d: %s is %v (%v), before it was %q", folder, i, column, value, known, was[column])
				}
			}
			for _, m := range metrics {
				if _, has := was[m.Name]; has {
					v, known := m.Value(r)
					check(m.Name, v, known && r.Outcome == exobench.OK)
				}
			}
			for column, level := range map[string]*summary.Level{metric.MemoryBefore: row.Memory.Before, metric.MemoryLoaded: row.Memory.Loaded, metric.MemoryPeak: row.Memory.Peak} {
				if level == nil {
					level = new(summary.Level)
				}
				check(column, float64(level.Total), level.Total > 0)
			}
			additional, known := row.Memory.Additional()
			check(metric.MemoryAdditional, float64(additional), known)
			check("concurrency", float64(row.Cell.Traffic.Concurrency), row.Cell.Traffic.Concurrency > 0)
			return nil
		})
		if err != nil || i != len(before) {
			t.Errorf("%s: %d rows, want %d; %v", folder, i, len(before), err)
		}
	}
}
