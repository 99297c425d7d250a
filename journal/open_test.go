package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"exobench"
)

// More can be written to a journal wherever its last lines were cut, and then it is whole.
func TestAJournalWhoseLastLinesWereCutIsGoneOnWith(t *testing.T) {
	text, err := os.ReadFile(write(t, entries()))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), Name)
	lines := bytes.SplitAfter(text, []byte("\n"))
	for cut := len(text) - len(bytes.Join(lines[len(lines)-5:], nil)); cut <= len(text); cut++ {
		if err := os.WriteFile(path, text[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		before, _ := read(t, text[:cut])
		w, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, text[:cut]) {
			t.Fatalf("cut at %d: opening changed the file (%v)", cut, err)
		}
		if err := errors.Join(w.Append(&exobench.Note{Text: "on"}), w.Append(&exobench.Note{Text: "and on"}), w.Close()); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		after, r := read(t, now)
		if r.Err() != nil || r.Damage() != 0 || r.Torn() != nil || len(after) != len(before)+2 || !subset(before, after) {
			t.Fatalf("cut at %d: %d entries, then %d; err %v, damaged %v, torn %v", cut, len(before), len(after), r.Err(), r.Damaged(), r.Torn())
		}
		if w.size != int64(len(now)) {
			t.Fatalf("cut at %d: the size is %d, the Writer thinks %d", cut, len(now), w.size)
		}
	}
}

func TestAJournalIsWrittenByOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	w, err := Create(path, header(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Errorf("while it is written: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrInUse) {
			t.Errorf("while it is written again: %v", err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
