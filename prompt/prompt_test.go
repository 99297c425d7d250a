package prompt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exobench"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesOfEachKind(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []exobench.Prompt
	}{
		{"ask.txt", "\ufeffone\n\n  two \r\n", []exobench.Prompt{{ID: "ask-1", Text: "one"}, {ID: "ask-2", Text: "two"}}},
		{"ask.jsonl", `{"prompt":"a\nb"}` + "\n\n" + `{"id":"x","prompt":"c"}`, []exobench.Prompt{{ID: "ask-1", Text: "a\nb"}, {ID: "x", Text: "c"}}},
		{"ask.yaml", "- one\n- id: x\n  prompt: |\n    two\n    lines\n", []exobench.Prompt{{ID: "ask-1", Text: "one"}, {ID: "x", Text: "two\nlines\n"}}},
	} {
		got, err := Load([]string{file(t, c.name, c.text)})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

func TestBadFilesAreRefusedInOneLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"ask.txt", " \n\n", "is empty"},
		{"ask.yaml", "", "is empty"},
		{"ask.jsonl", "{\"prompt\":\"a\"}\nnonsense\n", "line 2"},
		{"ask.jsonl", `{"text":"a"}`, `no "prompt"`},
		{"ask.yaml", "a: [", "must be a list"},
		{"ask.yaml", "- id: x\n", "has no text"},
		{"ask.yaml", "- 5\n", "item 1"},
		{"ask.csv", "a", "must end in"},
		{"ask.jsonl", "{\"id\":\"a\",\"prompt\":\"x\"}\n{\"id\":\"a\",\"prompt\":\"y\"}", "twice"},
	} {
		_, err := Load([]string{file(t, c.name, c.text)})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %q: error %v, want one line with %q", c.name, c.text, err, c.want)
		}
	}
	if _, err := Load([]string{"nowhere/ask.txt"}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestStandardIsFivePromptsThatSafelyReachExo(t *testing.T) {
	prompts, err := Load([]string{"standard"})
	if err != nil || len(prompts) != 5 {
		t.Fatalf("%d prompts, %v", len(prompts), err)
	}
	for _, p := range prompts {
		if strings.Contains(p.Text, "EXO RUNNER MUST") {
			t.Errorf("%s would trigger exo's fault injection", p.ID)
		}
	}
}
