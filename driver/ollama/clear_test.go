package ollama

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
)

const other = "other:latest"

func TestWhatIsInTheWayIsUnloadedBeforeMemoryIsRead(t *testing.T) {
	d := &double{models: []string{tiny, other}, loaded: []string{tiny, other}}
	e := open(t, d)
	var seen events
	if err := e.Clear(t.Context(), model(tiny), "", seen.add); err != nil {
		t.Fatal(err)
	}
	if left := d.inMemory(); !slices.Equal(left, []string{other}) {
		t.Errorf("loaded before the reading: %v; another's model is to stay", left)
	}
	if seen.stages() != "resolve" {
		t.Errorf("stages %s", seen.stages())
	}
	d = &double{models: []string{tiny}, loaded: []string{tiny}}
	e = open(t, d, "reuse")
	if err := e.Clear(t.Context(), model(tiny), "", seen.add); err != nil || len(d.inMemory()) != 1 {
		t.Errorf("with --reuse: %v, loaded %v", err, d.inMemory())
	}
}

func TestClearHasAModelFetched(t *testing.T) {
	d := &double{pull: pullStream}
	e := open(t, d, "pull")
	var seen events
	if err := e.Clear(t.Context(), model(tiny), "", seen.add); err != nil {
		t.Fatal(err)
	}
	if seen.stages() != "resolve download" || len(d.inMemory()) > 0 {
		t.Errorf("stages %s, loaded %v", seen.stages(), d.inMemory())
	}
}

// run has a run of exobench load the models, which lives until it is closed.
func (d *double) run(t *testing.T, ids ...string) *engine {
	t.Helper()
	e := open(t, d)
	for _, id := range ids {
		if _, err := e.Prepare(t.Context(), model(id), "", new(events).add); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func TestTheNextRunUnloadsWhatAKilledOneLeft(t *testing.T) {
	d := &double{models: []string{tiny, other}, cache: t.TempDir()}
	d.run(t, tiny, other).Close() // as the end of its process lets go of its marks
	e := open(t, d)
	if err := e.Clear(t.Context(), model(tiny), "", new(events).add); err != nil {
		t.Fatal(err)
	}
	if left := d.inMemory(); len(left) > 0 {
		t.Errorf("still loaded: %v", left)
	}
	if seen := strings.Join(e.Observed(), "\n"); !strings.Contains(seen, "other:latest was unloaded before the measurement") {
		t.Errorf("observed %q", seen)
	}
	if seen := e.Observed(); len(seen) > 0 {
		t.Errorf("observed again: %q", seen)
	}
	if found, err := (Driver{}).Leftovers(t.Context(), "", d.env(t)); len(found) > 0 || err != nil {
		t.Errorf("still marked: %+v, %v", found, err)
	}
}

func TestWhatARunUnderWayLoadedStays(t *testing.T) {
	d := &double{models: []string{tiny, other}, cache: t.TempDir()}
	first := d.run(t, tiny)
	second := open(t, d)
	if err := second.Clear(t.Context(), model(tiny), "", new(events).add); err == nil || !strings.Contains(err.Error(), "another exobench is measuring tiny:latest") {
		t.Errorf("the same model: error %v", err)
	}
	if err := second.Clear(t.Context(), model(other), "", new(events).add); err != nil {
		t.Error(err)
	}
	if left := d.inMemory(); !slices.Equal(left, []string{tiny}) {
		t.Errorf("loaded: %v", left)
	}
	if err := first.Release(t.Context(), exobench.Deployment{Model: model(tiny), Created: true}, new(events).add); err != nil {
		t.Error(err)
	}
	if err := second.Clear(t.Context(), model(tiny), "", new(events).add); err != nil {
		t.Errorf("after its release: %v", err)
	}
}

func TestOfTwoRunsThatLoadAtOnceOneIsTurnedAway(t *testing.T) {
	d := &double{models: []string{tiny}, cache: t.TempDir(), dark: true}
	first := open(t, d)
	if !first.marks.Set(tiny) {
		t.Fatal("nobody holds it")
	}
	if _, err := open(t, d).Prepare(t.Context(), model(tiny), "", new(events).add); err == nil || !strings.Contains(err.Error(), "another exobench is loading") {
		t.Errorf("error %v", err)
	}
}

func TestLeftoversAreFoundByTheirMarksAndUnloaded(t *testing.T) {
	d := &double{models: []string{tiny, other, "third:1b", "fourth:1b"}, loaded: []string{"fourth:1b"}, cache: t.TempDir()}
	d.run(t, other) // under way
	d.run(t, tiny, "third:1b").Close()
	d.loaded = slices.DeleteFunc(d.loaded, func(name string) bool { return name == "third:1b" })
	sent := len(d.posted("/api/chat"))
	url := strings.Replace(d.url, "127.0.0.1", "localhost", 1)
	found, err := Driver{}.Leftovers(t.Context(), "", d.env(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []driver.Leftover{
		{Engine: "ollama", URL: url, Model: other, State: driver.InUse},
		{Engine: "ollama", URL: url, Model: "third:1b", State: driver.Gone},
		{Engine: "ollama", URL: url, Model: tiny},
	}
	if !slices.Equal(found, want) {
		t.Fatalf("found %+v, want %+v", found, want)
	}
	if len(d.posted("/api/chat")) != sent {
		t.Error("looking has changed something")
	}
	clean := func(l driver.Leftover) error { return Driver{}.Clean(t.Context(), l, d.env(t)) }
	if err := clean(found[0]); err == nil || !strings.Contains(err.Error(), "not a model that a run has left") {
		t.Errorf("what a run under way loaded: error %v", err)
	}
	for _, l := range found[1:] {
		if err := clean(l); err != nil {
			t.Error(err)
		}
	}
	if left := d.inMemory(); !slices.Equal(left, []string{"fourth:1b", other}) {
		t.Errorf("loaded: %v", left)
	}
	if sent++; len(d.posted("/api/chat")) != sent {
		t.Errorf("sent %v; want one unload, since what is gone must not be loaded", d.posted("/api/chat")[sent-1:])
	}
	if found, _ = (Driver{}).Leftovers(t.Context(), d.url, d.env(t)); len(found) != 1 || found[0].Model != other {
		t.Errorf("left: %+v", found)
	}
}

func TestLeftoversOfAnOllamaThatIsAwayAreUnknown(t *testing.T) {
	d := &double{models: []string{tiny}, cache: t.TempDir()}
	d.run(t, tiny).Close()
	d.fail = map[string]string{"/api/ps": "oops"}
	_, err := Driver{}.Leftovers(t.Context(), "", d.env(t))
	if err == nil || !strings.Contains(err.Error(), "(marked: tiny:latest)") {
		t.Errorf("error %v", err)
	}
	if found, err := (Driver{}).Leftovers(t.Context(), "http://127.0.0.1:1", d.env(t)); len(found) > 0 || err != nil {
		t.Errorf("where nothing is marked: %v, %v", found, err)
	}
}

func TestWhatIsKeptLoadedIsNoLeftover(t *testing.T) {
	d := &double{models: []string{tiny}, cache: t.TempDir()}
	e := open(t, d)
	e.env.Plan.KeepLoaded = true
	if _, err := e.Prepare(t.Context(), model(tiny), "", new(events).add); err != nil {
		t.Fatal(err)
	}
	e.Close()
	if found, err := (Driver{}).Leftovers(t.Context(), "", d.env(t)); len(found) > 0 || err != nil {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestAModelThatCouldNotBeUnloadedStaysMarked(t *testing.T) {
	d := &double{models: []string{tiny}, cache: t.TempDir()}
	e := d.run(t, tiny)
	d.sticky, e.times.release = true, 20*time.Millisecond
	if err := e.Release(t.Context(), exobench.Deployment{Model: model(tiny), Created: true}, new(events).add); err == nil {
		t.Error("it is said to be gone")
	}
	e.Close()
	if found, err := (Driver{}).Leftovers(t.Context(), "", d.env(t)); len(found) != 1 || found[0].State != driver.Abandoned || err != nil {
		t.Errorf("found %+v, %v", found, err)
	}
}
