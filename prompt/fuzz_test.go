package prompt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// The three kinds are fuzzed each on its own: what makes one interesting is
// text like any other to the next.
func FuzzText(f *testing.F)  { fuzz(f, ".txt") }
func FuzzJSONL(f *testing.F) { fuzz(f, ".jsonl") }
func FuzzYAML(f *testing.F)  { fuzz(f, ".yaml") }

// fuzz checks that whatever a file of the kind holds, it is refused in one line
// or is prompts that every engine and every report can take.
func fuzz(f *testing.F, ending string) {
	path := filepath.Join(f.TempDir(), "ask"+ending)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		prompts, err := Load([]string{path})
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), "twice") {
				t.Errorf("error %q; want one line that names the file", err)
			}
			return
		}
		if len(prompts) == 0 {
			t.Error("no prompt and no error")
		}
		seen := map[string]bool{}
		for _, p := range prompts {
			if strings.TrimSpace(p.Text) == "" || strings.Contains(p.Text, "\x00") || !utf8.ValidString(p.Text) {
				t.Errorf("prompt %q", p.Text)
			}
			if p.ID == "" || seen[p.ID] || strings.ContainsAny(p.ID, "\x00\n\r\x1b") || !utf8.ValidString(p.ID) {
				t.Errorf("id %q, with %d before it", p.ID, len(seen))
			}
			seen[p.ID] = true
		}
	})
}
