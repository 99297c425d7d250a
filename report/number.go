package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"exobench"
	"exobench/metric"
)

// dash stands for what is unknown or not supported.
const dash = "–"

// scale turns base units into those that people read; a column has one.
type scale struct {
	unit   string
	factor float64
}

// scaleFor chooses the scale in which the lower median of the values that are
// not 0 is at least 1, as far as there is one.
func scaleFor(unit metric.Unit, values []float64) scale {
	var magnitudes []float64
	for _, v := range values {
		if v != 0 {
			magnitudes = append(magnitudes, math.Abs(v))
		}
	}
	slices.Sort(magnitudes)
	scales := map[metric.Unit][]scale{
		metric.Seconds: {{"s", 1}, {"ms", 1e3}, {"µs", 1e6}},
		metric.Bytes:   {{"GiB", 1.0 / (1 << 30)}, {"MiB", 1.0 / (1 << 20)}, {"KiB", 1.0 / (1 << 10)}},
	}[unit]
	if len(scales) == 0 {
		return scale{string(unit), 1}
	}
	for _, s := range scales {
		if len(magnitudes) == 0 || magnitudes[(len(magnitudes)-1)/2]*s.factor >= 1 {
			return s
		}
	}
	return scales[len(scales)-1]
}

func (s scale) text(v float64) string { return digits(v * s.factor) }

// heading returns a metric's title with the unit where the title has none.
func heading(m metric.Metric, s scale) string {
	if m.Unit == metric.TokensPerSecond || m.Unit == metric.RequestsPerSecond {
		if strings.Contains(strings.ToLower(m.Title), strings.TrimSuffix(string(m.Unit), "s/s")) {
			return m.Title
		}
	}
	return m.Title + " (" + s.unit + ")"
}

// digits writes a number with three significant digits, or all of its whole
// part where that has more.
func digits(v float64) string {
	rounded := strconv.FormatFloat(v, 'e', 2, 64)
	exponent, _ := strconv.Atoi(rounded[strings.IndexByte(rounded, 'e')+1:])
	switch {
	case v == 0:
		return "0"
	case exponent < -4:
		return rounded
	case exponent < 3:
		return strconv.FormatFloat(v, 'f', 2-exponent, 64)
	}
	return thousands(strconv.FormatFloat(v, 'f', 0, 64))
}

// thousands separates the thousands of a whole number of five digits or more.
func thousands(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if len(digits) < 5 {
		return sign + digits
	}
	var groups []string
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		groups = append(groups, digits[len(digits)-3:])
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	return sign + strings.Join(groups, ",")
}

// percent writes a share with as many digits as matter.
func percent(share float64) string {
	if share >= 0.0995 {
		return fmt.Sprintf("%.0f %%", 100*share)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}

// atAGlance cuts a span to what can be read so.
func atAGlance(d time.Duration) time.Duration {
	if d >= 10*time.Millisecond {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// The texts of values that may be unknown.

// orDash returns a text that may be empty.
func orDash(text string) string {
	if text == "" {
		return dash
	}
	return text
}

// share writes one of all cores, or of all events.
func share(v *float64) string {
	if v == nil {
		return dash
	}
	return fmt.Sprintf("%.1f %%", 100**v)
}

func micros(d time.Duration) string { return digits(float64(d) / 1e3) }

func millis(d *time.Duration) string {
	if d == nil {
		return dash
	}
	return digits(d.Seconds() * 1e3)
}

// size writes an amount of memory in a scale.
func (s scale) size(b exobench.Bytes, known bool) string {
	if !known {
		return dash
	}
	return s.text(float64(b))
}

// pointed returns what a pointer that may be nil points to.
func pointed[T any](p *T) (value T, known bool) {
	if p == nil {
		return value, false
	}
	return *p, true
}
