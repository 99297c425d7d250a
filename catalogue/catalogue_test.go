package catalogue

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func load(t *testing.T, extra string) (*Catalogue, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(extra), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestTheStandardModelsAreTheMissionsFive(t *testing.T) {
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"llama-3.1-8b", "llama-3.2-1b", "mistral-7b", "qwen-1.5-7b", "deepseek-r1"}
	if got := c.Standard(); !slices.Equal(got, want) {
		t.Errorf("standard models %v, want %v", got, want)
	}
	for _, name := range want {
		m, _ := c.Find(name)
		if len(m.IDs["exo"]) == 0 || m.Shape == nil || m.License == "" {
			t.Errorf("%s: needs an exo id, a shape and a licence: %+v", name, m)
		}
	}
}

func TestAStandInKeepsItsModelsProportions(t *testing.T) {
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Models() {
		if m.Shape == nil {
			continue
		}
		s, small := *m.Shape, StandIn(*m.Shape)
		same := func(what string, a, b float64) {
			if a/b < 0.97 || a/b > 1.03 {
				t.Errorf("%s: %s is %.3f in the stand-in, %.3f in the model", m.Name, what, a, b)
			}
		}
		same("query heads per key/value head", ratio(small.Heads, small.KVHeads), ratio(s.Heads, s.KVHeads))
		same("width per layer", ratio(small.Hidden, small.Layers), ratio(s.Hidden, s.Layers))
		same("FFN per width", ratio(small.FFN, small.Hidden), ratio(s.FFN, s.Hidden))
		same("embedding share", ratio(small.Vocab, small.Hidden*small.Layers), ratio(s.Vocab, s.Hidden*s.Layers))
		if small.Hidden%(unit*small.Heads) != 0 || small.FFN%unit != 0 {
			t.Errorf("%s: the decoder cannot run %d heads of width %d and FFN %d", m.Name, small.Heads, small.Hidden, small.FFN)
		}
	}
}

func TestParametersAreThoseOfTheShape(t *testing.T) {
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Models() {
		if m.Shape != nil && m.Shape.Parameters() != m.Parameters {
			t.Errorf("%s: its shape has %d weights, the entry says %d", m.Name, m.Shape.Parameters(), m.Parameters)
		}
	}
}

func ratio(a, b int) float64 { return float64(a) / float64(b) }

func TestAUsersFileAddsAndReplaces(t *testing.T) {
	c, err := load(t, "- name: mine\n  ids: {exo: [org/mine]}\n- name: mistral-7b\n  ids: {exo: [org/other]}\n")
	if err != nil {
		t.Fatal(err)
	}
	mine, found := c.FindID("exo", "org/mine")
	other, _ := c.Find("Mistral-7B")
	if !found || mine.Title != "mine" || other.IDs["exo"][0] != "org/other" {
		t.Errorf("mine %+v, other %+v", mine, other)
	}
	if len(c.Models()) != 7 || slices.Contains(c.Standard(), "mistral-7b") {
		t.Errorf("%d models, standard %v; want 7, and the replaced one no longer standard", len(c.Models()), c.Standard())
	}
}

func TestNamesAndIDsAreTheTextThatIsWritten(t *testing.T) {
	text := "- &a\n  name: 1.10\n  title: 0x10\n  ids: {ollama: [1.50, yes, 1_000, null, 2001-01-01, 'a']}\n---\n- name: 81\r\n---\n# none\n---\n- {name: null}\n"
	var utf16 strings.Builder
	utf16.WriteString("\xff\xfe")
	for _, c := range []byte(text) {
		utf16.WriteString(string([]byte{c, 0})[:2])
	}
	for encoding, text := range map[string]string{"UTF-8": text, "UTF-8 with a mark": "\ufeff" + text, "UTF-16": utf16.String()} {
		c, err := load(t, text)
		if err != nil {
			t.Errorf("%s: %v", encoding, err)
			continue
		}
		m, _ := c.Find("1.10")
		want := []string{"1.50", "yes", "1_000", "null", "2001-01-01", "a"}
		if m.Title != "0x10" || !slices.Equal(m.IDs["ollama"], want) {
			t.Errorf("%s: %+v, want the title 0x10 and the ids %q", encoding, m, want)
		}
		for _, name := range []string{"81", "null"} {
			if _, found := c.Find(name); !found {
				t.Errorf("%s: no model %s", encoding, name)
			}
		}
	}
}

func TestAnEntryReplacesTheModelOfItsNameWhateverItsCase(t *testing.T) {
	c, err := load(t, "- name: Mistral-7B\n  ids: {exo: [org/mine]}\n")
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := c.Find("mistral-7b"); !slices.Equal(m.IDs["exo"], []string{"org/mine"}) {
		t.Errorf("found %+v, want the user's", m)
	}
}

func TestABadFileIsRefusedInOneLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "names no model"},
		{"name: x", "line 1: it must be a list of models"},
		{"- name: x\n---\nname: y\n", "line 3: it must be a list of models"},
		{"- name: x\n---\n---\n- name: X\n", `model "X" stands twice`},
		{"- name: x\n- name: caf\xe9", "line 2 is not UTF-8"},
		{"- name: x\x00", "line 1 holds a NUL"},
		{"\xff\xfe\x00\x00-\x00\x00\x00", "UTF-32"},
		{"- name: \"a\\nb\"", "one line without control characters"},
		{"- name: x\n  ids: {exo: [a, ]}\n- name: y\n  ids: {exo: [\"\"]}", `model 2, "y": its ids for "exo" must be`},
		{"- name: x\n  parameters: 1.5", "line 2: parameters is 1.5, it must be a whole number"},
		{"- name: x\n  shape: {layers: 2.5}", "line 2: layers is 2.5, it must be a whole number"},
		{"- ids: &a ? ids: &a !!set ", "it is no YAML"}, // the library panics
		{"- name: x\n  name: y", "line 2: mapping key"},
		{"- name: [a]", "line 1: "},
		{"- x", "line 1: "},
		{"- *a", "line 1: "},
		{"[", "line 1: "},
		{strings.Repeat("[", 100000), "nests deeper than"},
		{"- title: x", "model 1 has no name"},
		{"- name: x\n- name: x", "twice"},
		{"- name: x\n  idz: {}", "idz"},
		{"- name: x\n  shape: {layers: 0}", "layers is 0"},
		{"- name: x\n  shape: {layers: 1, hidden: 8, heads: 3, kv_heads: 2, ffn: 8, vocab: 8, context: 8, rope_base: 10000}", "multiple"},
		{"- name: x\n  shape: {layers: 0, hidden: 8, heads: 2, kv_heads: 1, ffn: 0, vocab: 8, context: 8, rope_base: 10000}", "layers is 0, it must be at least 1; shape: ffn is 0"},
	} {
		_, err := load(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want one line with %q", c.text, err, c.want)
		}
	}
}

// Whatever a models file holds, it is refused in one line or is models with
// names.
func FuzzParse(f *testing.F) {
	f.Add("- name: 1.10\n  parameters: 8\n  ids: {exo: [a, 5]}\n---\n- &a {name: x, shape: {layers: 1}}\n")
	f.Add("- ids: &a ? ids: &a !!set ")
	f.Add("- {name: x, ids: {exo: *a}}\n- <<: &b {name: y}\n")
	f.Fuzz(func(t *testing.T, text string) {
		models, err := parse(text)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line", err)
		}
		for _, m := range models {
			if m.Name == "" || strings.ContainsAny(m.Name, "\n\x00") {
				t.Errorf("a model's name is %q", m.Name)
			}
		}
	})
}
