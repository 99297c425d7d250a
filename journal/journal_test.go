package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench"
)

func header() *exobench.Header {
	return &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "r1",
		Epoch: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC),
		Plan:  exobench.Plan{Models: []string{"m"}, Prompts: []exobench.Prompt{{ID: "p", Text: "ä\n\"q\""}}},
	}
}

func entries() []exobench.Entry {
	return []exobench.Entry{
		&exobench.LoadEvent{At: 5, Model: "m", Stage: exobench.StageReady},
		&exobench.Reading{At: 6, Model: "m", Moment: exobench.MomentDuring, Source: exobench.FromPSS, Memory: 7, File: new(exobench.Bytes(0))},
		&exobench.Record{
			Seq: 1, Outcome: exobench.OK, Sent: 10, FirstToken: 20, ReasoningTokens: new(exobench.Tokens(3)), Replays: 2,
			PrefillStart: 12, PrefillEnd: 15, PrefillTokens: new(exobench.Tokens(7)),
			Doubts:       []exobench.Doubt{{Kind: exobench.OtherModel, Text: "m\"x"}, {Kind: exobench.UsageMisfit, Said: 40, Seen: -20}, {Kind: exobench.UnknownEvents, Count: 3}},
			CachedTokens: new(exobench.Tokens(0)),
			Chunks:       exobench.Chunks{{At: 20, Bytes: 3}, {At: 31, Bytes: 5}},
		},
		&exobench.Note{At: 40, Text: "line one\nline two"},
		&exobench.End{At: 50, Reason: exobench.EndFinished},
	}
}

// write makes a journal of the header and the entries and returns its path.
func write(t *testing.T, entries []exobench.Entry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), Name)
	w, err := Create(path, header())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := w.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, text []byte) ([]exobench.Entry, *Reader) {
	t.Helper()
	r := NewReader(bytes.NewReader(text))
	var got []exobench.Entry
	for e := range r.All() {
		switch entry := e.(type) {
		case *exobench.Record:
			e = entry.Clone()
		case *exobench.Reading:
			e = entry.Clone()
		}
		got = append(got, e)
	}
	return got, r
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	text, err := os.ReadFile(write(t, entries()))
	if err != nil {
		t.Fatal(err)
	}
	got, r := read(t, text)
	if r.Err() != nil || len(r.Damaged()) != 0 {
		t.Fatalf("err %v, damaged %v", r.Err(), r.Damaged())
	}
	want := append([]exobench.Entry{header()}, entries()...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestAJournalCutOffAnywhereGivesAllWholeEntriesBeforeTheCut(t *testing.T) {
	text, err := os.ReadFile(write(t, entries()))
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(text, '\n') + 1
	for cut := first; cut <= len(text); cut++ {
		got, r := read(t, text[:cut])
		whole := bytes.Count(text[:cut], []byte("\n"))
		torn := 0
		if rest := text[bytes.LastIndexByte(text[:cut], '\n')+1 : cut]; len(rest) > 0 {
			torn = 1
			if rest[len(rest)-1] == '}' && text[cut] == '\n' { // only the newline is missing
				whole, torn = whole+1, 0
			}
		}
		if r.Err() != nil || len(got) != whole || len(r.Damaged()) != torn {
			t.Fatalf("cut at %d: %d entries, %d damaged, err %v; want %d and %d", cut, len(got), len(r.Damaged()), r.Err(), whole, torn)
		}
	}
}

func TestTheTypeNeedNotComeFirst(t *testing.T) {
	got, r := read(t, []byte(`{"type":"header","schema":1}`+"\n"+`{"at_ns":3,"reason":"finished","type":"end"}`+"\n"))
	if len(got) != 2 || r.Err() != nil || len(r.Damaged()) != 0 {
		t.Errorf("%d entries, err %v, damaged %v", len(got), r.Err(), r.Damaged())
	}
}

func TestWhatIsNoJournalIsRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an empty file", "", "empty"},
		{"another JSON file", `{"models":[]}` + "\n", "no header"},
		{"a schema of the future", `{"type":"header","schema":99}` + "\n", "newer exobench"},
		{"a header that does not come first", `{"type":"note","text":"x"}` + "\n" + `{"type":"header","schema":1}` + "\n", "no header"},
	} {
		_, r := read(t, []byte(c.text))
		if r.Err() == nil || !strings.Contains(r.Err().Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, r.Err(), c.want)
		}
	}
}

func TestADamagedLineInTheMiddleIsSkippedAndTold(t *testing.T) {
	text := `{"type":"header","schema":1}` + "\n{\"type\":\"no\x00te\n" + `{"type":"from-the-future","x":1}` + "\n" + `{"type":"end","at_ns":3,"reason":"finished"}` + "\n"
	got, r := read(t, []byte(text))
	if len(got) != 2 || len(r.Damaged()) != 1 || r.Damaged()[0].Line != 2 {
		t.Errorf("got %d entries, damaged %v", len(got), r.Damaged())
	}
}

func TestCreateDoesNotOverwrite(t *testing.T) {
	path := write(t, nil)
	if _, err := Create(path, header()); !errors.Is(err, os.ErrExist) {
		t.Errorf("second Create: %v, want ErrExist", err)
	}
}

func TestNothingFollowsAFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	w, err := Create(path, header())
	if err != nil {
		t.Fatal(err)
	}
	w.file.Close()
	first := w.Append(&exobench.Note{Text: "a"})
	if first == nil {
		t.Fatal("a write to a closed file gave no error")
	}
	if second := w.Append(&exobench.Note{Text: "b"}); second != first {
		t.Errorf("second error %v, want the first: %v", second, first)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"type":"header","schema":1}` + "\n" + `{"type":"request","chunks":[1,2,3]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for e := range NewReader(bytes.NewReader(text)).All() {
			if e == nil {
				t.Fatal("All gave no entry")
			}
		}
	})
}
