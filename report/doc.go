// Package report renders a summarised run for people and for programs. It
// computes no statistic: what it shows is in summary.Run.
//
// [Write] makes the files of a result folder, each under a temporary name that
// is then changed, so that a crash leaves no half of one; [Text] is the table
// for the terminal. The same journal gives the same bytes.
//
// # What every report holds to
//
// A median stands with its 95 % interval and its n; where n is too small for
// one, that is said in its place. A percentile that n does not support is "–".
// Failed requests are counted and shown with their first error, and are in no
// median. A model that could not be measured has a row without numbers.
//
// # benchmark_results.csv
//
// One row per measured request, whatever its outcome; unknown is empty. Points
// in time are seconds since the run's epoch, and both those and spans carry
// nine decimals. The metric columns of a request that was not OK are empty, so
// that no average over a column can take it in; its instants are in the
// journal. The columns are fixed: see columns in results.go.
//
// # summary.csv
//
// One row per cell (engine, model, placement, concurrency), then one for each model
// without a cell, with the reason in the column error. After the columns of the
// cell come, for each metric M, M_n, M_median, M_lo, M_hi, M_confidence,
// M_mean, M_sd, M_min, M_max, M_p90, M_p95 and M_p99.
//
// # summary.json
//
// The same, nested; null is unknown. Schema 1:
//
//	schema, run_id, epoch, host, tool, plan                  from the header
//	engines[]      name, version, url, label
//	state          "finished", "interrupted", "failed" or "incomplete"
//	requests, warmups, damaged_lines                         counts
//	warnings[]     of the run as a whole
//	cells[]        engine, model, model_id, placement, concurrency, requests,
//	               ok, outcomes{outcome: count}, errors{outcome: first text},
//	               tokens_from, cache, wall_s, throughput_tokens_per_second,
//	               requests_per_second, load_s, download_s, memory{},
//	               metrics{name: sample or null}, prompts[], warnings[]
//	memory         source, and in bytes before, loaded, peak, model, inference,
//	               additional, loaded_anonymous, loaded_file, peak_anonymous,
//	               peak_file
//	sample         unit, better, n, median, interval{lo, hi, confidence}, mean,
//	               sd, min, max, p90, p95, p99 {value, interval}
//	prompts[]      id, n, metrics{name: sample}
//	loads[]        engine, model, model_id, placement, start_s, load_s, download_s,
//	               downloaded_bytes
//	failures[]     engine, model, model_id, placement, at_s, after, error
//	notes[]        at_s, model, text
package report
