// Package metric defines every measure of the benchmark once: its name, its
// formula in words, its unit, which way is better, what it needs, and, where
// one request gives it, the function from the request's record to its value.
//
// [All] is the table. Reports take their columns, headings and definitions
// from it, and the methodology documents are checked against it, so a new
// metric is a new row there and nothing else. Metrics whose Value is nil need
// more than one record (readings of memory or power, a whole cell): package summary
// computes them.
//
// A value that cannot be known is absent, never 0. The package does not judge
// outcomes: a record of a failed request has the values that its instants
// allow, and summary decides that only OK requests count.
package metric
