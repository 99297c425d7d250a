package metric

import (
	"math"
	"strings"

	"exobench"
)

// Unit is the base unit of a metric's values.
type Unit string

// The units.
const (
	Seconds           Unit = "s"
	Bytes             Unit = "bytes"
	TokensPerSecond   Unit = "tokens/s"
	RequestsPerSecond Unit = "requests/s"
	Requests          Unit = "requests"
	Joules            Unit = "J"
	Ratio             Unit = "ratio" // 1 is the whole
)

// Direction says which values are better.
type Direction string

// The directions.
const (
	Lower  Direction = "lower"
	Higher Direction = "higher"
)

// Metric is one measure.
type Metric struct {
	// Name is the column in machine-readable reports, unit included.
	Name string
	// Title is the heading for people, without the unit.
	Title string
	// Formula is the definition in plain words.
	Formula string
	// Needs says when the value is known.
	Needs  string
	Unit   Unit
	Better Direction
	// CountsOutput reports whether the value depends on the number of output
	// tokens, so that values from different counts must not be pooled.
	CountsOutput bool
	// OpenLoop reports whether the value means something in an open loop alone.
	// Whoever knows the traffic of a request leaves it out elsewhere.
	OpenLoop bool
	// Value computes the metric of one request from its record; OfCell that of a
	// cell as a whole. Where both are nil it is of one request, from its record
	// and the readings of its time: package summary computes it.
	Value  func(*exobench.Record) (float64, bool)
	OfCell func(*Totals) (float64, bool)
}

// most is beyond what any value of a unit can be: three years, a million times
// a fast engine, a million of the largest memories.
var most = map[Unit]float64{
	Seconds: 1e8, Bytes: 1e18, TokensPerSecond: 1e9, RequestsPerSecond: 1e9, Requests: 1e9, Joules: 1e15, Ratio: 1e9,
}

// least is below what any value but 0 can be: a thousandth of a nanosecond.
const least = 1e-12

// Possible reports whether a value can be at all. What a server says need not
// be: one absurd figure must not make a mean, or a report, that says nothing.
func (m Metric) Possible(value float64) bool {
	size := math.Abs(value)
	return size <= most[m.Unit] && (size >= least || size == 0)
}

// PerRequest returns the metrics that one record gives, in the order of All.
func PerRequest() []Metric { return chosen(func(m Metric) bool { return m.Value != nil }) }

// Sampled returns the metrics of which a cell has a sample, one value for each
// request, in the order of All: those of PerRequest first.
func Sampled() []Metric { return chosen(func(m Metric) bool { return m.OfCell == nil }) }

// PerCell returns the metrics of which a cell has one value, in the order of
// All.
func PerCell() []Metric { return chosen(func(m Metric) bool { return m.OfCell != nil }) }

func chosen(wanted func(Metric) bool) []Metric {
	var ms []Metric
	for _, m := range All {
		if wanted(m) {
			ms = append(ms, m)
		}
	}
	return ms
}

// Named returns the metric that a person calls so: by its column, with or without
// the unit that the column ends with.
func Named(name string) (Metric, bool) {
	for _, m := range All {
		if m.Name == name || WithoutUnit(m.Name) == name {
			return m, true
		}
	}
	return Metric{}, false
}

// WithoutUnit returns a metric's name without the unit that it ends with.
func WithoutUnit(name string) string {
	for _, unit := range []string{"_s", "_bytes", "_j", "_rps"} {
		if short, ok := strings.CutSuffix(name, unit); ok {
			return short
		}
	}
	return name
}

// ByName returns the metric with the name given.
func ByName(name string) (Metric, bool) {
	for _, m := range All {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}
