package exo

import (
	"slices"
	"testing"

	"exobench"
)

func TestAPreviewChangesNothingAndDoesNotWait(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.previews = []string{previews(preview1("i-1", tinyID))}
	e := d.dial(d.quick())
	got, err := e.Preview(t.Context(), exobench.Model{Name: "tiny", ID: tinyID})
	if err != nil || !slices.Equal(got, []string{"Pipeline/MlxRing/1 node"}) {
		t.Errorf("got %q, %v", got, err)
	}
	_, err = e.Preview(t.Context(), exobench.Model{Name: "other", ID: "org/other"})
	wantError(t, err, "no card of it yet")
	d.mu.Lock()
	d.previews = []string{previews(refusal("Pipeline", "MlxRing", "No cycles found with sufficient memory")), previews(preview1("i-1", tinyID))}
	d.mu.Unlock()
	_, err = e.Preview(t.Context(), exobench.Model{Name: "tiny", ID: tinyID})
	wantError(t, err, "as things are it cannot be placed: ", "No cycles found with sufficient memory")
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.log) > 0 {
		t.Errorf("exo was told %v", d.log)
	}
}
