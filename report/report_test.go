package report

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"exobench"
	"exobench/metric"
)

var (
	update = flag.Bool("update", false, "rewrite the golden files")
	show   = flag.String("show", "", "write the reports of the test journal into this `folder`, to be looked at")
)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got), -update rewrites it:\n%s", path, d)
	}
}

// Pictures are not compared with goldens: their last bits differ between
// machine architectures.
func TestReportsOfAJournal(t *testing.T) {
	dir := t.TempDir()
	run, entries := build(t, finished())
	if err := Write(dir, run, entries); err != nil {
		t.Fatal(err)
	}
	for _, name := range Files() {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || len(got) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if filepath.Ext(name) != ".png" {
			golden(t, name, got)
		}
		if *show != "" {
			if err := os.WriteFile(filepath.Join(*show, name), got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestTextForTerminals(t *testing.T) {
	run, _ := build(t, finished())
	for name, width := range map[string]int{"text-0.txt": 0, "text-100.txt": 100, "text-60.txt": 60} {
		var b strings.Builder
		if err := Text(&b, run, width); err != nil {
			t.Fatal(err)
		}
		golden(t, name, []byte(b.String()))
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
				t.Errorf("%d characters at width %d: %q", n, width, line)
			}
		}
	}
}

func TestIncompleteRunSaysSoFirst(t *testing.T) {
	run, _ := build(t, journal())
	run.Damaged = 2
	var b strings.Builder
	if err := writeMarkdown(&b, run); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(b.String(), "- Run:")
	for _, want := range []string{"cut off after 21 measured requests", "2 damaged lines", "embedded, random weights"} {
		if !strings.Contains(head, want) {
			t.Errorf("the head does not say %q:\n%s", want, head)
		}
	}
	if f := medianFigure(run, "Latency", metric.Latency); f.Title != "Latency (incomplete run)" {
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
		"server_prefill_tps,server_decode_tps,memory_before_bytes,memory_loaded_bytes,memory_peak_bytes,memory_additional_bytes,gpu_memory_peak_bytes,energy_j"
	rows := results(t, finished())
	if got := strings.Join(rows[0], ","); got != contract {
		t.Errorf("columns:\n%s\nwant\n%s", got, contract)
	}
	// 16 of llama, 5 of mistral; no warm-up.
	if len(rows) != 1+21 {
		t.Errorf("%d rows", len(rows)-1)
	}
}

func TestMetricsOfFailedRequestsAreEmptyInResults(t *testing.T) {
	rows := results(t, finished())
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

func results(t *testing.T, journal []exobench.Entry) [][]string {
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
	entries := finished()[:1]
	for i := range 20 {
		r := request("llama-3.2-1b", "org/Llama-3.2-1B", 1, exobench.Instant(10+i)*second, i)
		r.Seq = i + 1
		entries = append(entries, r)
	}
	run, _ := build(t, entries)
	row := percentileTable(run).rows[0]
	// Latency p90, p95, p99, then TTFT.
	if row[3] == dash || row[4] == dash || row[5] != dash || row[8] != dash {
		t.Errorf("percentiles of n = 20: %q", row)
	}
}

func TestReportsOfRunsWithoutResults(t *testing.T) {
	header := finished()[:1]
	failed := slices.Clone(header)
	for i := range 3 {
		r := request("mistral-7b", "org/Mistral-7B", 1, exobench.Instant(10+i)*second, i)
		r.Outcome, r.Error = exobench.ConnectError, "refused"
		failed = append(failed, r)
	}
	for name, entries := range map[string][]exobench.Entry{"nothing": header, "only failures": failed} {
		run, seq := build(t, entries)
		if err := Write(t.TempDir(), run, seq); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := Text(io.Discard, run, 80); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSummaryJSONHasNullForUnknown(t *testing.T) {
	run, _ := build(t, finished())
	var b strings.Builder
	if err := writeJSON(&b, run); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Cells []struct {
			OK      int
			Metrics map[string]*struct {
				N        int
				Interval *struct{ Lo, Hi, Confidence float64 }
			}
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &doc); err != nil {
		t.Fatal(err)
	}
	mistral := doc.Cells[2]
	if s := mistral.Metrics[metric.Latency]; mistral.OK != 3 || s.N != 3 || s.Interval != nil {
		t.Errorf("mistral: %+v, latency %+v", mistral, s)
	}
	if s, listed := mistral.Metrics["server_decode_tps"]; !listed || s != nil {
		t.Errorf("server_decode_tps: listed %v, %+v", listed, s)
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

func TestMemoryFigureStacksItsParts(t *testing.T) {
	run, _ := build(t, finished())
	f := memoryFigure(run)
	b := f.Groups[0].Bars[0]
	if len(f.Parts) != 2 || len(b.Parts) != 2 || b.Parts[0] != 40 || b.Parts[0]+b.Parts[1] != b.Value {
		t.Errorf("parts %v, bar %+v", f.Parts, b)
	}
	var names []string
	for _, g := range f.Groups {
		names = append(names, g.Name+" "+g.Bars[0].Missing)
	}
	want := []string{"llama-3.2-1b ", "mistral-7b ", "qwen-1.5-7b failed", "deepseek-r1 not run"}
	if !slices.Equal(names, want) {
		t.Errorf("groups %q, want %q", names, want)
	}
	if missing := f.Groups[1].Bars[1].Missing; missing != notRun {
		t.Errorf("mistral at concurrency 2: %q", missing)
	}
}

func TestDefinitionsCoverTheTables(t *testing.T) {
	run, _ := build(t, finished())
	var b strings.Builder
	if err := writeMarkdown(&b, run); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(b.String(), "## Definitions")
	for _, name := range definitions {
		m, ok := metric.ByName(name)
		if !ok || !strings.Contains(text, m.Formula) {
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
