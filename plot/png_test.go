package plot

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"testing"
)

func TestAPictureIsReadBackAsItWasDrawn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []image.Point{{1, 1}, {3, 2}, {200, 117}} {
		drawn := image.NewRGBA(image.Rectangle{Max: size})
		for y := range size.Y {
			for x := range size.X {
				c := color.RGBA{255, 255, 255, 255}
				if random.IntN(3) == 0 {
					c = color.RGBA{uint8(random.Uint32()), uint8(random.Uint32()), uint8(random.Uint32()), 255}
				}
				drawn.SetRGBA(x, y, c)
			}
		}
		var file bytes.Buffer
		if err := writePNG(&file, drawn); err != nil {
			t.Fatal(err)
		}
		read, err := png.Decode(&file)
		if err != nil || read.Bounds() != drawn.Rect {
			t.Fatalf("%v: read %v, %v", size, read, err)
		}
		for y := range size.Y {
			for x := range size.X {
				if got := color.RGBAModel.Convert(read.At(x, y)); got != drawn.RGBAAt(x, y) {
					t.Fatalf("%v: the pixel at %d, %d is %v, want %v", size, x, y, got, drawn.RGBAAt(x, y))
				}
			}
		}
		if file.Len() != 0 {
			t.Errorf("%v: %d bytes after the end", size, file.Len())
		}
	}
}

func BenchmarkBars(b *testing.B) {
	f := figures()["engines-3-models-5"]
	var file bytes.Buffer
	for b.Loop() {
		file.Reset()
		if err := Bars(&file, f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len()), "bytes")
}
