package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"exobench"
	"exobench/peers"
)

func TestAnOpenLoopSendsByItsSchedule(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	got := exobenchIn(t, t.TempDir(), "run", "--engine", "embedded", "--models-file", tinyModels(t), "--model", "tiny-a",
		"--max-tokens", "4", "--rate", "40,80", "--arrival", "constant", "--requests", "12", "--out", out)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	number := func(row map[string]string, column string) float64 {
		v, err := strconv.ParseFloat(row[column], 64)
		if err != nil {
			t.Errorf("request %s: %s is %q", row["seq"], column, row[column])
		}
		return v
	}
	scheduled := map[string][]float64{}
	for _, row := range rows(t, out) {
		if row["concurrency"] != "" || row["outcome"] != "ok" {
			t.Errorf("row %v", row)
		}
		if number(row, "sent_s") < number(row, "scheduled_s") || number(row, "latency_from_schedule_s") < number(row, "latency_s") {
			t.Errorf("request %s went before its time: %v", row["seq"], row)
		}
		scheduled[row["rate_rps"]] = append(scheduled[row["rate_rps"]], number(row, "scheduled_s"))
	}
	for rate, span := range map[string]float64{"40": 11.0 / 40, "80": 11.0 / 80} {
		first, last := 1e9, 0.0
		for _, at := range scheduled[rate] {
			first, last = min(first, at), max(last, at)
		}
		if got := last - first; len(scheduled[rate]) != 12 || got < span-1e-6 || got > span+1e-6 {
			t.Errorf("rate %s: %d requests over %v s, want 12 over %v", rate, len(scheduled[rate]), got, span)
		}
	}
	if !strings.Contains(got.stdout, "40/s") {
		t.Errorf("the table does not name its rates:\n%s", got.stdout)
	}
}

func TestARunTellsTheHarnesssOwnErrorAndTheMachine(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if got := exobenchIn(t, t.TempDir(), tinyRun(t, "--repeat", "1", "--out", out)...); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	calibrations, disturbances := 0, 0
	for _, e := range entries(t, out) {
		switch e := e.(type) {
		case *exobench.Calibration:
			calibrations++
			if e.Streams != 1 || e.Events < 10 {
				t.Errorf("calibration %+v", e)
			}
		case *exobench.Sample:
			if e.Sensor != "machine" {
				continue
			}
			disturbances++
			if _, known := e.Values.Get(exobench.HarnessCPU); e.Span <= 0 || e.Block == 0 || !known {
				t.Errorf("what the machine did: %+v", e)
			}
		}
	}
	if calibrations != 1 || disturbances != 4 {
		t.Errorf("%d calibrations and %d samples of the machine, want 1 and one for each block of requests", calibrations, disturbances)
	}
	if text := readFile(t, filepath.Join(out, "report.md")); !strings.Contains(text, "## The harness's own error") {
		t.Error("report.md does not tell the harness's own error")
	}
	none := out + "-2"
	if got := exobenchIn(t, t.TempDir(), tinyRun(t, "--repeat", "1", "--no-calibrate", "--out", none)...); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	for _, e := range entries(t, none) {
		if _, ok := e.(*exobench.Calibration); ok {
			t.Error("--no-calibrate calibrates")
		}
	}
	for _, tool := range peers.Tools {
		got := exobenchIn(t, out, "report", out, "--as", tool.Name)
		if got.code != exitOK || strings.Count(got.stdout, " would have reported it") != 2 {
			t.Errorf("report --as %s: exit code %d, want the figures of two cells:\n%s%s", tool.Name, got.code, got.stdout, got.stderr)
		}
	}
}

func TestCalibrateMeasuresKeepsAndShows(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	picture := filepath.Join(t.TempDir(), "lag.png")
	got := exobenchIn(t, t.TempDir(), "calibrate", "--streams", "1,4", "--rate", "100", "--duration", "300ms", "--json", "--plot", picture)
	if got.code != exitOK {
		t.Fatal(got.stderr)
	}
	var shown calibrated
	if err := json.Unmarshal([]byte(got.stdout), &shown); err != nil || len(shown.Calibrations) != 2 || shown.Calibrations[1].Events != 120 {
		t.Errorf("%v: %+v", err, shown.Calibrations)
	}
	if info, err := os.Stat(picture); err != nil || info.Size() == 0 {
		t.Errorf("the plot: %v", err)
	}
	if _, err := os.Stat(filepath.Join(cache, "exobench", "calibration.json")); err != nil {
		t.Error(err)
	}
	vector := filepath.Join(t.TempDir(), "lag.SVG")
	if got := exobenchIn(t, t.TempDir(), "calibrate", "--streams", "1,4", "--rate", "100", "--duration", "300ms", "--plot", vector); got.code != exitOK || !strings.Contains(readFile(t, vector), "<svg") {
		t.Errorf("--plot lag.SVG: exit code %d, %s", got.code, got.stderr)
	}
	if text := readFile(t, picture); !strings.HasPrefix(text, "\x89PNG") {
		t.Errorf("--plot lag.png is no PNG but %.20q", text)
	}
	if got := exobenchIn(t, t.TempDir(), "detect"); !strings.Contains(got.stdout, "4 streams of 100 tokens/s") {
		t.Errorf("detect does not show it:\n%s%s", got.stdout, got.stderr)
	}
}

func TestCalibrateTellsWhatExobenchCostsAnEngine(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	dir := t.TempDir()
	got := exobenchIn(t, dir, "calibrate", "--observer", "--models-file", tinyModels(t), "--model", "tiny-a",
		"--pairs", "1", "--observed-streams", "2", "--observed-requests", "4", "--observed-tokens", "8", "--json")
	var shown exobench.Observation
	if err := json.Unmarshal([]byte(got.stdout), &shown); err != nil || got.code != exitOK {
		t.Fatalf("exit code %d, %v: %s", got.code, err, got.stderr)
	}
	if len(shown.Ratios) != 1 || shown.Ratio <= 0 || shown.CPU <= 0 || shown.BareCPU <= 0 || !shown.Told || shown.Model != "tiny-a" {
		t.Errorf("observed %+v", shown)
	}
	// A run on this machine tells it.
	out := filepath.Join(dir, "out")
	if got := exobenchIn(t, dir, tinyRun(t, "--repeat", "1", "--out", out)...); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	if text := readFile(t, filepath.Join(out, "report.md")); !strings.Contains(text, "bare HTTP client") {
		t.Error("the report does not tell what exobench costs an engine")
	}
	got = exobenchIn(t, dir, "calibrate", "--observer", "--engine", "openai")
	if got.code != exitUsage || !strings.Contains(got.stderr, "needs the --url") {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
}
