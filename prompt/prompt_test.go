package prompt

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"

	"exobench"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), name), text)
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// inUTF16 returns the text, its byte-order mark included, as UTF-16.
func inUTF16(order binary.AppendByteOrder, text string) string {
	var raw []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		raw = order.AppendUint16(raw, unit)
	}
	return string(raw)
}

func TestFilesOfEachKind(t *testing.T) {
	two := []exobench.Prompt{{ID: "ask-1", Text: "one"}, {ID: "ask-2", Text: "two"}}
	texts := func(all ...string) []exobench.Prompt {
		prompts := make([]exobench.Prompt, len(all))
		for i, text := range all {
			prompts[i] = exobench.Prompt{ID: "ask-" + string(rune('1'+i)), Text: text}
		}
		return prompts
	}
	ids := func(all ...string) []exobench.Prompt {
		prompts := make([]exobench.Prompt, len(all))
		for i, id := range all {
			prompts[i] = exobench.Prompt{ID: id, Text: "x"}
		}
		return prompts
	}
	for _, c := range []struct {
		why, name, text string
		want            []exobench.Prompt
	}{
		{"a mark, a blank line, spaces around", "ask.txt", "\ufeffone\n\n  two \r\n", two},
		{"CRLF", "ask.txt", "one\r\ntwo\r\n", two},
		{"CR", "ask.txt", "one\rtwo\r", two},
		{"CR twice before LF, as a broken conversion leaves it", "ask.txt", "one\r\r\ntwo\r\r\n", two},
		{"no end of the last line", "ask.txt", "one\ntwo", two},
		{"an ending in capitals", "ask.TXT", "one\ntwo", two},
		{"two files with marks that were joined", "ask.txt", "\ufeffone\n\ufefftwo\n", two},
		{"UTF-16 LE, CRLF", "ask.txt", inUTF16(binary.LittleEndian, "one\r\ntwo\r\n"), two},
		{"UTF-16 BE, CRLF", "ask.txt", inUTF16(binary.BigEndian, "one\r\ntwo\r\n"), two},
		{"UTF-16 beyond its first plane", "ask.txt", inUTF16(binary.LittleEndian, "𝄞 é"), texts("𝄞 é")},
		{"UTF-16 in JSON", "ask.jsonl", inUTF16(binary.LittleEndian, "{\"prompt\":\"one\"}\r\n{\"prompt\":\"two\"}\r\n"), two},
		{"UTF-16 in YAML", "ask.yaml", inUTF16(binary.BigEndian, "- one\r\n- two\r\n"), two},
		{"Unicode's separators end no line", "ask.txt", "a\u2028b\u2029c\u0085d\vé", texts("a\u2028b\u2029c\u0085d\vé")},
		{"a line longer than any buffer", "ask.txt", strings.Repeat("word ", 1<<20) + "end", texts(strings.Repeat("word ", 1<<20) + "end")},
		{"quotes and braces are text", "ask.txt", `{"prompt": "x"}`, texts(`{"prompt": "x"}`)},

		{"an id and none", "ask.jsonl", `{"prompt":"a\nb"}` + "\n\n" + `{"id":"x","prompt":"c"}`, []exobench.Prompt{{ID: "ask-1", Text: "a\nb"}, {ID: "x", Text: "c"}}},
		{"CR", "ask.jsonl", "{\"prompt\":\"one\"}\r{\"prompt\":\"two\"}\r", two},
		{"spaces of a text are kept", "ask.jsonl", `{"prompt":" a \n"}`, texts(" a \n")},
		{"a line longer than any buffer", "ask.jsonl", `{"prompt":"` + strings.Repeat("word ", 1<<20) + `"}`, texts(strings.Repeat("word ", 1<<20))},
		{"ids of other kinds", "ask.jsonl", `{"id":81,"prompt":"x"}` + "\n" + `{"id":1.50,"prompt":"x"}` + "\n" + `{"id":true,"prompt":"x"}` + "\n" + `{"id":null,"prompt":"x"}` + "\n" + `{"id":" y ","prompt":"x"}` + "\n" + `{"id":" ","prompt":"x"}`, ids("81", "1.50", "true", "ask-4", "y", "ask-6")},
		{"characters in escapes", "ask.jsonl", `{"prompt":"\ud834\udd1e \ufffd �"}`, texts("𝄞 \ufffd \ufffd")},

		{"a text, and an object", "ask.yaml", "- one\n- id: x\n  prompt: |\n    two\n    lines\n", []exobench.Prompt{{ID: "ask-1", Text: "one"}, {ID: "x", Text: "two\nlines\n"}}},
		{"CRLF", "ask.yml", "- one\r\n- two\r\n", two},
		{"CR", "ask.yaml", "- one\r- two\r", two},
		{"a mark", "ask.yaml", "\ufeff- one\n- two\n", two},
		{"several documents", "ask.yaml", "%YAML 1.2\n---\n- one\n---\n# none\n---\n- two\n...\n", two},
		{"ids of other kinds", "ask.yaml", "- {id: 81, prompt: x}\n- {id: 0x10, prompt: x}\n- {id: 1_000, prompt: x}\n- {id: 1.50, prompt: x}\n- {id: 2001-01-01, prompt: x}\n- {id: null, prompt: x}\n- {id: yes, prompt: x}\n- {id: true, prompt: x}\n- {id: , prompt: x}\n- {id: ~, prompt: x}\n- {id: .nan, prompt: x}\n- {id: -.inf, prompt: x}\n- {id: 012, prompt: x}\n- {id: '12', prompt: x}\n",
			ids("81", "0x10", "1_000", "1.50", "2001-01-01", "null", "yes", "true", "ask-9", "~", ".nan", "-.inf", "012", "12")},
		{"texts that YAML takes for something else", "ask.yaml", "- 1984\n- 1.50 # why\n- 2001-01-01\n- no\n- null\n- <<\n", texts("1984", "1.50", "2001-01-01", "no", "null", "<<")},
		{"styles of texts", "ask.yaml", "- two\n  lines\n- >-\n  folded\n  text\n- \"q\\u00e9\\n \"\n- 'it''s '\n- !!str 5\n", texts("two lines", "folded text", "qé\n ", "it's ", "5")},
		{"anchors and aliases", "ask.yaml", "- &a one\n- {id: x, prompt: &b two}\n- *a\n- &c {prompt: *b}\n", []exobench.Prompt{{ID: "ask-1", Text: "one"}, {ID: "x", Text: "two"}, {ID: "ask-3", Text: "one"}, {ID: "ask-4", Text: "two"}}},
	} {
		t.Run(c.name+" "+c.why, func(t *testing.T) {
			got, err := Load([]string{file(t, c.name, c.text)})
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%.300q, %v; want %.300q", got, err, c.want)
			}
		})
	}
}

func TestBadFilesAreRefusedInOneLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"ask.txt", " \n\n", "is empty"},
		{"ask.txt", "", "is empty"},
		{"ask.txt", "\ufeff", "is empty"},
		{"ask.txt", "\xff\xfe", "is empty"},
		{"ask.txt", "one\ncaf\xe9\n", "line 2 is not UTF-8 (byte 0xe9"},
		{"ask.jsonl", "{\"prompt\":\"\xe9\"}", "line 1 is not UTF-8"},
		{"ask.yaml", "- one\r- \xe9\r", "line 2 is not UTF-8"},
		{"ask.txt", "one\r\ntwo\x00\r\n", "line 2 holds a NUL"},
		{"ask.txt", "\x89PNG\r\n\x1a\n\x00\x00", "line 3 holds a NUL: it is no text"},
		{"ask.txt", inUTF16(binary.LittleEndian, "one")[2:], "UTF-16 or UTF-32 without a byte-order mark"},
		{"ask.txt", inUTF16(binary.LittleEndian, "one\ntwo\x00"), "line 2 holds a NUL"},
		{"ask.txt", inUTF16(binary.LittleEndian, "one") + "x", "ends within a character"},
		{"ask.txt", inUTF16(binary.LittleEndian, "one") + "\x00\xd8", "half a character"},
		{"ask.txt", "\xff\xfe\x00\x00o\x00\x00\x00", "it is UTF-32: save it as UTF-8"},
		{"ask.txt", "\x00\x00\xfe\xff\x00\x00\x00o", "it is UTF-32: save it as UTF-8"},
		{"ask.csv", "a", "must end in"},
		{"ask", "a", "must end in"},
		{"ask.json", "[]", "must end in"},

		{"ask.jsonl", "{\"prompt\":\"a\"}\nnonsense\n", "line 2 is no whole JSON object"},
		{"ask.jsonl", "{\n  \"prompt\": \"a\"\n}\n", "line 1 is no whole JSON object"},
		{"ask.jsonl", `[{"prompt":"a"}]`, "line 1 is no whole JSON object"},
		{"ask.jsonl", `"a"`, "line 1 is no whole JSON object"},
		{"ask.jsonl", `{"prompt":"a"`, "line 1 is no whole JSON object"},
		{"ask.jsonl", `{"prompt":"a",}`, "line 1 is no whole JSON object"},
		{"ask.jsonl", `{"prompt":"a"} {"prompt":"b"}`, "line 1 goes on after its object"},
		{"ask.jsonl", `{"prompt":"a"}}`, "line 1 goes on after its object"},
		{"ask.jsonl", `{}`, `line 1 has no "prompt"`},
		{"ask.jsonl", `{"id":"a"}`, `line 1 has no "prompt"`},
		{"ask.jsonl", `{"text":"a"}`, `has no "prompt", but "text": call the text "prompt"`},
		{"ask.jsonl", `{"question":"a"}`, `has no "prompt", but "question"`},
		{"ask.jsonl", `{"promt":"a"}`, `has no "prompt", but "promt"`},
		{"ask.jsonl", `{"Prompt":"a"}`, `has no "prompt", but "Prompt"`},
		{"ask.jsonl", `{"messages":[{"role":"user","content":"a"}],"model":"m","n":1,"top_p":1}`, `has no "prompt", but "messages", "model", "n", …: call`},
		{"ask.jsonl", `{"prompt":"a","system":"b"}`, `line 1 has "system": only "id" and "prompt" are read`},
		{"ask.jsonl", `{"prompt":"a","prompt":"b"}`, `line 1 has "prompt" twice`},
		{"ask.jsonl", `{"prompt":5}`, `"prompt" that is no text`},
		{"ask.jsonl", `{"prompt":null}`, `"prompt" that is no text`},
		{"ask.jsonl", `{"prompt":["a"]}`, `"prompt" that is no text`},
		{"ask.jsonl", `{"prompt":" \n"}`, "line 1: prompt 1 has no text"},
		{"ask.jsonl", `{"prompt":"a\u0000b"}`, "holds a NUL"},
		{"ask.jsonl", `{"prompt":"\ud800"}`, "half of a character"},
		{"ask.jsonl", `{"id":[1],"prompt":"a"}`, `"id" that is no text or number`},
		{"ask.jsonl", `{"id":"a\nb","prompt":"a"}`, `has the id "a\nb": an id is one line`},
		{"ask.jsonl", `{"id":"\u001b[2J","prompt":"a"}`, "an id is one line"},
		{"ask.jsonl", strings.Repeat(`{"a":`, 20000), "line 1 is no whole JSON object"},

		{"ask.yaml", "", "is empty"},
		{"ask.yaml", "# none\n", "is empty"},
		{"ask.yaml", "[]\n", "is empty"},
		{"ask.yaml", "a: [", "line 1: "},
		{"ask.yaml", "prompts:\n- a\n", "line 1: it must be a list"},
		{"ask.yaml", "just a text\n", "line 1: it must be a list"},
		{"ask.yaml", "- a\n---\nb: c\n", "line 3: it must be a list"},
		{"ask.yaml", "- a\n-\n", "line 2: prompt 2 has no text"},
		{"ask.yaml", "- '  '\n", "line 1: prompt 1 has no text"},
		{"ask.yaml", "- id: x\n", `line 1: prompt 1 has no "prompt"`},
		{"ask.yaml", "- a\n- id: x\n  promt: b\n", `line 2: prompt 2 has no "prompt", but "promt"`},
		{"ask.yaml", "- id: x\n  prompt: b\n  system: c\n", `has "system": only`},
		{"ask.yaml", "- id: x\n  id: y\n  prompt: b\n", `line 2: mapping key "id" already defined`},
		{"ask.yaml", "- - a\n", "must be a text, or an object"},
		{"ask.yaml", "- prompt: [a]\n", `has a "prompt" that is no text`},
		{"ask.yaml", "- prompt: {a: b}\n", `has a "prompt" that is no text`},
		{"ask.yaml", "- {id: [a], prompt: b}\n", `has a "id" that is no text`},
		{"ask.yaml", "- *a\n", "has the alias *a"},
		{"ask.yaml", "- &a {prompt: *a}\n", `has a "prompt" that is no text`},
		{"ask.yaml", "- &a [*a]\n", "must be a text"},
		{"ask.yaml", "- &a *a\n", "line 1: "},
		{"ask.yaml", "- &a a\n---\n- *a\n", "line 3: prompt 2 has the alias *a"},
		{"ask.yaml", "- &a {id: a, prompt: b}\n- {<<: *a, id: c}\n", `has no "prompt", but "<<"`},
		{"ask.yaml", "!!float ~[1!!int ", "line 1: it must be a list"}, // the library's decoder panics
		{"ask.yaml", "- !!binary aGk=\n", "has the tag !!binary: leave it out"},
		{"ask.yaml", "- \"\\0\"\n", "holds a NUL"},
		{"ask.yaml", "- {id: \"a\\nb\", prompt: b}\n", "an id is one line"},
		{"ask.yaml", strings.Repeat("[", 100000), "line 1 nests deeper than"},
		{"ask.yaml", strings.Repeat("- ", 100000), "line 1 nests deeper than"},

		{"ask.txt", strings.Repeat("a", 64<<20+1), "larger than 64 MiB"},
		{"ask\n.txt", "", `ask\n.txt": it is empty`},
	} {
		path := file(t, c.name, c.text)
		_, err := Load([]string{path})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q %.100q: error %v, want one line with %q", c.name, c.text, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), filepath.Dir(path)) {
			t.Errorf("%q: error %v does not name the file", c.name, err)
		}
	}
}

func TestOnlyFilesAreReadAndNothingIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	pipe, folder := filepath.Join(dir, "pipe.txt"), filepath.Join(dir, "folder.txt")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Mkdir(folder, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "none.txt"), "none.txt: no such file"},
		{folder, "it is a folder"},
		{pipe, "it is a pipe"},
		{"/dev/null", "it is a device"},
		{"", "its name is empty"},
		{"standard,", "its name is empty"},
		{" ask.txt", `" ask.txt": no such file`},
		{strings.Repeat("long", 100) + ".txt", "file name too long"},
	} {
		_, err := Load([]string{c.path})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want one line with %q", c.path, err, c.want)
		}
	}
}

func TestAValueIsTheLongestNameThatIsThere(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.txt", "b.txt", "c,d.txt", "c", "a.txt,c", `say "hi".txt`, `"q,r".txt`, "e.txt,f.txt", "e.txt", "f.txt"} {
		write(t, name, name+"\n")
	}
	for _, c := range []struct {
		values []string
		want   []string // the sources' texts, each its file's name
	}{
		{[]string{"a.txt,b.txt"}, []string{"a.txt", "b.txt"}},
		{[]string{"a.txt", "b.txt"}, []string{"a.txt", "b.txt"}},
		{[]string{"c,d.txt"}, []string{"c,d.txt"}},
		{[]string{"b.txt,c,d.txt,e.txt"}, []string{"b.txt", "c,d.txt", "e.txt"}},
		{[]string{`say "hi".txt`}, []string{`say "hi".txt`}},
		{[]string{`a.txt,"q,r".txt`}, []string{"a.txt", `"q,r".txt`}},
		{[]string{"e.txt,f.txt"}, []string{"e.txt,f.txt"}},
		{[]string{"e.txt", "f.txt"}, []string{"e.txt", "f.txt"}},
	} {
		prompts, err := Load(c.values)
		var got []string
		for _, p := range prompts {
			got = append(got, p.Text)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %v; want %q", c.values, got, err, c.want)
		}
	}
	all, err := Load([]string{"standard,a.txt"})
	if err != nil || len(all) != 6 || all[5].ID != "a-1" {
		t.Errorf("standard,a.txt: %d prompts, %v", len(all), err)
	}
}

func TestIDsMadeFromNamesDiffer(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"ask.txt", "ask.jsonl.txt", "x/ask.txt", "y/ask.txt", "y/x/ask.txt", ".txt", "a\nb.txt", "standard.txt"} {
		write(t, name, "x\n")
	}
	write(t, "ask.jsonl", `{"prompt":"x"}`)
	write(t, "ask.yaml", "- {id: given, prompt: x}\n")
	for _, c := range []struct{ values, want []string }{
		{[]string{"ask.txt"}, []string{"ask-1"}},
		{[]string{"x/ask.txt"}, []string{"ask-1"}},
		{[]string{"ask.txt", "ask.jsonl"}, []string{"ask.txt-1", "ask.jsonl-1"}},
		{[]string{"x/ask.txt", "y/ask.txt"}, []string{"x/ask.txt-1", "y/ask.txt-1"}},
		{[]string{"ask.txt", "x/ask.txt", "y/x/ask.txt"}, []string{"ask.txt-1", "x/ask.txt-1", "y/x/ask.txt-1"}},
		{[]string{"ask.txt", "ask.jsonl", "ask.jsonl.txt"}, []string{"ask.txt-1", "ask.jsonl-1", "ask.jsonl.txt-1"}},
		{[]string{".txt"}, []string{".txt-1"}},
		{[]string{"a\nb.txt"}, []string{`a\nb-1`}},
	} {
		prompts, err := Load(c.values)
		var got []string
		for _, p := range prompts {
			got = append(got, p.ID)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: ids %q, %v; want %q", c.values, got, err, c.want)
		}
	}
}

func TestAnIDThatStandsTwiceIsRefusedWithBothPlaces(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a.jsonl", `{"id":"81","prompt":"x"}`+"\n\n"+`{"id":81,"prompt":"y"}`)
	write(t, "b.jsonl", `{"id":81,"prompt":"x"}`)
	write(t, "c.yaml", "- {id: x, prompt: a}\n- id: 81\n  prompt: y\n")
	write(t, "d.yaml", "- {id: e-1, prompt: a}\n")
	write(t, "e.txt", "x\n")
	write(t, "f.jsonl", `{"id":"photosynthesis","prompt":"x"}`)
	if err := os.Symlink("e.txt", "g.txt"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{"a.jsonl"}, `prompt id "81" stands twice, in a.jsonl, line 1 and in a.jsonl, line 3`},
		{[]string{"b.jsonl", "c.yaml"}, `prompt id "81" stands twice, in b.jsonl, line 1 and in c.yaml, line 2`},
		{[]string{"d.yaml", "e.txt"}, `prompt id "e-1" stands twice, in d.yaml, line 1 and in e.txt, line 1 (made from the file's name)`},
		{[]string{"standard", "f.jsonl"}, `prompt id "photosynthesis" stands twice, in standard and in f.jsonl, line 1`},
		{[]string{"e.txt", "e.txt"}, "asked for twice, as e.txt and as e.txt"},
		{[]string{"e.txt", "./e.txt"}, "asked for twice, as e.txt and as ./e.txt"},
		{[]string{"e.txt", "g.txt"}, "asked for twice, as e.txt and as g.txt"},
		{[]string{"standard,standard"}, "asked for twice, as standard and as standard"},
	} {
		_, err := Load(c.values)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want one line with %q", c.values, err, c.want)
		}
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
