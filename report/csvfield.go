package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// The functions here add the text of one field of a CSV file to b, and nothing for
// what is unknown.

// appendText quotes the text where encoding/csv does.
func appendText(b []byte, text string) []byte {
	first, _ := utf8.DecodeRuneInString(text)
	if text != `\.` && !strings.ContainsAny(text, ",\"\r\n") && !unicode.IsSpace(first) {
		return append(b, text...)
	}
	b = append(b, '"')
	for part := range strings.SplitAfterSeq(text, `"`) {
		b = append(b, part...)
		if strings.HasSuffix(part, `"`) {
			b = append(b, '"')
		}
	}
	return append(b, '"')
}

// appendInstant adds the seconds since the epoch to the nanosecond, without the
// rounding of a float.
func appendInstant(b []byte, t exobench.Instant) []byte {
	if !t.Reached() {
		return b
	}
	if t < 0 {
		b, t = append(b, '-'), -t
	}
	b = strconv.AppendInt(b, int64(t/1e9), 10)
	point := len(b)
	b = strconv.AppendInt(b, int64(t%1e9)+1e9, 10) // ten digits, the first of which is in the point's place
	b[point] = '.'
	return b
}

// appendExact adds a value for machines: never an exponent, seconds to the
// nanosecond, bytes whole.
func appendExact(b []byte, unit metric.Unit, value float64) []byte {
	switch unit {
	case metric.Seconds:
		return strconv.AppendFloat(b, value, 'f', 9, 64)
	case metric.Bytes:
		return strconv.AppendFloat(b, value, 'f', 0, 64)
	}
	return strconv.AppendFloat(b, value, 'f', 6, 64)
}

// appendWhole adds a count.
func appendWhole[T ~int64](b []byte, n *T) []byte {
	if n == nil {
		return b
	}
	return strconv.AppendInt(b, int64(*n), 10)
}

func appendTotal(b []byte, l *summary.Level) []byte {
	if l == nil {
		return b
	}
	return appendWhole(b, &l.Total)
}

func appendPositive(b []byte, n int) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(b, int64(n), 10)
}

// appendRate adds the rate of an open loop; nothing in a closed one.
func appendRate(b []byte, rate float64) []byte {
	if rate == 0 {
		return b
	}
	return strconv.AppendFloat(b, rate, 'g', -1, 64)
}
