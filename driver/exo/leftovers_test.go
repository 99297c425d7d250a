package exo

import (
	"strings"
	"testing"

	"exobench/driver"
	"exobench/driver/marks"
)

func TestLeftoversAreFoundByTheirMarksAndTakenAway(t *testing.T) {
	d := newDouble(t)
	config := d.quick()
	config.marks = t.TempDir()
	for _, id := range []string{"i-1", "i-2", "i-3"} {
		d.instances[id] = onNode(id, tinyID)
	}
	address := d.server.Listener.Addr().String()
	killed, running := marks.New(config.marks, address), marks.New(config.marks, address)
	killed.Set("i-1")
	killed.Set("i-4") // which exo no longer has
	killed.Close()
	running.Set("i-2")
	defer running.Close()

	found, err := leftovers(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	at := func(id, model string, state driver.LeftoverState) driver.Leftover {
		return driver.Leftover{Engine: "exo", URL: config.url, ID: id, Model: model, State: state}
	}
	wantEqual(t, "leftovers", found, []driver.Leftover{
		at("i-1", tinyID, driver.Abandoned), at("i-2", tinyID, driver.InUse), at("i-4", "", driver.Gone),
	})
	wantEqual(t, "changes", d.changes(), nil)
	for _, id := range []string{"i-2", "i-3"} {
		if err := clean(t.Context(), config, id); err == nil || !strings.Contains(err.Error(), "not one that a run has left") {
			t.Errorf("%s was cleaned: %v", id, err)
		}
	}
	for _, id := range []string{"i-1", "i-4"} {
		if err := clean(t.Context(), config, id); err != nil {
			t.Error(err)
		}
	}
	wantEqual(t, "instances", d.running(), []string{"i-2", "i-3"})
	if found, _ = leftovers(t.Context(), config); len(found) != 1 || found[0].ID != "i-2" {
		t.Errorf("left: %+v", found)
	}
}

func TestLeftoversOfAnExoThatIsAwayAreUnknown(t *testing.T) {
	d := newDouble(t)
	config := d.quick()
	config.marks = t.TempDir()
	d.server.Close()
	if found, err := leftovers(t.Context(), config); len(found) > 0 || err != nil {
		t.Errorf("where nothing is marked: %v, %v", found, err)
	}
	killed := marks.New(config.marks, d.server.Listener.Addr().String())
	killed.Set("i-1")
	killed.Close()
	_, err := leftovers(t.Context(), config)
	wantError(t, err, "(marked: i-1)")
	wantEqual(t, "URLs", marks.URLs(config.marks), []string{"http://" + strings.Replace(d.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)})
}
