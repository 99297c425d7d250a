package plot

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"io"
)

// signature is what every PNG begins with.
const signature = "\x89PNG\r\n\x1a\n"

// The form of the pictures: 8 bits for each of three colours, compressed by
// deflate, with one filter for each line of pixels, from top to bottom.
var form = []byte{8, 2, 0, 0, 0}

// up is the filter by which each byte is the difference to the one above it.
const up = 2

// writePNG writes an opaque picture. It loses nothing.
//
// Note: package image/png tries all filters on each line and compresses as small
// as it can, which took a tenth of the CPU time of a whole run. A figure is
// mostly areas of one colour, for which one filter will do.
func writePNG(w io.Writer, picture *image.RGBA) error {
	size := picture.Rect.Size()
	header := binary.BigEndian.AppendUint32(nil, uint32(size.X))
	header = binary.BigEndian.AppendUint32(header, uint32(size.Y))
	var pixels bytes.Buffer
	if err := deflate(&pixels, picture); err != nil {
		return err
	}
	file := []byte(signature)
	file = appendChunk(file, "IHDR", append(header, form...))
	file = appendChunk(file, "IDAT", pixels.Bytes())
	file = appendChunk(file, "IEND", nil)
	_, err := w.Write(file)
	return err
}

// appendChunk appends a chunk: its length, its name, its data and their checksum.
func appendChunk(file []byte, name string, data []byte) []byte {
	file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
	checked := len(file)
	file = append(append(file, name...), data...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[checked:]))
}

// deflate compresses the picture's lines.
func deflate(w io.Writer, picture *image.RGBA) error {
	z, err := zlib.NewWriterLevel(w, zlib.BestSpeed)
	if err != nil {
		return err
	}
	size := picture.Rect.Size()
	above := make([]byte, 4*size.X) // of the first line
	line := make([]byte, 1+3*size.X)
	line[0] = up
	for y := range size.Y {
		here := picture.Pix[y*picture.Stride:][:4*size.X]
		subtract(line[1:], here, above)
		if _, err := z.Write(line); err != nil {
			return err
		}
		above = here
	}
	return z.Close()
}

// subtract sets the colours of a line of pixels to their differences to those of
// the line above. Most lines are as the one above.
func subtract(colours, here, above []byte) {
	if bytes.Equal(here, above) {
		clear(colours)
		return
	}
	for x := range len(here) / 4 {
		to, from := colours[3*x:][:3], 4*x
		to[0] = here[from] - above[from]
		to[1] = here[from+1] - above[from+1]
		to[2] = here[from+2] - above[from+2]
	}
}
