// Package metric defines every measure of the benchmark once: its name, its
// formula in words, its unit, which way is better, what it needs, and the
// function that computes it from the record of one request, or from the
// [Totals] of a cell.
//
// [All] is the table. Reports take their columns, headings and definitions
// from it, and the methodology documents are checked against it. A metric that
// is a function of a record or of the totals is a new row there and nothing
// else; benchmark_results.csv alone names its columns itself, since they are a
// contract. Metrics without a function are of a request and of the readings of
// its time: package summary computes them.
//
// A value that cannot be known is absent, never 0. The package does not judge
// outcomes: a record of a failed request has the values that its instants
// allow, and summary decides that only OK requests count.
package metric
