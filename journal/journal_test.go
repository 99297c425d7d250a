package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench"
)

func header() *exobench.Header {
	return &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "r1",
		Plan: exobench.Plan{Models: []string{"m"}, Timeout: exobench.Duration(time.Minute), Workload: exobench.Workload{Prompts: []exobench.Prompt{{ID: "p", Text: "ä\n\"q\""}}}},
	}
}

// entries has one of each type but the header.
func entries() []exobench.Entry {
	m := exobench.Model{Name: "m", ID: "org/m"}
	return []exobench.Entry{
		&exobench.Session{ID: 1, Epoch: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), Host: exobench.Host{Name: "studio"}, PID: 4711},
		&exobench.Step{ID: 1, Session: 1, Engine: "exo", Model: m},
		&exobench.Cell{ID: 1, Engine: "exo", Model: m, Traffic: exobench.Traffic{Rate: 2.5, Arrival: exobench.Poisson}, Stop: exobench.Stop{Repeat: 2}},
		&exobench.Calibration{At: 2, Session: 1, Streams: 1, LagP50: 3},
		&exobench.Ceiling{At: 2, Session: 1, Engine: "exo", Model: "m", Weights: 100, Position: 4, Basis: exobench.CeilingOfFile,
			Bandwidth: exobench.Bandwidth{PerSecond: 1e9, From: exobench.BandwidthMeasured, Of: "this machine's CPU, 2 threads"}},
		&exobench.StageEvent{At: 5, Step: 1, Stage: exobench.StageReady, Placement: "Pipeline/MlxRing/1 node"},
		&exobench.Block{ID: 1, Step: 1, Cell: 1, At: 6},
		&exobench.Sample{At: 6, Step: 1, Moment: exobench.During, Block: 1, Sensor: "processes", Values: exobench.Values{{Quantity: exobench.PSS, Value: 7}, {Quantity: exobench.File, Value: 0}}},
		&exobench.Meter{At: 4, Session: 1, Sensor: "power", Of: "rapl:package-0", Source: "rapl package", Scope: exobench.PackageScope, Step: time.Second},
		&exobench.Record{
			Seq: 1, Block: 1, Outcome: exobench.OK, Sent: 10, FirstToken: 20, ReasoningTokens: new(exobench.Tokens(3)), Replays: 2,
			PrefillStart: 12, PrefillEnd: 15, PrefillTokens: new(exobench.Tokens(7)),
			Doubts:       []exobench.Doubt{{Kind: exobench.OtherModel, Text: "m\"x"}, {Kind: exobench.UsageMisfit, Said: 40, Seen: -20}, {Kind: exobench.UnknownEvents, Count: 3}},
			CachedTokens: new(exobench.Tokens(0)),
			Chunks:       exobench.Chunks{{At: 20, Bytes: 3}, {At: 31, Bytes: 5}},
		},
		&exobench.BlockEnd{At: 35, Block: 1, Reason: exobench.BlockPrecise, Repeats: 7},
		&exobench.Note{At: 40, Session: 1, Text: "line one\nline two"},
		&exobench.StepEnd{At: 45, Step: 1, Reason: exobench.StepFailed, Error: "no"},
		&exobench.End{At: 50, Session: 1, Reason: exobench.EndFinished},
	}
}

// write makes a journal of the header and the entries and returns its path.
func write(t *testing.T, entries []exobench.Entry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), Name)
	w, err := Create(path, header(), Options{})
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
		case *exobench.Sample:
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
		torn := text[cut-1] != '\n'
		if torn && text[cut] == '\n' { // only the newline is missing
			whole, torn = whole+1, false
		}
		if r.Err() != nil || len(got) != whole || r.Damage() != 0 || (r.Torn() != nil) != torn {
			t.Fatalf("cut at %d: %d entries, damaged %v, torn %v, err %v; want %d entries, torn: %v", cut, len(got), r.Damaged(), r.Torn(), r.Err(), whole, torn)
		}
	}
	for cut := range first - 1 {
		want := "cut off before it began"
		if _, r := read(t, text[:cut]); r.Err() == nil || !strings.Contains(r.Err().Error(), want) {
			t.Fatalf("cut at %d: err %v, want one with %q", cut, r.Err(), want)
		}
	}
}

// No flipped bit may give other entries in silence.
func TestAFlippedBitIsADamagedLineOrNone(t *testing.T) {
	text, err := os.ReadFile(write(t, entries()[5:9]))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := read(t, text)
	header := bytes.IndexByte(text, '\n') + 1
	step := 1
	if testing.Short() {
		step = 7 // every bit of a byte in turn
	}
	for i := 0; i < 8*len(text); i += step {
		at, bit := i/8, byte(1)<<(i%8)
		flipped := bytes.Clone(text)
		flipped[at] ^= bit
		got, r := read(t, flipped)
		switch {
		case at < header:
			if r.Err() == nil || !strings.Contains(r.Err().Error(), "header (line 1) is damaged") {
				t.Fatalf("bit %d of byte %d, in the header: err %v", bit, at, r.Err())
			}
		case r.Err() != nil || r.Damage() == 0 || r.Torn() != nil:
			t.Fatalf("bit %d of byte %d: damaged %v, torn %v, err %v", bit, at, r.Damaged(), r.Torn(), r.Err())
		default:
			line := 1 + bytes.Count(text[:at], []byte("\n"))
			if r.Damaged()[0].Line != line || !subset(got, want) || len(got) < len(want)-2 {
				t.Fatalf("bit %d of byte %d, line %d: damaged %v, %d entries", bit, at, line, r.Damaged(), len(got))
			}
		}
	}
}

// subset reports whether all entries of a list are among those of another, in
// the same order.
func subset(got, of []exobench.Entry) bool {
	for _, e := range of {
		if len(got) > 0 && reflect.DeepEqual(got[0], e) {
			got = got[1:]
		}
	}
	return len(got) == 0
}

func TestTheTypeNeedNotComeFirst(t *testing.T) {
	got, r := read(t, sealedText(`{"type":"header","schema":2}`, `{"at_ns":3,"reason":"finished","type":"end"}`))
	if len(got) != 2 || r.Err() != nil || r.Damage() != 0 {
		t.Errorf("%d entries, err %v, damaged %v", len(got), r.Err(), r.Damaged())
	}
}

func TestWhatIsNoJournalIsRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an empty file", "", "empty"},
		{"another JSON file", `{"models":[]}` + "\n", "not a journal of exobench"},
		{"another file without a newline", "hello", "not a journal of exobench"},
		{"a schema of the future", string(sealedText(`{"type":"header","schema":99}`)), "newer exobench"},
		{"one that knows no checksums", `{"type":"header","schema":99}` + "\n", "newer exobench"},
		{"a schema that is not read any more", `{"type":"header","schema":1,"tool":{"version":"0.1.0"}}` + "\n", "before December 2026, such as the one that wrote it (0.1.0)"},
		{"a header without a schema", string(sealedText(`{"type":"header"}`)), "the one that wrote it (of unknown version)"},
		{"a header without a checksum", `{"type":"header","schema":2}` + "\n", "header (line 1) is damaged, and without it nothing can be said of the run: it does not end in a checksum"},
		{"a header that does not come first", string(sealedText(`{"type":"note","text":"x"}`, `{"type":"header","schema":2}`)), "its beginning is missing"},
	} {
		_, r := read(t, []byte(c.text))
		if r.Err() == nil || !strings.Contains(r.Err().Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, r.Err(), c.want)
		}
	}
}

func TestADamagedLineInTheMiddleIsSkippedAndTold(t *testing.T) {
	text := slices.Concat(sealedText(`{"type":"header","schema":2}`), []byte("{\"type\":\"no\x00te\n"),
		sealedText(`{"type":"from-the-future","x":1}`, `{"type":"end","at_ns":3,"reason":"finished"}`))
	got, r := read(t, text)
	if len(got) != 2 || r.Damage() != 1 || r.Damaged()[0].Line != 2 {
		t.Errorf("got %d entries, damaged %v", len(got), r.Damaged())
	}
}

func TestOfManyDamagedLinesTheFirstAreTold(t *testing.T) {
	text := append(sealedText(`{"type":"header","schema":2}`), bytes.Repeat([]byte("\n"), 1_000_000)...)
	if got, r := read(t, text); len(got) != 1 || r.Err() != nil || r.Damage() != 1_000_000 || len(r.Damaged()) != mostDamaged || r.Damaged()[99].Line != 101 {
		t.Errorf("%d entries, err %v, %d damaged, %d of them told", len(got), r.Err(), r.Damage(), len(r.Damaged()))
	}
}

// endless is a line of a length, made as it is read.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.left)
	for i := range n {
		p[i] = 'x'
	}
	e.left -= n
	return n, nil
}

func TestALineBeyondTheBoundIsSkippedWithoutBeingKept(t *testing.T) {
	const long = 8 * MaxLine
	text := io.MultiReader(bytes.NewReader(sealedText(`{"type":"header","schema":2}`)), &endless{long},
		strings.NewReader("\n"), bytes.NewReader(sealedText(`{"type":"end","at_ns":3}`)), &endless{MaxLine + 1})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := NewReader(text)
	n := 0
	for range r.All() {
		n++
	}
	runtime.ReadMemStats(&after)
	if n != 2 || r.Err() != nil || r.Damage() != 2 || !errors.Is(r.Damaged()[0], errTooLong) || r.Damaged()[0].Line != 2 || r.Damaged()[1].Line != 4 {
		t.Errorf("%d entries, err %v, damaged %v", n, r.Err(), r.Damaged())
	}
	// A batch grows in steps, and two of them met such a line.
	if took := after.TotalAlloc - before.TotalAlloc; took > 12*MaxLine {
		t.Errorf("reading took %d MiB", took>>20)
	}
}

func TestAnEntryBeyondTheBoundIsNotWritten(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), Name), header(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Append(&exobench.Note{Text: strings.Repeat("x", MaxLine)})
	if err == nil || !strings.Contains(err.Error(), "it may take 64") {
		t.Errorf("err %v", err)
	}
	if err := errors.Join(w.Append(&exobench.Note{}), w.Close()); err != nil {
		t.Errorf("the next entry: %v", err)
	}
}

func TestCreateDoesNotOverwrite(t *testing.T) {
	path := write(t, nil)
	if _, err := Create(path, header(), Options{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("second Create: %v, want ErrExist", err)
	}
}

func TestNothingFollowsAFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	w, err := Create(path, header(), Options{})
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

// An entry of a new type is forgotten most easily here.
func TestEveryTypeOfEntryIsInTheTable(t *testing.T) {
	listed := map[reflect.Type]bool{}
	for _, e := range append(entries(), header()) {
		listed[reflect.TypeOf(e)] = true
	}
	for _, k := range kinds {
		if !listed[reflect.TypeOf(k.entry())] {
			t.Errorf("the tests have no entry of the kind %s", k.name)
		}
	}
	for _, name := range typesWithEntryMethod(t) {
		if !slices.ContainsFunc(kinds, func(k kind) bool { return reflect.TypeOf(k.entry()).Elem().Name() == name }) {
			t.Errorf("exobench.%s is an Entry and not in the table", name)
		}
	}
}

// typesWithEntryMethod lists the types of the vocabulary that are entries.
func typesWithEntryMethod(t *testing.T) (names []string) {
	t.Helper()
	source, err := os.ReadFile("../entry.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`(?m)^func \(\*(\w+)\) entry\(\)`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, found[1])
	}
	if len(names) != len(kinds) {
		t.Errorf("%d types of entries in entry.go, %d in the table", len(names), len(kinds))
	}
	return names
}

func TestThePackageDocHasTheTable(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range regexp.MustCompile(`(?m)^//\t(\w+\*?) +(exobench\.\w+) `).FindAllStringSubmatch(string(source), -1) {
		got = append(got, row[1]+" "+row[2])
	}
	var want []string
	for _, k := range kinds {
		star := ""
		if k.milestone(k.entry()) {
			star = "*"
		}
		want = append(want, fmt.Sprintf("%s%s %s", k.name, star, reflect.TypeOf(k.entry()).Elem()))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table in doc.go (-want +got):\n%s", diff)
	}
}

func TestMilestonesAreStagesThatLast(t *testing.T) {
	for stage, want := range map[exobench.Stage]bool{
		exobench.StageResolve: false, exobench.StageDownload: false, exobench.StageLoad: false, exobench.StageReady: true,
		exobench.StageRelease: false, exobench.StageReleased: true,
	} {
		e := &exobench.StageEvent{Stage: stage}
		if k, err := kindOf(e); err != nil || k.milestone(e) != want {
			t.Errorf("%s: milestone %v, want %v (%v)", stage, !want, want, err)
		}
	}
}

// unknown is an Entry since it embeds one, and of no kind.
type unknown struct{ *exobench.Note }

func TestWhatCannotBeWrittenIsAnErrorAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	w, err := Create(path, header(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []exobench.Entry{
		unknown{}, nil, (*exobench.Note)(nil),
		&exobench.Sample{Values: exobench.Values{{Quantity: exobench.PSS, Value: math.NaN()}}},
	} {
		if err := w.Append(e); err == nil {
			t.Errorf("%T: no error", e)
		}
	}
	if err := errors.Join(w.Append(&exobench.End{At: 1, Reason: exobench.EndFinished}), w.Close()); err != nil {
		t.Errorf("the next entry: %v", err)
	}
	text, err := os.ReadFile(path)
	if got, r := read(t, text); err != nil || len(got) != 2 || len(r.Damaged()) != 0 {
		t.Errorf("%d entries, damaged %v, %v", len(got), r.Damaged(), err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(sealedText(`{"type":"header","schema":2}`, `{"type":"request","chunks":[1,2,3]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for e := range NewReader(bytes.NewReader(text)).All() {
			if e == nil {
				t.Fatal("All gave no entry")
			}
		}
	})
}
