package main

import (
	"errors"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"exobench"
	"exobench/report"
	"exobench/resource"
)

func TestTheMainJobMeasuresEveryModelWithEveryPrompt(t *testing.T) {
	dir := t.TempDir()
	got := exobenchIn(t, dir, tinyRun(t, "--repeat", "2")...)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	latest := filepath.Join(dir, "results", "latest")
	seen := map[string]int{}
	rated := 0
	for _, row := range rows(t, latest) {
		seen[row["model"]+" "+row["prompt_id"]]++
		if row["outcome"] != "ok" || row["output_tokens"] != "16" || row["tokens_from"] != "usage" || row["cached_tokens"] != "0" {
			t.Errorf("row %v", row)
		}
		for _, column := range []string{"ttft_s", "latency_s", "server_decode_tps", "memory_before_bytes", "memory_peak_bytes", "memory_additional_bytes", "model_id", "placement"} {
			if row[column] == "" {
				t.Errorf("request %s has no %s", row["seq"], column)
			}
		}
		if row["tokens_per_second"] != "" {
			rated++
		}
	}
	// A stalled machine may bring all tokens of so small a model in one read,
	// which gives no rate.
	if rated < 10 {
		t.Errorf("%d of 20 requests have tokens per second", rated)
	}
	if len(seen) != 10 {
		t.Errorf("%d pairs of model and prompt, want 10: %v", len(seen), seen)
	}
	for pair, n := range seen {
		if n != 2 {
			t.Errorf("%s was measured %d times, want 2", pair, n)
		}
	}
	for _, name := range report.Files() {
		if info, err := os.Stat(filepath.Join(latest, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !strings.Contains(got.stdout, "tiny-a") || !strings.Contains(got.stdout, "embedded, random weights") || !strings.Contains(got.stdout, "Results are in") {
		t.Errorf("the table has no model, no label or no folder:\n%s", got.stdout)
	}
}

func TestReportMakesTheSameFilesAgain(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if got := exobenchIn(t, dir, tinyRun(t, "--repeat", "1", "--out", out)...); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	before := map[string]string{}
	for _, name := range report.Files() {
		before[name] = readFile(t, filepath.Join(out, name))
		if err := os.Remove(filepath.Join(out, name)); err != nil {
			t.Fatal(err)
		}
	}
	got := exobenchIn(t, dir, "report", out, "--json")
	if got.code != exitOK || got.stdout != before["summary.json"] {
		t.Errorf("exit code %d, %s; with --json it must print summary.json", got.code, got.stderr)
	}
	for name, text := range before {
		if readFile(t, filepath.Join(out, name)) != text {
			t.Errorf("%s differs when made again", name)
		}
	}
}

// Nothing in a report may come of where in the journal an entry stands: of the
// rows of requests only their order.
func TestReportsDoNotDependOnTheOrderOfTheJournal(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	// From 30 requests on, and of fewer than 20 for each prompt, intervals go by
	// the order of measurement and are drawn.
	if got := exobenchIn(t, dir, tinyRun(t, "--repeat", "8", "--warmup", "3", "--no-calibrate", "--out", out)...); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	made := func() map[string]string {
		all := map[string]string{}
		for _, name := range report.Files() {
			all[name] = readFile(t, filepath.Join(out, name))
		}
		all["benchmark_results.csv"] = strings.Join(slices.Sorted(strings.Lines(all["benchmark_results.csv"])), "")
		return all
	}
	before := made()
	lines := slices.Collect(strings.Lines(readFile(t, filepath.Join(out, "journal.jsonl"))))
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, seed))
		rng.Shuffle(len(lines)-1, func(i, k int) { lines[1+i], lines[1+k] = lines[1+k], lines[1+i] })
		if err := os.WriteFile(filepath.Join(out, "journal.jsonl"), []byte(strings.Join(lines, "")), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := exobenchIn(t, dir, "report", out); got.code != exitOK {
			t.Fatal(got.stderr)
		}
		for name, text := range made() {
			if text != before[name] {
				t.Errorf("seed %d: %s is another", seed, name)
			}
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// longRun starts a run that would take minutes and waits until three requests
// have ended. It returns the folder and the pid of the embedded engine.
func longRun(t *testing.T) (cmd *exec.Cmd, out string, engine int) {
	return longRunIn(t, func(*exec.Cmd) {})
}

// longRunIn is longRun with what dress does to the command before it starts.
func longRunIn(t *testing.T, dress func(*exec.Cmd)) (cmd *exec.Cmd, out string, engine int) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "out")
	cmd = command(t, t.TempDir(), tinyRun(t, "--repeat", "10000", "--out", out)...)
	dress(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitRequests(t, out)
	at, err := url.Parse(entries(t, out)[0].(*exobench.Header).Engines[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	if engine, err = resource.FindListener(t.Context(), at.Host); err != nil {
		t.Fatal(err)
	}
	return cmd, out, engine
}

// awaitRequests waits until a run has made three requests.
func awaitRequests(t *testing.T, out string) {
	t.Helper()
	journalPath := filepath.Join(out, "journal.jsonl")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(journalPath)
		if err == nil && strings.Count(string(text), `"type":"request"`) >= 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no three requests within a minute")
		}
	}
}

// awaitGone waits until a process is gone.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
	}
	t.Errorf("process %d is still there", pid)
}

func TestKillLosesNothingButTheRequestsInFlight(t *testing.T) {
	cmd, out, engine := longRun(t)
	cmd.Process.Kill()
	cmd.Wait()
	awaitGone(t, engine)
	got := exobenchIn(t, out, "report", out)
	if got.code != exitOK || !strings.Contains(got.stdout, "incomplete") {
		t.Errorf("exit code %d, want 0 and a word that the run is incomplete\n%s%s", got.code, got.stdout, got.stderr)
	}
	if !strings.Contains(readFile(t, filepath.Join(out, "report.md")), "incomplete") {
		t.Error("report.md does not say that the run is incomplete")
	}
	if n := len(rows(t, out)); n < 2 {
		t.Errorf("%d rows, want those that had ended", n)
	}
}

func TestAnInterruptEndsInOrder(t *testing.T) {
	cmd, out, engine := longRun(t)
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	checkOrderlyEnd(t, cmd, out, engine)
}

// checkOrderlyEnd checks that an interrupted run took its model and its engine
// away, said so in the journal and made its reports.
func checkOrderlyEnd(t *testing.T, cmd *exec.Cmd, out string, engine int) {
	t.Helper()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	awaitGone(t, engine)
	all := entries(t, out)
	if end, ok := all[len(all)-1].(*exobench.End); !ok || end.Reason != exobench.EndInterrupted {
		t.Errorf("last entry %#v, want an end by interrupt", all[len(all)-1])
	}
	var released bool
	for _, e := range all {
		if stage, ok := e.(*exobench.StageEvent); ok && stage.Stage == exobench.StageReleased {
			released = true
		}
	}
	if !released {
		t.Error("the model was not released")
	}
	for _, name := range report.Files() {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestARunningExoIsMeasuredAndLeftAsItWas(t *testing.T) {
	t.Parallel()
	url := startEngine(t, "--preload", "tiny-a")
	out := filepath.Join(t.TempDir(), "out")
	base := []string{"run", "--url", url, "--models-file", tinyModels(t), "--max-tokens", "8", "--repeat", "1"}

	got := exobenchIn(t, t.TempDir(), append(base, "--model", "tiny-a", "--out", out)...)
	if got.code != exitFailed || !strings.Contains(got.stdout+got.stderr, "--reuse") {
		t.Errorf("an instance that is already there: exit code %d, want 1 and a word on --reuse\n%s%s", got.code, got.stdout, got.stderr)
	}
	got = exobenchIn(t, t.TempDir(), append(base, "--model", "tiny-a,tiny-b", "--reuse", "--out", out+"-2")...)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	for _, row := range rows(t, out+"-2") {
		if row["engine"] != "exo" || row["outcome"] != "ok" || row["memory_peak_bytes"] == "" {
			t.Errorf("row %v", row)
		}
	}
	// tiny-a was there before and stays; tiny-b was made and is gone.
	got = exobenchIn(t, t.TempDir(), append(base, "--model", "tiny-a", "--reuse", "--out", out+"-3")...)
	if got.code != exitOK {
		t.Errorf("tiny-a is gone: %s", got.stderr)
	}
}

func TestAnOpenAIServerIsMeasured(t *testing.T) {
	url := startEngine(t, "--preload", "tiny-b")
	out := filepath.Join(t.TempDir(), "out")
	got := exobenchIn(t, t.TempDir(), "run", "--engine", "openai", "--url", url, "--models-file", tinyModels(t),
		"--model", "tiny-b", "--max-tokens", "8", "--repeat", "2", "--concurrency", "1,3", "--out", out)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	concurrency := map[string]int{}
	for _, row := range rows(t, out) {
		concurrency[row["concurrency"]]++
		if row["engine"] != "openai" || row["outcome"] != "ok" || row["model_id"] != "tiny-org/tiny-b-4bit" {
			t.Errorf("row %v", row)
		}
	}
	if concurrency["1"] != 10 || concurrency["3"] != 10 {
		t.Errorf("rows by concurrency %v, want 10 each", concurrency)
	}
}
