package main

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"exobench/driver"
	"exobench/secret"
)

func TestWhatAKilledRunLeftIsCleaned(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	if runtime.GOOS == "darwin" {
		t.Setenv("HOME", home)
	}
	url := startEngine(t)
	out := filepath.Join(t.TempDir(), "out")
	run := command(t, t.TempDir(), "run", "--url", url, "--models-file", tinyModels(t), "--model", "tiny-a", "--no-calibrate",
		"--max-tokens", "64", "--repeat", "1000", "--out", out)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Process.Kill() })
	awaitRequests(t, out)
	expect := func(want string, args ...string) {
		t.Helper()
		got := exobenchIn(t, t.TempDir(), append([]string{"clean"}, args...)...)
		if got.code != exitOK || !strings.Contains(got.stdout, want) {
			t.Errorf("clean %v: exit code %d, %s%s; want %q", args, got.code, got.stdout, got.stderr, want)
		}
	}
	expect("of tiny-org/tiny-a-4bit: left alone: a run under way made it")
	run.Process.Kill()
	run.Wait()
	expect("would be deleted", "--dry-run")
	expect("No run has left anything.", "--url", "http://127.0.0.1:1")
	expect("of tiny-org/tiny-a-4bit: deleted: a run that has ended had left it", "--url", url)
	expect("No run has left anything.")
	got := exobenchIn(t, t.TempDir(), "run", "--url", url, "--models-file", tinyModels(t), "--model", "tiny-a", "--no-calibrate",
		"--max-tokens", "4", "--repeat", "1", "--out", out+"-2")
	if got.code != exitOK {
		t.Errorf("it is still there: %s", got.stderr)
	}
}

func TestCleanSaysWhatWouldBecomeOfALeftover(t *testing.T) {
	for _, c := range []struct {
		left driver.Leftover
		want string
	}{
		{driver.Leftover{Engine: "exo", URL: "http://a:1", ID: "i-1", Model: "org/m"}, "exo at http://a:1: instance i-1 of org/m: would be deleted: a run that has ended had left it\n"},
		{driver.Leftover{Engine: "exo", URL: "http://a:1", ID: "i-1", State: driver.Gone}, "exo at http://a:1: instance i-1: it is gone already: its mark would be removed\n"},
		{driver.Leftover{Engine: "ollama", URL: "http://a:1", Model: "m:1b"}, "ollama at http://a:1: m:1b: would be unloaded: a run that has ended had left it\n"},
		{driver.Leftover{Engine: "ollama", URL: "http://a:1", Model: "m:1b", State: driver.InUse}, "ollama at http://a:1: m:1b: left alone: a run under way made it\n"},
	} {
		var out strings.Builder
		env := environment{Stdout: &out, secrets: new(secret.Set)}
		if err := cleanOne(t.Context(), env, nil, c.left, driver.Env{}, true); err != nil || out.String() != c.want {
			t.Errorf("%q, %v; want %q", out.String(), err, c.want)
		}
	}
}
