package plot

import (
	"image/color"
	"math"
	"sync"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// painter draws shapes and lines of text, and remembers where the text is.
// The origin is at the bottom left; lengths are in points, 96 pixels to 72.
type painter struct {
	canvas draw.Canvas
	fonts  *font.Cache
	texts  []box
}

// box is the place of a line of text, which is length long from its first letter
// to its last.
type box struct {
	text   string
	length vg.Length
	vg.Rectangle
}

// ink is how text looks.
type ink struct {
	size  vg.Length
	bold  bool
	color color.Color
}

// anchor says which part of a line of text is at the point given.
type anchor vg.Length

const (
	left   anchor = 0
	centre anchor = 0.5
	right  anchor = 1
)

// fonts are read once, when they are first needed.
var fonts = sync.OnceValue(func() *font.Cache { return font.NewCache(liberation.Collection()) })

func newPainter(canvas vg.CanvasSizer) *painter {
	return &painter{canvas: draw.New(canvas), fonts: fonts()}
}

func (p *painter) face(k ink) *font.Face {
	weight := stdfont.WeightNormal
	if k.bold {
		weight = stdfont.WeightBold
	}
	face := p.fonts.Lookup(font.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight}, k.size)
	return &face
}

func (p *painter) width(text string, k ink) vg.Length { return p.face(k).Width(text) }

// widest returns the width of the widest of the texts.
func (p *painter) widest(texts []string, k ink) (width vg.Length) {
	for _, text := range texts {
		width = max(width, p.width(text, k))
	}
	return width
}

// write draws one line of text with its baseline at y.
func (p *painter) write(text string, k ink, x, y vg.Length, a anchor) {
	if text == "" {
		return
	}
	face := p.face(k)
	width := face.Width(text)
	x -= vg.Length(a) * width
	p.clear(x, y, x+width, y+capHeight(k))
	p.canvas.SetColor(k.color)
	p.canvas.FillString(*face, vg.Point{X: x, Y: y}, text)
	p.remember(text, width, x, y-face.Extents().Descent, x+width, y+capHeight(k))
}

// clear draws white where text will be, so that no grid line runs through it.
func (p *painter) clear(x0, y0, x1, y1 vg.Length) {
	p.fill(color.White, x0-1, y0-1, x1+1, y1+1)
}

// writeUp draws one line of text that reads upwards from y, centred at x.
func (p *painter) writeUp(text string, k ink, x, y vg.Length) {
	if text == "" {
		return
	}
	face := p.face(k)
	x += capHeight(k) / 2
	p.clear(x-capHeight(k), y, x, y+face.Width(text))
	p.canvas.Push()
	p.canvas.Translate(vg.Point{X: x, Y: y})
	p.canvas.Rotate(math.Pi / 2)
	p.canvas.SetColor(k.color)
	p.canvas.FillString(*face, vg.Point{}, text)
	p.canvas.Pop()
	p.remember(text, face.Width(text), x-capHeight(k), y, x+face.Extents().Descent, y+face.Width(text))
}

func (p *painter) remember(text string, length, x0, y0, x1, y1 vg.Length) {
	p.texts = append(p.texts, box{text, length, vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}}})
}

// capHeight returns the height of capitals and digits.
func capHeight(k ink) vg.Length { return 0.72 * k.size }

// leading returns the distance between baselines.
func leading(k ink) vg.Length { return 1.22 * k.size }

func (p *painter) fill(c color.Color, x0, y0, x1, y1 vg.Length) {
	p.canvas.FillPolygon(c, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

func (p *painter) line(c color.Color, width, x0, y0, x1, y1 vg.Length) {
	p.canvas.StrokeLine2(draw.LineStyle{Color: c, Width: width}, x0, y0, x1, y1)
}
