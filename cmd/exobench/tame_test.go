package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestErrorsDoNothingToATerminal(t *testing.T) {
	long := strings.Repeat("i", 100_000)
	path := "/" + strings.Repeat("folder/", 60) + "out"
	for text, want := range map[string]string{
		"a\x1b]0;title\x07b":              "a\ufffd]0;title\ufffdb",
		"c1 \u009b31m \u0085 nul \x00":    "c1 \ufffd31m \ufffd nul \ufffd",
		"rtl \u202e cba \u2066 \ufeff":    "rtl \ufffd cba \ufffd \ufffd",
		"bad \xff byte\rforged":           "bad \ufffd byte\ufffdforged",
		"model " + long + " is none":      "model " + long[:200] + "… is none",
		"two\nlines, a tab\tand 世界 é 👩‍🔬": "two\nlines, a tab and 世界 é 👩‍🔬",
		path: path,
	} {
		if got := tame(text); got != want {
			t.Errorf("%.80q becomes %.300q", text, got)
		}
	}
}

// A server's list of models comes into an error sentence.
func TestAModelIDDoesNothingToATerminal(t *testing.T) {
	url := openAI(t, never, "evil\x1b[2J\u202e\u009b", strings.Repeat("z", 5000))
	for _, args := range [][]string{{"run", "--engine", "openai", "--url", url, "--model", "none"}, {"models", "--engine", "openai", "--url", url}, {"detect", "--url", url}} {
		got := exobenchIn(t, t.TempDir(), args...)
		if text := got.stdout + got.stderr; strings.ContainsAny(text, "\x1b\u202e\u009b") || strings.Contains(text, strings.Repeat("z", 201)) || !strings.Contains(text, "evil") {
			t.Errorf("%s: %.600q", args[0], text)
		}
	}
}

// The id of a run that is resumed is what its journal says, and names no place.
func TestARunsIDNamesNoPlace(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll(filepath.Join(resultsFolder, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	folder{path: filepath.Join(resultsFolder, "real"), runID: "../../elsewhere", byDefault: true}.linkLatest()
	if to, err := os.Readlink(filepath.Join(resultsFolder, "latest")); err != nil || to != "real" {
		t.Errorf("results/latest leads to %q, %v", to, err)
	}
}
