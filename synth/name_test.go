package synth

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestAModelsNameLeadsNotOutOfTheCache(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	for _, name := range []string{"../../x", "/etc/x", "..", `..\..\x`, "a/b"} {
		m := tiny
		m.Name = name
		f, err := New(m, "q8_0", 1)
		if err != nil {
			t.Fatal(err)
		}
		path, err := f.Cached(t.Context(), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if dir := filepath.Dir(path); filepath.Base(dir) != "synthetic" || !strings.HasPrefix(dir, cache) || strings.Contains(path, `\`) {
			t.Errorf("%s is written to %s", name, path)
		}
	}
}
