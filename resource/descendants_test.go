package resource

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"
)

func TestDescendantsAreThoseThatStillLive(t *testing.T) {
	held := exec.Command("cat")
	in, err := held.StdinPipe()
	if err == nil {
		err = held.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	has := func() bool {
		pids, err := Descendants(t.Context(), os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		return slices.Contains(pids, held.Process.Pid)
	}
	if !has() {
		t.Error("a process that was started and lives is not among them")
	}
	in.Close()
	if err := held.Wait(); err != nil {
		t.Fatal(err)
	}
	if has() {
		t.Error("a process that has ended is among them")
	}
	if _, err := Descendants(t.Context(), held.Process.Pid); !errors.Is(err, ErrGone) {
		t.Errorf("of a process that is gone: %v", err)
	}
}
