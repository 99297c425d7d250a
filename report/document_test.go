package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"exobench/plot"
)

// specimen has each kind of part, with texts that would be more than texts in
// some medium.
func specimen() *Document {
	t := &Table{
		Columns: []Column{{Head: "Model", Left: true, Keep: true}, {Head: "n", Keep: true}, right("Latency (ms)"), left("First error")},
		Legend:  []string{"engine†: random weights"},
	}
	t.add("llama_3|2", "8", "619 [580, 646]", "–")
	t.add("*bold*", "3/5", "701", "\x1b[31m<b>red</b>\nnext line")
	t.refer(0, []string{"n = 3 is too small.", "2 failed: see _them_."})
	return &Document{
		Title: "exobench: exo_1",
		Lead: []Part{
			Paragraph{Text: Text{{Text: "Not a real engine.", Strong: true}}},
			Paragraph{Text: plainText("The run failed: # no heading, `no code`"), Callout: true},
			List{plainText("Run: 1"), plainText("# no heading"), Text{{Text: "Latency", Strong: true}, {Text: ": done − sent; [DONE] does not count."}}},
		},
		Sections: []Section{
			{Title: "Results", Parts: []Part{
				Figures{{File: "latency.png", Title: "latency", Chart: plot.Figure{}}, {File: "memory.png", Title: "memory"}},
				t,
				Paragraph{Text: plainText("1. no list")},
			}},
		},
	}
}

func TestMarkdownOfADocument(t *testing.T) {
	var b strings.Builder
	if err := Markdown(&b, specimen()); err != nil {
		t.Fatal(err)
	}
	golden(t, "specimen.md", []byte(b.String()))
}

func TestPlainTextOfADocument(t *testing.T) {
	for width, name := range map[int]string{0: "specimen-0.txt", 40: "specimen-40.txt"} {
		var b strings.Builder
		if err := Plain(&b, specimen(), width); err != nil {
			t.Fatal(err)
		}
		golden(t, name, []byte(b.String()))
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
				t.Errorf("%d characters at width %d: %q", n, width, line)
			}
		}
	}
}

func TestTextsMeanOnlyThemselvesInMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"plain words, 613 [580, 646] (95 %)":  "plain words, 613 [580, 646] (95 %)",
		"a_b_c stream_error":                  "a_b_c stream_error",
		"_a_ __b__ c_":                        `\_a\_ \_\_b\_\_ c\_`,
		"*a* **b** 2*3":                       `\*a\* \*\*b\*\* 2\*3`,
		"`code` ~gone~":                       "\\`code\\` \\~gone\\~",
		"<script>alert(1)</script> 1 < 2":     `\<script>alert(1)\</script> 1 \< 2`,
		"[a](http://x) ![b](c) [d][e] [f]: g": `[a\](http://x) ![b\](c) [d\][e] [f\]: g`,
		"&amp; &#42; R&D & so":                `\&amp; \&#42; R\&D & so`,
		`C:\dir\*`:                            `C:\\dir\\\*`,
		"C# ##":                               `C# \##`,
		"two\nlines\t and\r\nmore":            "two lines and more",
		"\x1b]0;title\x07 \u202eright":        `\\u001b]0;title\\u0007 \\u202eright`,
	} {
		if got := escapeMarkdown(text); got != want {
			t.Errorf("%q is written as %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"# a": `\# a`, "- a": `\- a`, "+ a": `\+ a`, "> a": `\> a`, "1. a": `1\. a`, "12) a": `12\) a`, "12 a": "12 a", "=== a": `\=== a`, "a # b": "a # b",
	} {
		if got := startOfLine(text); got != want {
			t.Errorf("at the start of a line %q is written as %q, want %q", text, got, want)
		}
	}
}

func TestATerminalIsNotCommanded(t *testing.T) {
	for text, want := range map[string]string{
		"runner died | *code* <3>": "runner died | *code* <3>",
		"\x1b[2Jgone\a\u009b31m":   `\u001b[2Jgone\u0007\u009b31m`,
		"abc\u202edef\u2066":       `abc\u202edef\u2066`,
		"a\nb\tc":                  "a b c",
		"größer 模型 👩‍💻":            "größer 模型 👩‍💻",
	} {
		if got := escapePlain(text); got != want {
			t.Errorf("%q is written as %q, want %q", text, got, want)
		}
	}
}

func TestWideCharactersTakeTwoColumns(t *testing.T) {
	table := &Table{Columns: []Column{left("Model"), right("n")}}
	table.add("模型", "1")
	table.add("abcd", "2")
	var b strings.Builder
	if err := Plain(&b, &Document{Sections: []Section{{Parts: []Part{table}}}}, 0); err != nil {
		t.Fatal(err)
	}
	if want := "Model  n\n模型   1\nabcd   2\n"; !strings.HasPrefix(b.String(), want) {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestAFootnoteIsGivenOnce(t *testing.T) {
	table := &Table{Columns: []Column{left("Model")}}
	for range 2 {
		table.add("m")
		table.refer(0, []string{"same", "other"})
	}
	if got := table.Rows[1][0].String(); got != "m¹,²" || len(table.Notes) != 2 {
		t.Errorf("%q, notes %q", got, table.Notes)
	}
}
