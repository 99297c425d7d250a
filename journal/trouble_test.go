package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
)

// beginning is a journal that is being written, with some entries in it.
func beginning(t *testing.T, o Options) (w *Writer, path string, told chan Trouble) {
	t.Helper()
	told = make(chan Trouble, 10)
	folder := filepath.Join(t.TempDir(), "out")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(folder, Name)
	w, err := Create(path, header(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.OnTrouble(func(trouble Trouble) { told <- trouble })
	note(t, w, "before")
	return w, path, told
}

func note(t *testing.T, w *Writer, text string) {
	t.Helper()
	if err := w.Append(&exobench.Note{Text: text}); err != nil {
		t.Fatal(err)
	}
}

// holds reports an error unless the journal at a path is whole and has these
// notes.
func holds(t *testing.T, path string, notes ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	entries, r := read(t, text)
	if r.Err() != nil || r.Damage() != 0 || r.Torn() != nil {
		t.Errorf("err %v, damaged %v, torn %v", r.Err(), r.Damaged(), r.Torn())
	}
	var got []string
	for _, e := range entries {
		if n, ok := e.(*exobench.Note); ok {
			got = append(got, n.Text)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(notes) {
		t.Errorf("notes %q, want %q", got, notes)
	}
}

func TestAJournalThatIsTakenAwayIsSavedAnew(t *testing.T) {
	for _, c := range []struct {
		why   string
		do    func(path string) error
		what  string
		saved string // below the folder of the folder
	}{
		{"the folder is deleted", func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, "deleted or moved", "out/journal.jsonl"},
		{"the file is deleted", os.Remove, "deleted or moved", "out/journal.jsonl"},
		{"the folder is renamed", func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+"-2") }, "deleted or moved", "out/journal.jsonl"},
		{"another file takes its place", func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("mine"), 0o644))
		}, "another file", "out-saved/journal.jsonl"},
		{"a file takes the folder's place", func(path string) error {
			return errors.Join(os.RemoveAll(filepath.Dir(path)), os.WriteFile(filepath.Dir(path), []byte("mine"), 0o644))
		}, "deleted or moved", "out-saved/journal.jsonl"},
	} {
		t.Run(c.why, func(t *testing.T) {
			w, path, told := beginning(t, Options{Private: true})
			if err := c.do(path); err != nil {
				t.Fatal(err)
			}
			note(t, w, "after") // which the file takes, wherever it is
			trouble := <-told
			saved := filepath.Join(filepath.Dir(filepath.Dir(path)), c.saved)
			if !strings.Contains(trouble.What, c.what) || trouble.Saved != saved || w.Path() != saved || trouble.Lost {
				t.Errorf("told %+v; the journal is at %s, want %s", trouble, w.Path(), saved)
			}
			note(t, w, "later")
			if err := w.Close(); err != nil || len(told) > 0 {
				t.Errorf("Close: %v; %d more troubles", err, len(told))
			}
			holds(t, saved, "before", "after", "later")
			if info, err := os.Stat(saved); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			if text, err := os.ReadFile(path); saved != path && err == nil && string(text) != "mine" {
				t.Errorf("the other file was written to: %q", text)
			}
		})
	}
}

func TestWhatHappensLastIsSeenAtTheEnd(t *testing.T) {
	w, path, told := beginning(t, Options{})
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil || (<-told).Saved != path {
		t.Errorf("Close: %v", err)
	}
	holds(t, path, "before")
}

func TestAJournalThatIsCutIsAnError(t *testing.T) {
	w, path, told := beginning(t, Options{})
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	trouble := <-told
	if !trouble.Lost || !strings.Contains(trouble.What, "to 10 bytes") {
		t.Errorf("told %+v", trouble)
	}
	if err := w.Append(&exobench.Note{}); err == nil || err.Error() != trouble.What {
		t.Errorf("the next entry: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("Close says it again: %v", err)
	}
}

func TestWhatOthersWriteIsTold(t *testing.T) {
	w, path, told := beginning(t, Options{})
	other, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(other, "hello")
	if trouble := <-told; trouble.Lost || trouble.Saved != "" || !strings.Contains(trouble.What, "wrote 6 bytes") {
		t.Errorf("told %+v", trouble)
	}
	note(t, w, "after")
	if err := errors.Join(w.Close(), other.Close()); err != nil || len(told) > 0 {
		t.Errorf("%v; %d more troubles", err, len(told))
	}
}

func TestThereIsNoTroubleWithoutAny(t *testing.T) {
	w, path, told := beginning(t, Options{})
	time.Sleep(syncEvery + syncEvery/2)
	note(t, w, "after")
	if err := w.Close(); err != nil || len(told) > 0 {
		t.Errorf("Close: %v; %d troubles", err, len(told))
	}
	holds(t, path, "before", "after")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o400 == 0 {
		t.Error(info.Mode(), err)
	}
}

// A limit on the size of files stands for a full disk: a write stops in the
// middle of a line, and the next one fails.
func TestAFullDiskLeavesWholeLines(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	w, path, _ := beginning(t, Options{})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	full := unix.Rlimit{Cur: uint64(info.Size()) + 20, Max: old.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	first := w.Append(&exobench.Note{Text: "too long for the rest of the disk"})
	second := w.Append(&exobench.Note{})
	closed := w.Close()
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if first == nil || second != first || closed != nil {
		t.Errorf("errors %v, %v, and of Close, which none should repeat, %v", first, second, closed)
	}
	holds(t, path, "before")
	if after, err := os.Stat(path); err != nil || after.Size() != info.Size() {
		t.Errorf("%d bytes, want %d: %v", after.Size(), info.Size(), err)
	}
}

func TestAJournalThatCannotBeBegunLeavesNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	h := header()
	h.RunID = strings.Repeat("x", MaxLine)
	if _, err := Create(path, h, Options{}); err == nil {
		t.Fatal("no error")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v: it blocks the folder", err)
	}
}
