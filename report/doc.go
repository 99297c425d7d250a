// Package report renders a summarised run for people and for programs. It
// computes no statistic: what it shows is in summary.Run.
//
// [Full] and [Brief] make a [Document] of a run, which [Markdown] and [Plain]
// render; [JSON] writes the run itself. [Write] makes the files of a result
// folder, each under a temporary name that is then changed, so that a crash
// leaves no half of one. The same journal gives the same bytes.
//
// # What every report holds to
//
// A median stands with its 95 % interval and its n; where n is too small for
// one, that is said in its place. A percentile that n does not support is "–".
// Failed requests are counted and shown with their first error, and are in no
// median. A cell that was planned and not measured has a row without numbers, and
// its bar says why. Where the run has several engines, a model's engines stand
// side by side, each figure says whose it is, and an engine's label marks its name
// in every table and legend.
//
// What a server or a user wrote is shown as it is, and does nothing: each medium
// has one function that escapes.
//
// # benchmark_results.csv
//
// One row per measured request, whatever its outcome; unknown is empty. Points
// in time are seconds since the epoch of the request's session, and both those
// and spans carry nine decimals. The metric columns of a request that was not OK
// are empty, so that no average over a column can take it in; its instants are in
// the journal. The columns are fixed: see columns in resultscsv.go.
//
// # summary.csv
//
// One row per planned cell (model, engine, placement, traffic); the column error
// says why one has no requests, or what failed after them. After the columns of
// the cell come, for each metric M, M_n, M_median, M_lo, M_hi, M_confidence,
// M_mean, M_sd, M_min, M_max, M_p90, M_p95 and M_p99; energy_per_token_j, and what
// came later, stand after them. energy_scope says what energies are of.
//
// # summary.json
//
// All that report.md shows and more, as [Schema] describes it: a JSON Schema that
// is held against what is written. What is unknown is null.
package report
