package plot

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var show = flag.String("show", "", "write the test figures as PNG and SVG into this `folder`, to be looked at")

// bar is a value with an interval of a relative width.
func bar(value, width float64) Bar {
	lo, hi := value*(1-width), value*(1+width)
	return Bar{
		Value: value, Interval: &Interval{max(0, lo), hi},
		Label: fmt.Sprintf("%.3g", value), Detail: fmt.Sprintf("%.3g–%.3g", max(0, lo), hi),
	}
}

var names = []string{
	"llama-3.2-1b", "llama-3.1-8b", "mistral-7b", "qwen-1.5-7b", "deepseek-r1",
	"mlx-community/DeepSeek-R1-Distill-8B-4b", "gpt-oss-120b", "Averyveryverylongnamewithoutanyhyphenat", "phi-4-mini-instruct",
}

// figures is everything that a picture must cope with.
func figures() map[string]Figure {
	all := map[string]Figure{}
	base := Figure{
		Title: "Latency by model", Axis: "Latency (s)", Series: []string{"concurrency 1"},
		Subtitle: "embedded, random weights, scaled stand-ins · exobench 0.1 · 2026-01-02",
		Footnote: "Bars: median of the OK requests. Whiskers: 95 % confidence interval of the median. Prompts: 5, repeated 3 times, cold cache.",
	}
	for _, n := range []int{1, 2, 5, 9} {
		f := base
		for i := range n {
			f.Groups = append(f.Groups, Group{Name: names[i], Bars: []Bar{bar(1.5+float64(i*i%7), 0.1)}})
		}
		all[fmt.Sprintf("models-%d", n)] = f
	}
	wide := base
	for i, v := range []float64{0.01, 0.5, 100000, 731, 0} {
		wide.Groups = append(wide.Groups, Group{Name: names[i], Bars: []Bar{bar(v, 0.2)}})
	}
	all["values"] = wide
	odd := base
	odd.Groups = []Group{
		{Name: "no-interval", Bars: []Bar{{Value: 3, Label: "3.00", Detail: "n too small"}}},
		{Name: "failed-model", Bars: []Bar{{Missing: "failed"}}},
		{Name: "wide-interval", Bars: []Bar{bar(1, 9)}},
		{Name: "zero", Bars: []Bar{{Label: "0"}}},
		{Name: "negative", Bars: []Bar{{Value: -2, Label: "−2.00"}}},
	}
	all["odd"] = odd
	for _, n := range []int{2, 5, 9} {
		f := base
		f.Series = []string{"concurrency 1", "concurrency 2", "concurrency 4"}
		for i := range n {
			g := Group{Name: names[i]}
			for s := range f.Series {
				g.Bars = append(g.Bars, bar(float64((i+2)*(s+1))*1.31, 0.12))
			}
			f.Groups = append(f.Groups, g)
		}
		f.Groups[1].Bars = []Bar{{None: true}, {Missing: "failed"}, {None: true}}
		f.Groups[0].Bars[1] = Bar{Missing: "no OK request"}
		all[fmt.Sprintf("series-%d", n)] = f
	}
	memory := base
	memory.Title, memory.Axis, memory.Parts = "Memory by model", "Additional memory (GiB)", []string{"model", "inference"}
	for i, v := range []float64{1.2, 8.1, 7.3, 4.4, 5.1} {
		b := bar(v, 0.02)
		b.Parts = []float64{v * 0.8, v * 0.2}
		b.Detail = fmt.Sprintf("peak %.3g", v*1.05)
		memory.Groups = append(memory.Groups, Group{Name: names[i], Bars: []Bar{b}})
	}
	all["memory"] = memory
	both := memory
	both.Series = []string{"concurrency 1", "concurrency 4"}
	both.Groups = nil
	for _, g := range memory.Groups {
		both.Groups = append(both.Groups, Group{Name: g.Name, Bars: []Bar{g.Bars[0], g.Bars[0]}})
	}
	all["memory-series"] = both
	for _, engines := range []int{2, 3} {
		for _, models := range []int{1, 2, 5} {
			f, m := base, memory
			f.Series = []string{"exo", "llamacpp", "ollama"}[:engines]
			m.Series, m.Groups = f.Series, nil
			for i := range models {
				g, h := Group{Name: names[i]}, Group{Name: names[i]}
				for s := range engines {
					g.Bars = append(g.Bars, bar(1.5+float64((i+2*s)*(i+s)%7), 0.1))
					b := bar(2.5+float64((i+s)%4), 0.02)
					b.Parts = []float64{b.Value - 0.5 - 0.2*float64(s), 0.5 + 0.2*float64(s)}
					h.Bars = append(h.Bars, b)
				}
				f.Groups, m.Groups = append(f.Groups, g), append(m.Groups, h)
			}
			last := engines - 1
			f.Groups[models-1].Bars[last] = Bar{Missing: "failed"}
			m.Groups[models-1].Bars[last] = Bar{Missing: "failed"}
			if models > 2 { // an engine that lacks a model
				f.Groups[1].Bars[0], m.Groups[1].Bars[0] = Bar{None: true}, Bar{None: true}
			}
			all[fmt.Sprintf("engines-%d-models-%d", engines, models)] = f
			all[fmt.Sprintf("memory-engines-%d-models-%d", engines, models)] = m
		}
	}
	many := base
	many.Subtitle = strings.Repeat("a long subtitle that must be wrapped ", 6)
	many.Series = nil
	for s := range 8 {
		many.Series = append(many.Series, fmt.Sprintf("concurrency %d with a long name", 1<<s))
	}
	for i := range 12 {
		g := Group{Name: names[i%9]}
		for s := range many.Series {
			g.Bars = append(g.Bars, bar(float64(10000+i*s), 0.1))
		}
		many.Groups = append(many.Groups, g)
	}
	all["many"] = many
	all["empty"] = base
	return all
}

func TestTextsOfFiguresNeitherTouchNorLeaveThePage(t *testing.T) {
	for name, f := range figures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkTexts(t, f)
			if *show == "" {
				return
			}
			for ending, data := range map[string][]byte{".png": picture(t, f), ".svg": document(t, f)} {
				if err := os.WriteFile(filepath.Join(*show, name+ending), data, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestTheSameFigureGivesTheSameBytes(t *testing.T) {
	f := figures()["memory-series"]
	if !bytes.Equal(picture(t, f), picture(t, f)) {
		t.Error("the bytes of the PNG differ")
	}
	if !bytes.Equal(document(t, f), document(t, f)) {
		t.Error("the bytes of the SVG differ")
	}
}

func TestAPictureWidensForManyBars(t *testing.T) {
	if got := figureWidth(figures()["series-9"]); got != pageWidth {
		t.Errorf("27 bars: width %v, want %v", got, pageWidth)
	}
	if got := figureWidth(figures()["many"]); got <= pageWidth {
		t.Errorf("96 bars: width %v", got)
	}
}

// Narrow bars lose their details first, then the labels shrink, then they turn.
func TestLabelsGiveWayToNarrowBars(t *testing.T) {
	for name, want := range map[string]layout{
		"models-9": {detail: true},
		"series-9": {},
		"many":     {upright: true},
	} {
		f := figures()[name]
		l := newPainter(raster(f)).arrange(f, 100, 50, figureWidth(f)-margin, 500)
		if l.upright != want.upright || l.detail != want.detail {
			t.Errorf("%s: upright %v, details %v", name, l.upright, l.detail)
		}
	}
}

func TestTheOtherBarsOfAGroupCloseUp(t *testing.T) {
	f := figures()["engines-3-models-5"]
	var series []int
	for s := range f.Groups[1].bars() {
		series = append(series, s)
	}
	if !slices.Equal(series, []int{1, 2}) || f.Groups[1].count() != 2 || f.most() != 3 {
		t.Errorf("bars of series %v, at most %d in a group", series, f.most())
	}
}

func picture(t *testing.T, f Figure) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Bars(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func document(t *testing.T, f Figure) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := SVG(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSVGHasEveryTextInItsLengthAndNeedsNothingElse(t *testing.T) {
	for name, f := range figures() {
		if name == "models-1" {
			f.Title = `<text x="1" "quoted" & style="font-family:Liberation Sans;font-variant:normal;`
		}
		var want []string
		for _, b := range render(f, raster(f)).texts {
			want = append(want, fmt.Sprintf("%.5g %s", b.length, b.text))
		}
		got, shapes := contents(t, document(t, f))
		if !slices.Equal(got, want) {
			t.Errorf("%s: the texts are %q, want %q", name, got, want)
		}
		if shapes <= len(want) { // each text is on white, as is all of the page
			t.Errorf("%s: %d shapes for %d texts", name, shapes, len(want))
		}
	}
}

// contents returns the texts of an SVG document with their lengths, and the
// number of its shapes. It reports what the document should not have.
func contents(t *testing.T, document []byte) (texts []string, shapes int) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return texts, shapes
		}
		if err != nil {
			t.Fatal(err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		length := ""
		for _, a := range element.Attr {
			if a.Name.Local == "textLength" {
				length = a.Value
			}
			if a.Name.Local == "href" || strings.Contains(a.Value, "url(") || strings.Contains(a.Value, "font-family") && !strings.Contains(a.Value, "sans-serif") {
				t.Errorf("%s has %s=%q", element.Name.Local, a.Name.Local, a.Value)
			}
		}
		switch element.Name.Local {
		case "svg", "g":
		case "path":
			shapes++
		case "text":
			var text string
			if err := decoder.DecodeElement(&text, &element); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, length+" "+text)
		default:
			t.Errorf("there is an element %s", element.Name.Local)
		}
	}
}

// checkTexts reports text that touches other text or leaves the page.
func checkTexts(t *testing.T, f Figure) {
	t.Helper()
	p := render(f, raster(f))
	width := figureWidth(f)
	for i, a := range p.texts {
		if a.Min.X < 0 || a.Min.Y < 0 || a.Max.X > width || a.Max.Y > pageHeight {
			t.Errorf("%q leaves the page: %v", a.text, a.Rectangle)
		}
		for _, b := range p.texts[i+1:] {
			if a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y {
				t.Errorf("%q touches %q: %v, %v", a.text, b.text, a.Rectangle, b.Rectangle)
			}
		}
	}
}

func TestWhatCannotBeDrawnIsRefused(t *testing.T) {
	for _, f := range []Figure{
		{},
		{Series: []string{"a"}, Groups: []Group{{Name: "x"}}},
		{Series: []string{"a"}, Groups: []Group{{Name: "x", Bars: []Bar{{Value: math.NaN()}}}}},
		{Series: []string{"a"}, Groups: []Group{{Name: "x", Bars: []Bar{{Interval: &Interval{0, math.Inf(1)}}}}}},
		{Series: []string{"a"}, Groups: []Group{{Name: "x", Bars: []Bar{{Parts: []float64{1}}}}}},
	} {
		var b bytes.Buffer
		for _, draw := range []func(io.Writer, Figure) error{Bars, SVG} {
			if err := draw(&b, f); err == nil || b.Len() != 0 {
				t.Errorf("%+v is drawn (%v)", f, err)
			}
		}
	}
}

func TestTicksAreRound(t *testing.T) {
	for top, want := range map[float64]string{
		1:      "0 0.2 0.4 0.6 0.8 1.0",
		0.013:  "0 0.002 0.004 0.006 0.008 0.010 0.012",
		7.3:    "0 2 4 6",
		240:    "0 50 100 150 200",
		9000:   "0 2000 4000 6000 8000",
		115000: "0 20,000 40,000 60,000 80,000 100,000",
		2.4e6:  "0 500,000 1e+06 1.5e+06 2e+06",
	} {
		var labels []string
		for _, t := range ticks(top) {
			labels = append(labels, t.label)
		}
		if got := strings.Join(labels, " "); got != want {
			t.Errorf("ticks(%v) = %q, want %q", top, got, want)
		}
	}
}

func TestNamesAreBrokenAtHyphens(t *testing.T) {
	fits := func(s string) bool { return len(s) <= 8 }
	for text, want := range map[string][]string{
		"":                   nil,
		"short":              {"short"},
		"llama-3.1-8b":       {"llama-", "3.1-8b"},
		"two words":          {"two", "words"},
		"abcdefghijklmnopqr": {"abcdefgh", "ijklmnop", "qr"},
		"org/ab-cd-efghij":   {"org/ab-", "cd-", "efghij"},
	} {
		if got := wrap(text, fits); !slices.Equal(got, want) {
			t.Errorf("wrap(%q) = %q, want %q", text, got, want)
		}
	}
}
