package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"exobench"
	"exobench/metric"
)

// journals are those of which every report is compared with a golden.
var journals = []struct {
	name    string // before the names of the goldens
	entries func() []exobench.Entry
}{
	{"", finished},
	{"open-", openJournal},
	{"engines-", enginesJournal},
}

// Pictures are not compared with goldens: their last bits differ between
// machine architectures.
func TestReportsOfAJournal(t *testing.T) {
	for _, j := range journals {
		dir := t.TempDir()
		run, entries := build(t, j.entries())
		if err := Write(dir, run, entries); err != nil {
			t.Fatal(err)
		}
		for _, name := range Files() {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || len(got) == 0 {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			if filepath.Ext(name) != ".png" {
				golden(t, j.name+name, got)
			}
			if *show != "" {
				if err := os.WriteFile(filepath.Join(*show, j.name+name), got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestTextForTerminals(t *testing.T) {
	for _, j := range journals {
		run, _ := build(t, j.entries())
		for _, width := range []int{0, 60, 80, 120} {
			var b strings.Builder
			if err := Plain(&b, Brief(run), width); err != nil {
				t.Fatal(err)
			}
			golden(t, fmt.Sprintf("%stext-%d.txt", j.name, width), []byte(b.String()))
			for line := range strings.Lines(b.String()) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
					t.Errorf("%d characters at width %d: %q", n, width, line)
				}
			}
		}
	}
}

func TestIncompleteRunSaysSoFirst(t *testing.T) {
	run, _ := build(t, journal())
	run.Damaged = 2
	var b strings.Builder
	if err := Markdown(&b, Full(run)); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(b.String(), "- Run:")
	for _, want := range []string{"cut off after 21 measured requests", "2 damaged lines", "embedded, random weights"} {
		if !strings.Contains(head, want) {
			t.Errorf("the head does not say %q:\n%s", want, head)
		}
	}
	if f := medianChart(run, "Latency by model", metric.Latency); f.Title != "Latency by model (incomplete run)" {
		t.Errorf("title of a figure: %q", f.Title)
	}
}

func TestTheSameJournalGivesTheSameBytes(t *testing.T) {
	first, again := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, again} {
		run, entries := build(t, finished())
		if err := Write(dir, run, entries); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range Files() {
		a, _ := os.ReadFile(filepath.Join(first, name))
		b, _ := os.ReadFile(filepath.Join(again, name))
		if !slices.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestResultsKeepTheirColumns(t *testing.T) {
	const contract = "run_id,engine,engine_version,model,model_id,placement,prompt_id,phase,repeat,concurrency,rate_rps,seq,outcome,error,finish_reason," +
		"prompt_tokens,cached_tokens,output_tokens,tokens_from,scheduled_s,sent_s,ttft_s,ttfa_s,latency_s,latency_from_schedule_s," +
		"tokens_per_second,e2e_tokens_per_second,prefill_tokens_per_second,inter_chunk_mean_s,inter_chunk_p50_s,inter_chunk_p99_s,inter_chunk_max_s," +
		"server_prefill_tps,server_decode_tps,memory_before_bytes,memory_loaded_bytes,memory_peak_bytes,memory_additional_bytes,gpu_memory_peak_bytes,energy_j" +
		",reasoning_tokens,prefill_measured_tokens_per_second,server_peak_memory_bytes,gpu_memory_before_bytes,gpu_memory_loaded_bytes,gpu_memory_source" + // came later
		",energy_above_idle_j,energy_prefill_j,energy_decode_j,energy_scope"
	rows := resultRows(t, finished())
	if got := strings.Join(rows[0], ","); got != contract {
		t.Errorf("columns:\n%s\nwant\n%s", got, contract)
	}
	// 16 of llama, 5 of mistral; no warm-up.
	if len(rows) != 1+21 {
		t.Errorf("%d rows", len(rows)-1)
	}
}

func TestMetricsOfFailedRequestsAreEmptyInResults(t *testing.T) {
	rows := resultRows(t, finished())
	outcome, latency, sent := slices.Index(rows[0], "outcome"), slices.Index(rows[0], "latency_s"), slices.Index(rows[0], "sent_s")
	failed := 0
	for _, row := range rows[1:] {
		if row[outcome] == string(exobench.OK) {
			continue
		}
		failed++
		if row[latency] != "" || row[sent] == "" {
			t.Errorf("a failed request: latency %q, sent %q", row[latency], row[sent])
		}
	}
	if failed != 2 {
		t.Errorf("%d failed rows, want 2", failed)
	}
}

func resultRows(t *testing.T, journal []exobench.Entry) [][]string {
	t.Helper()
	run, entries := build(t, journal)
	var b strings.Builder
	if err := writeResults(&b, run, entries); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestMachineNumbersHaveNoExponent(t *testing.T) {
	for _, row := range []struct {
		got, want string
	}{
		{string(appendInstant(nil, 0)), ""},
		{string(appendInstant(nil, 1)), "0.000000001"},
		{string(appendInstant(nil, 123456789012345678)), "123456789.012345678"},
		{exact(metric.Seconds, 1e-9), "0.000000001"},
		{exact(metric.Bytes, 123456789012), "123456789012"},
		{exact(metric.TokensPerSecond, 1e7), "10000000.000000"},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
}

func TestNumbersForPeopleHaveThreeDigits(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 1: "1.00", 9.994: "9.99", 9.996: "10.0", 99.96: "100", 123.4: "123", 999.6: "1000",
		1234.5: "1234", 123456: "123,456", 1234567: "1,234,567", 0.05: "0.0500", 0.00012345: "0.000123",
		0.0000123: "1.23e-05", -4.5: "-4.50", -12345: "-12,345",
	} {
		if got := digits(value); got != want {
			t.Errorf("digits(%v) = %q, want %q", value, got, want)
		}
	}
}

func TestAColumnHasOneScale(t *testing.T) {
	for _, row := range []struct {
		unit   metric.Unit
		values []float64
		want   string
	}{
		{metric.Seconds, []float64{0.08, 0.09, 1.2}, "ms"},
		{metric.Seconds, []float64{0.5, 1.2, 30}, "s"},
		{metric.Seconds, []float64{0, 0.0002}, "µs"},
		{metric.Seconds, []float64{1e-9}, "µs"},
		{metric.Seconds, nil, "s"},
		{metric.Bytes, []float64{1 << 30, 5 << 30}, "GiB"},
		{metric.Bytes, []float64{-3 << 20}, "MiB"},
		{metric.TokensPerSecond, []float64{5000}, "tokens/s"},
	} {
		if got := scaleFor(row.unit, row.values).unit; got != row.want {
			t.Errorf("scale of %v %s = %s, want %s", row.values, row.unit, got, row.want)
		}
	}
}

func TestPercentilesStandOnlyWhereTheyAreSupported(t *testing.T) {
	model := exobench.Model{Name: "m", ID: "org/m"}
	s := newScript(planOf("embedded", []exobench.Traffic{{Concurrency: 1}}, exobench.Stop{Requests: 20}, "m"), exobench.Host{}, standIn(model))
	block := s.block(1, 1, 9*second)
	for i := range 20 {
		s.request(1, block, request(exobench.Instant(10+i)*second, i), 90*mib)
	}
	run, _ := build(t, s.entries)
	row := percentileTable(run).Rows[0]
	// Latency p90, p95, p99, then TTFT.
	if row[3].String() == dash || row[4].String() == dash || row[5].String() != dash || row[8].String() != dash {
		t.Errorf("percentiles of n = 20: %q", row)
	}
}

func TestReportsOfRunsWithoutResults(t *testing.T) {
	all := finished()
	failed := slices.Clone(all)
	for i, e := range failed {
		if r, ok := e.(*exobench.Record); ok {
			r = r.Clone()
			r.Outcome, r.Error = exobench.ConnectError, "refused"
			failed[i] = r
		}
	}
	for name, entries := range map[string][]exobench.Entry{"the header alone": all[:1], "nothing but plans": all[:14], "only failures": failed} {
		run, seq := build(t, entries)
		if err := Write(t.TempDir(), run, seq); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := Plain(io.Discard, Brief(run), 80); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		validate(t, run)
	}
}

func TestAFailedWriteLeavesNeitherHalfAFileNorTheOldOneTouched(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.md")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err := replace(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("half", 10000))
		return boom
	})
	got, _ := os.ReadFile(path)
	left, _ := os.ReadDir(dir)
	if !errors.Is(err, boom) || string(got) != "old" || len(left) != 1 {
		t.Errorf("%v; %q; %d files", err, got, len(left))
	}
}

func TestOneReportThatFailsDoesNotStopTheOthers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"summary.csv", "report.md"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "in the way"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	run, entries := build(t, finished())
	err := Write(dir, run, entries)
	if err == nil || !strings.Contains(err.Error(), "write summary.csv") || !strings.Contains(err.Error(), "write report.md") {
		t.Errorf("error %v, want both failures", err)
	}
	for _, name := range Files() {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A run with several rates has a row of loads for each time that a model was
// loaded, whatever the number of its cells.
func TestEachLoadIsListedOnce(t *testing.T) {
	run, _ := build(t, openJournal())
	if rows := loadTable(run).Rows; len(run.Cells) != 2 || len(rows) != 1 || rows[0][3].String() != "2.25" {
		t.Errorf("%d cells, loads %v", len(run.Cells), rows)
	}
	run, _ = build(t, finished())
	if rows := loadTable(run).Rows; len(rows) != 4 {
		t.Errorf("loads %v", rows)
	}
}

func TestDefinitionsCoverTheTables(t *testing.T) {
	run, _ := build(t, finished())
	var b strings.Builder
	if err := Markdown(&b, Full(run)); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(b.String(), "## Definitions")
	for _, name := range defined {
		m, ok := metric.ByName(name)
		if !ok || !strings.Contains(text, escapeMarkdown(m.Formula)) {
			t.Errorf("%s is not defined", name)
		}
	}
}

func TestTextIsQuotedAsEncodingCSVDoes(t *testing.T) {
	texts := []string{"", "plain", "a,b", `say "x"`, `"`, `""`, "a\nb", "a\rb", " lead", "trail ", "\u00a0nbsp", "\u2003em", `\.`, `\.x`, "\xff", "é", "\t"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var text []byte
		for range random.IntN(6) {
			const parts = "ab,\"\n\r \\.\t\xc2\xa0"
			text = append(text, parts[random.IntN(len(parts))])
		}
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		var want strings.Builder
		w := csv.NewWriter(&want)
		if err := w.Write([]string{"x", text}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if got := "x," + string(appendText(nil, text)) + "\n"; got != want.String() {
			t.Errorf("%q is written as %q, want %q", text, got, want.String())
		}
	}
}

func TestRowsSayWhichEngineOfWhichVersion(t *testing.T) {
	rows := resultRows(t, enginesJournal())
	engine, version, energy := slices.Index(rows[0], "engine"), slices.Index(rows[0], "engine_version"), slices.Index(rows[0], metric.Energy)
	versions := map[string]string{"exo": "v1", "llamacpp": "b1"}
	known := 0
	for _, row := range rows[1:] {
		if row[version] != versions[row[engine]] {
			t.Errorf("%s has version %q", row[engine], row[version])
		}
		if row[energy] != "" {
			known++
		}
	}
	if known != 8 {
		t.Errorf("%d rows have an energy, want the 8 of the engine and model with readings", known)
	}
}

func TestTheColumnOfTrafficSaysWhatItIsNumbersOf(t *testing.T) {
	for _, row := range []struct {
		traffic []exobench.Traffic
		want    string
	}{
		{[]exobench.Traffic{{Concurrency: 1}, {Concurrency: 16}}, "Conc. 1 16"},
		{[]exobench.Traffic{{Rate: 0.5}, {Rate: 4}}, "Rate 0.5/s 4/s"},
		{[]exobench.Traffic{{Concurrency: 1}, {Rate: 4}}, "Traffic 4/s conc. 1"},
	} {
		s := newScript(planOf("embedded", row.traffic, exobench.Stop{Repeat: 1}, "m"), exobench.Host{}, standIn(exobench.Model{Name: "m"}))
		run, _ := build(t, s.entries)
		got := trafficHead(run)
		for i := range run.Cells {
			got += " " + cellFields(run, &run.Cells[i])[1]
		}
		if got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

// hostile is a text that tries to be more than a text everywhere.
const hostile = "<b>|*x* [a](b) `c`\x1b[31m\u202e\n# d,\"e\""

// hostileJournal has the text wherever a server or a user may put one.
func hostileJournal() []exobench.Entry {
	entries := finished()
	for i, e := range entries {
		switch e := e.(type) {
		case *exobench.Header:
			e.Engines[0].Version, e.Engines[0].Label, e.Engines[0].URL, e.Tool.OS = hostile, hostile, hostile, hostile
		case *exobench.Session:
			e.Host = exobench.Host{
				Name: hostile, System: hostile, CPU: hostile, Kernel: hostile, Build: hostile, Container: hostile, Virtual: hostile, MemoryType: hostile, CoresOnline: 2,
				CoreKinds: []exobench.CoreKind{{Kind: hostile}}, Power: exobench.PowerMode{Mode: hostile, Driver: hostile, Governor: hostile, Preference: hostile},
				Limits: exobench.Limits{CPUs: 1, CPUsFrom: hostile}, Conditions: exobench.Conditions{Thermal: hostile},
				Sensors: []exobench.SensorState{{Name: hostile, Why: hostile, Enable: hostile}},
			}
		case *exobench.Step:
			e.Model.ID = hostile
		case *exobench.Cell:
			e.Model.ID = hostile
		case *exobench.Record:
			r := e.Clone()
			r.PromptID, r.Error = hostile, hostile
			entries[i] = r
		case *exobench.StageEvent:
			e.Placement = hostile
		case *exobench.StepEnd:
			e.Error = hostile
		case *exobench.Note:
			e.Text = hostile
		}
	}
	return entries
}

// What a server or a user wrote must be harmless in every report.
func TestTextsOfOthersDoNothing(t *testing.T) {
	dir := t.TempDir()
	run, seq := build(t, hostileJournal())
	if err := Write(dir, run, seq); err != nil {
		t.Fatal(err)
	}
	markdown, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := Plain(&text, Full(run), 0); err != nil {
		t.Fatal(err)
	}
	for _, rendered := range []string{string(markdown), text.String()} {
		if strings.ContainsAny(rendered, "\x1b\u202e") || strings.Count(rendered, "b>|")+strings.Count(rendered, `b>\|`) < 10 {
			t.Errorf("rendered as\n%s", rendered)
		}
	}
	bars := 0
	for line := range strings.Lines(string(markdown)) {
		if strings.HasPrefix(line, "# d") || strings.Contains(strings.ReplaceAll(line, `\<`, ""), "<") {
			t.Errorf("a heading or HTML: %q", line)
		}
		if !strings.HasPrefix(line, "| ") {
			bars = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if bars > 0 && n != bars {
			t.Errorf("%d bars in a table of %d: %q", n, bars, line)
		}
		bars = n
	}
	validate(t, run)
}

// A cell that has blocks in two steps may have been in two places.
func TestRowsSayWhereTheModelWas(t *testing.T) {
	model := exobench.Model{Name: "m", ID: "org/m"}
	s := newScript(planOf("exo", []exobench.Traffic{{Concurrency: 1}}, exobench.Stop{Repeat: 1}, "m"), exobench.Host{}, exobench.Engine{Name: "exo", Models: []exobench.Model{model}})
	s.add(&exobench.Step{ID: 2, Session: 1, Engine: "exo", Model: model}, &exobench.Block{ID: 3, Step: 2, Cell: 1, At: 60 * second})
	s.load(1, 0, "one", mib)
	s.request(1, s.block(1, 1, 9*second), request(10*second, 1), 90*mib)
	s.load(2, 50*second, "two", mib)
	s.request(2, 3, request(61*second, 1), 90*mib)
	rows := resultRows(t, s.entries)
	placement := slices.Index(rows[0], "placement")
	if len(rows) != 3 || rows[1][placement] != "one" || rows[2][placement] != "two" {
		t.Errorf("rows %q", rows[1:])
	}
	run, _ := build(t, s.entries)
	if loads := loadTable(run).Rows; len(run.Cells) != 1 || len(loads) != 2 {
		t.Errorf("%d cells, loads %v", len(run.Cells), loads)
	}
}

func TestTheServersOwnPeakStandsBesideTheMeasuredMemory(t *testing.T) {
	const heading = "Server's own peak, rank 0 only (MiB)"
	entries := finished()
	if text := reportOf(t, entries); strings.Contains(text, heading) || strings.Contains(text, "Server's own peak memory:") {
		t.Error("it is there where no engine tells it")
	}
	told := exobench.Bytes(60 << 20)
	for _, e := range entries {
		if r, ok := e.(*exobench.Record); ok {
			told += 1 << 20
			r.Server = &exobench.ServerStats{PeakMemory: new(told)}
		}
	}
	text := reportOf(t, entries)
	if !strings.Contains(text, heading) || !strings.Contains(text, "rank 0 only, less the 7.37 %") {
		t.Errorf("it is not told:\n%s", text)
	}
	rows := resultRows(t, entries)
	if at := slices.Index(rows[0], "server_peak_memory_bytes"); at < 0 || rows[1][at] == "" {
		t.Errorf("row %v", rows[1])
	}
}

// reportOf returns report.md of the entries.
func reportOf(t *testing.T, entries []exobench.Entry) string {
	t.Helper()
	run, all := build(t, entries)
	dir := t.TempDir()
	if err := Write(dir, run, all); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Who keeps files private by a mask has private reports too.
func TestAReportIsAsReadableAsTheMaskHasIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.md")
	defer syscall.Umask(syscall.Umask(0o077))
	if err := replace(path, func(w io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
