package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFullDiskIsSaidOnceAndTheRunGoneOnWith(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small file system can be mounted here: %v", err)
	}
	defer unix.Unmount(disk, unix.MNT_DETACH)
	out := filepath.Join(disk, "out")
	got := exobenchIn(t, dir, append(smallRun(t, out), "--repeat", "20")...)
	if got.code != exitFailed || strings.Count(got.stderr, "no space left on device") != 1 || !strings.Contains(got.stderr, "goes on from there") {
		t.Fatalf("exit code %d: %s", got.code, got.stderr)
	}
	if text := readFile(t, filepath.Join(out, "journal.jsonl")); !strings.HasSuffix(text, "\n") {
		t.Error("the journal ends in a torn line")
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	if got := exobenchIn(t, dir, "run", "--quiet", "--resume", out); got.code != exitOK {
		t.Fatalf("exit code %d: %s", got.code, got.stderr)
	}
	if n := len(keys(t, out)); n != 2*2*5*20 {
		t.Errorf("%d rows", n)
	}
}
