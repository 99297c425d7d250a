package gpu

import (
	"bytes"
	"math"
	"strconv"
)

// fields cuts a line of nvidia-smi's CSV into n fields without spaces around them,
// and appends them to to. The last one may hold commas, as names of programs do. It
// reports whether there were as many.
func fields(to [][]byte, line []byte, n int) ([][]byte, bool) {
	for len(to) < n-1 {
		field, rest, found := bytes.Cut(line, []byte{','})
		if !found {
			return to, false
		}
		to, line = append(to, bytes.TrimSpace(field)), rest
	}
	return append(to, bytes.TrimSpace(line)), true
}

// units are those that nvidia-smi writes after numbers, or in the brackets of
// headings.
var units = map[string]float64{
	"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"W": 1, "mW": 1e-3, "kW": 1e3, "MHz": 1e6, "GHz": 1e9, "%": 0.01, "C": 1,
}

// number reads a field: a number, with or without a unit. unit is what a number
// without one is in. It is absent where the driver writes why there is none, such
// as [N/A] or [Not Supported], and where it is no number.
func number(field []byte, unit float64) (float64, bool) {
	text, name, _ := bytes.Cut(field, []byte{' '})
	if hex, ok := bytes.CutPrefix(text, []byte("0x")); ok {
		bits, err := strconv.ParseUint(string(hex), 16, 64)
		return float64(bits), err == nil && len(name) == 0
	}
	if percent, ok := bytes.CutSuffix(text, []byte{'%'}); ok && len(name) == 0 {
		text, name = percent, []byte{'%'}
	}
	if len(name) > 0 {
		known, ok := units[string(bytes.TrimSpace(name))]
		if !ok {
			return 0, false
		}
		unit = known
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return 0, false
	}
	return v * unit, true
}
