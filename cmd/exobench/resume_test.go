package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestARunThatWasInterruptedIsResumed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	cmd := command(t, dir, append(smallRun(t, out), "--repeat", "40")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitEntry(t, out, `"type":"request"`, 1+5*40+20) // in the second block
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Fatalf("exit code %d", code)
	}
	got := exobenchIn(t, dir, "run", "--resume", out)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	n := 0
	for key, of := range keys(t, out) {
		if n += of; of != 1 || !strings.HasSuffix(key, " ok") {
			t.Errorf("%d of %s", of, key)
		}
	}
	if n != 2*2*5*40 {
		t.Errorf("%d rows", n)
	}
	if report := readFile(t, filepath.Join(out, "report.md")); strings.Contains(report, "interrupted") || !strings.Contains(report, "was resumed") {
		t.Errorf("report.md says that it was interrupted, or not that it was resumed:\n%s", report)
	}
	before := readFile(t, filepath.Join(out, "journal.jsonl"))
	got = exobenchIn(t, dir, "run", "--resume", out)
	if got.code != exitOK || !strings.Contains(got.stderr, "nothing is left to do") || readFile(t, filepath.Join(out, "journal.jsonl")) != before {
		t.Errorf("a finished run: exit code %d\n%s", got.code, got.stderr)
	}
}

// awaitEntry waits until a folder's journal has a text so often.
func awaitEntry(t *testing.T, out, what string, times int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(out, "journal.jsonl"))
		if err == nil && strings.Count(string(text), what) >= times {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s within a minute", what)
		}
	}
}

func TestResumeRefusesWhatIsAnotherRun(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	models := filepath.Join(dir, "models.yaml")
	if err := os.WriteFile(models, []byte(readFile(t, tinyModels(t))), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, dir, append(smallRun(t, out), "--repeat", "10000", "--models-file", models)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitEntry(t, out, `"type":"request"`, 3)
	refused := func(why string, want string, args ...string) {
		t.Helper()
		before := readFile(t, filepath.Join(out, "journal.jsonl"))
		got := exobenchIn(t, dir, append([]string{"run", "--quiet"}, args...)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, want) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, want %q", why, got.code, got.stderr, want)
		}
		if after := readFile(t, filepath.Join(out, "journal.jsonl")); cmd.ProcessState != nil && after != before {
			t.Errorf("%s: the journal was changed", why)
		}
	}
	refused("while it runs", "another exobench is measuring into", "--resume", out)
	cmd.Process.Kill()
	cmd.Wait()
	refused("another plan", "differs in stop, timeout: leave that out", "--resume", out, "--repeat", "3", "--timeout", "3s")
	refused("another folder", "leave --out out", "--resume", out, "--out", dir+"/other")
	refused("no folder", "is no result folder", "--resume", dir)
	refused("force alone", "--force goes with --resume", "--force")
	text := strings.ReplaceAll(readFile(t, models), "tiny-org/tiny-b-4bit", "tiny-org/tiny-b-8bit")
	if err := os.WriteFile(models, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	refused("another model", "the models is tiny-org/tiny-a-4bit, tiny-org/tiny-b-8bit, and was", "--resume", out)
}

func TestWhatChangedIsNamed(t *testing.T) {
	file := exobench.ModelFile{Path: "m.gguf", Size: 5, Modified: time.Unix(1, 0)}
	b := begun{
		header: exobench.Header{Tool: exobench.Tool{Version: "1", Go: "go1", OS: "linux", Arch: "arm64"}},
		host:   &exobench.Host{Name: "a", System: "Debian 13", CPU: "M4", Cores: 8, Memory: 64 << 30},
	}
	host := *b.host
	host.Name, host.Memory = "b", host.Memory-1<<20
	if c := b.machineChanges(b.header.Tool, host); len(c) > 0 {
		t.Errorf("changes %q where nothing counts", c)
	}
	tool := exobench.Tool{Version: "2", Go: "go2", OS: "linux", Arch: "amd64"}
	host = exobench.Host{System: "Debian 14", CPU: "M5", Cores: 10, Memory: 32 << 30, Limits: exobench.Limits{CPUs: 2}}
	want := []string{"exobench is 2, and was 1", "Go", "linux/amd64", "Debian 14", "M5, and was M4", "10, and was 8", "control groups leave (0: all) is 2, and was 0", "memory"}
	got := b.machineChanges(tool, host)
	if len(got) != len(want) {
		t.Fatalf("changes %q", got)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
	files := []exobench.ModelFile{file}
	newer := file
	newer.Modified = time.Unix(2, 0)
	if fileNames(files) == fileNames([]exobench.ModelFile{newer}) {
		t.Error("a newer file is the same")
	}
	if a, b := fileNames(files), fileNames(slices.Clone(files)); a != b {
		t.Errorf("%s differs from %s", a, b)
	}
}

func TestAFolderThatGoesAwayIsNoticedAndTheJournalSavedAnew(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	cmd := command(t, dir, append(smallRun(t, out), "--repeat", "10000")...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitEntry(t, out, `"type":"request"`, 3)
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	awaitEntry(t, out, "is saved anew", 1)
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if !strings.Contains(stderr.String(), "was deleted or moved while it was being written: it is saved anew as") {
		t.Errorf("it says %q", stderr.String())
	}
	if n := len(rows(t, out)); n < 3 {
		t.Errorf("%d rows", n)
	}
}

// Where the working directory goes away, a relative --out leads nowhere, and the
// reports are where the journal is saved.
func TestAWorkingDirectoryThatGoesAwayKeepsItsReports(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	cmd := command(t, dir, append(smallRun(t, "out"), "--repeat", "10000")...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitEntry(t, out, `"type":"request"`, 3)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	awaitEntry(t, out, "is saved anew", 1)
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || strings.Contains(stderr.String(), "could not") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	if n := len(rows(t, out)); n < 3 {
		t.Errorf("%d rows", n)
	}
}

func TestAJournalThatIsCutEndsTheRun(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	cmd := command(t, dir, append(smallRun(t, out), "--repeat", "10000")...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitEntry(t, out, `"type":"request"`, 3)
	if err := os.Truncate(filepath.Join(out, "journal.jsonl"), 0); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	text := stderr.String()
	if cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(text, "something else cut the journal") || strings.Contains(text, "is kept") || strings.Contains(text, "is safe") {
		t.Errorf("exit code %d: %s", cmd.ProcessState.ExitCode(), text)
	}
}

func TestAJournalIsPrivateWhereASecretIsInPlay(t *testing.T) {
	url := startEngine(t, "--preload", "tiny-b")
	out := filepath.Join(t.TempDir(), "out")
	got := exobenchIn(t, t.TempDir(), "run", "--engine", "openai", "--url", url, "--models-file", tinyModels(t), "--header", "X-Key: secret",
		"--model", "tiny-b", "--max-tokens", "4", "--repeat", "1", "--no-calibrate", "--out", out)
	info, err := os.Stat(filepath.Join(out, "journal.jsonl"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v\n%s", info.Mode(), err, got.stderr)
	}
}
