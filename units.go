package exobench

import "fmt"

// Bytes is a size in bytes.
type Bytes int64

// String formats a size for people, in binary units with three significant
// digits: "512 B", "1.50 MiB", "12.3 GiB".
func (b Bytes) String() string {
	if b < 0 {
		return "-" + (-b).String()
	}
	if b < 1024 {
		return fmt.Sprintf("%d B", int64(b))
	}
	value, unit := float64(b), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		value /= 1024
		if value < 1023.5 || unit == "TiB" {
			break
		}
	}
	digits := 2
	if value >= 9.995 {
		digits = 1
	}
	if value >= 99.95 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %s", digits, value, unit)
}

// Tokens is a length of text in tokens of the model that read or wrote it.
type Tokens int64
