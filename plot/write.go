package plot

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Bars writes the figure as a PNG, 1400 × 800 pixels unless it has too many
// bars for that.
func Bars(w io.Writer, f Figure) error {
	if err := f.validate(); err != nil {
		return err
	}
	canvas := raster(f)
	render(f, canvas)
	return writePNG(w, canvas.Image().(*image.RGBA)) // which is what a canvas draws on
}

func raster(f Figure) *vgimg.Canvas {
	return vgimg.NewWith(vgimg.UseWH(figureWidth(f), pageHeight), vgimg.UseDPI(96), vgimg.UseBackgroundColor(color.White))
}

// SVG writes the figure as an SVG document that needs nothing but itself, 1050 ×
// 600 points unless it has too many bars for that.
//
// Its texts are in Liberation Sans, or in Arial or Helvetica, whose letters are
// as wide. In any other font they are condensed to the width that they have here.
//
// Note: with the fonts in it, the document would be 1 MB larger.
func SVG(w io.Writer, f Figure) error {
	if err := f.validate(); err != nil {
		return err
	}
	width := figureWidth(f)
	canvas := vgsvg.New(width, pageHeight)
	canvas.SetColor(color.White)
	canvas.Fill(vg.Rectangle{Max: vg.Point{X: width, Y: pageHeight}}.Path())
	texts := render(f, canvas).texts
	var document bytes.Buffer
	if _, err := canvas.WriteTo(&document); err != nil {
		return err
	}
	_, err := w.Write(anyFont(document.Bytes(), texts))
	return err
}

// The font of a text as the canvas writes it, and with what may stand in for it.
const (
	oneFamily = `style="font-family:Liberation Sans;font-variant:normal;`
	families  = `style="font-family:'Liberation Sans',Arial,Helvetica,sans-serif;`
)

// anyFont returns the document with texts that keep their lengths in any font.
// The texts are those of the document, in its order; their own words cannot be
// taken for an element or an attribute, since the canvas escapes brackets and
// quotes.
func anyFont(document []byte, texts []box) []byte {
	const element = "<text "
	pieces := bytes.Split(bytes.ReplaceAll(document, []byte(oneFamily), []byte(families)), []byte(element))
	whole := pieces[0]
	for i, piece := range pieces[1:] {
		whole = fmt.Appendf(whole, `%stextLength="%.5g" lengthAdjust="spacingAndGlyphs" `, element, texts[i].length)
		whole = append(whole, piece...)
	}
	return whole
}
