package metric

import "exobench"

// Unit is the base unit of a metric's values.
type Unit string

// The units.
const (
	Seconds           Unit = "s"
	Bytes             Unit = "bytes"
	TokensPerSecond   Unit = "tokens/s"
	RequestsPerSecond Unit = "requests/s"
	Joules            Unit = "J"
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
	// Value computes the metric of one request. It is nil where one record is
	// not enough.
	Value func(*exobench.Record) (float64, bool)
}

// PerRequest returns the metrics that one record gives, in the order of All.
func PerRequest() []Metric {
	var ms []Metric
	for _, m := range All {
		if m.Value != nil {
			ms = append(ms, m)
		}
	}
	return ms
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
