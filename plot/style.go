package plot

import "image/color"

// The colours: text dark enough to read from the back of a room, bars light
// enough to show a whisker on top of them.
var (
	textColor    = color.RGBA{0x1f, 0x23, 0x28, 0xff}
	quietColor   = color.RGBA{0x57, 0x60, 0x6a, 0xff}
	gridColor    = color.RGBA{0xe1, 0xe4, 0xe8, 0xff}
	missingColor = color.RGBA{0xb4, 0x23, 0x18, 0xff}
	greyColor    = color.RGBA{0x7d, 0x87, 0x92, 0xff}
)

// seriesColors can be told apart by people with the common colour blindnesses
// (after Okabe and Ito, "Color Universal Design", 2008); they repeat, darker.
var seriesColors = []color.RGBA{
	{0x4c, 0x86, 0xc6, 0xff}, // blue
	{0xe6, 0x9f, 0x2e, 0xff}, // orange
	{0x2f, 0xa0, 0x7e, 0xff}, // green
	{0xb5, 0x72, 0xa6, 0xff}, // purple
	{0xc9, 0x5d, 0x32, 0xff}, // vermilion
	{0x77, 0xb8, 0xdd, 0xff}, // sky
}

func seriesColor(series int) color.RGBA {
	c := seriesColors[series%len(seriesColors)]
	for range series / len(seriesColors) {
		c = color.RGBA{c.R / 5 * 3, c.G / 5 * 3, c.B / 5 * 3, 0xff}
	}
	return c
}

// shade returns the colour of one of a number of parts: the first is the
// colour itself, the last is half way to white.
func shade(c color.RGBA, part, parts int) color.RGBA {
	if parts < 2 {
		return c
	}
	lighter := func(v uint8) uint8 { return v + uint8(int(0xff-v)*part*58/(100*(parts-1))) }
	return color.RGBA{lighter(c.R), lighter(c.G), lighter(c.B), 0xff}
}
