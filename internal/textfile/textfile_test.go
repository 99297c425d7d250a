package textfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadReturnsUTF8WithLinesOfOneKind(t *testing.T) {
	for _, c := range []struct{ raw, want, fault string }{
		{"", "", ""},
		{"a\r\nb\rc\n", "a\nb\nc\n", ""},
		{"\xef\xbb\xbfa\n\xef\xbb\xbfb\ufeff", "a\nb\ufeff", ""},
		{"\xff\xfea\x00\r\x00\n\x00", "a\n", ""},
		{"\xfe\xff\x00a", "a", ""},
		{"\xfe\xff\xd8\x34\xdd\x1e", "𝄞", ""},
		{"\xfe\xff\xdd\x1e", "", "half a character"},
		{"\xfe\xff\x00", "", "within a character"},
		{"\x00\x00\xfe\xff", "", "UTF-32"},
		{"a\r\rb\xe9", "", "line 3 is not UTF-8 (byte 0xe9"},
		{"\xed\xa0\x80", "", "line 1 is not UTF-8"},
		{"a\r\x00", "", "line 2 holds a NUL"},
		{"\ufffd", "\ufffd", ""},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(c.raw), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) || got != c.want {
			t.Errorf("%q: %q, %v; want %q, %q", c.raw, got, err, c.want, c.fault)
		}
	}
}

func TestANameIsQuotedWhereItWouldMislead(t *testing.T) {
	for name, want := range map[string]string{
		"a b/ask.txt": "a b/ask.txt", `say "hi"`: `say "hi"`, "é": "é",
		"a\nb": `"a\nb"`, " a": `" a"`, "": `""`, "\xff": `"\xff"`, "a\u2028": `"a\u2028"`, "\x1b[2J": `"\x1b[2J"`,
	} {
		if got := Name(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}

func TestNoDocumentIsPassedOver(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 0},
		{"---\n", 0},
		{"# none\n", 0},
		{"a\n---\nb\n", 2},
		{"a\n---\n---\nb\n", 2},
		{"a\n---\n# none\n---\n# b\n---\nb\n...\nc: d\n---\n", 3},
		{"%YAML 1.2\n---\na\n", 1},
	} {
		got, err := ParseYAML(c.text)
		if err != nil || len(got) != c.want {
			t.Errorf("%q: %d documents, %v; want %d", c.text, len(got), err, c.want)
		}
	}
}

func TestWhatPanicsInTheLibraryIsAnError(t *testing.T) {
	documents, err := ParseYAML("- ids: &a ? ids: &a !!set ")
	if err != nil || len(documents) != 1 {
		t.Fatalf("%d documents, %v", len(documents), err)
	}
	var into []struct {
		IDs map[string][]string `yaml:"ids"`
	}
	if err := DecodeYAML(documents[0], &into); err == nil || err.Error() != "it is no YAML" {
		t.Errorf("error %v, want that it is no YAML", err)
	}
}
