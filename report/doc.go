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
// median. A model that could not be measured has a row without numbers. Where the
// run has several engines, a model's engines stand side by side, each figure says
// whose it is, and an engine's label marks its name in every table and legend.
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
// One row per cell (model, engine, placement, concurrency), and one for each
// model on an engine, in a placement, without a cell, with the reason in the
// column error. After the columns of the cell come, for each metric M, M_n,
// M_median, M_lo, M_hi, M_confidence, M_mean, M_sd, M_min, M_max, M_p90, M_p95
// and M_p99, and last energy_per_token_j.
//
// # summary.json
//
// The same, nested; null is unknown. Schema 1:
//
//	schema, run_id, epoch, host, tool, plan                  from the header
//	engines[]      name, version, url, label, caveat, life_cycle, cache_switch,
//	               ignores_eos
//	state          "finished", "interrupted", "failed" or "incomplete"
//	requests, warmups, damaged_lines                         counts
//	warnings[]     of the run as a whole
//	cells[]        engine, engine_version, model, model_id, placement,
//	               concurrency, requests,
//	               ok, outcomes{outcome: count}, errors{outcome: first text},
//	               tokens_from, cache, wall_s, delivered_concurrency, throughput_tokens_per_second,
//	               requests_per_second, energy_per_token_j, load_s,
//	               download_s, client_server{} or null, memory{},
//	               metrics{name: sample or null}, prompts[], warnings[]
//	client_server  output_tokens, output_events, decode_tokens_per_second,
//	               prefill_tokens_per_second: each null or n, client_median,
//	               server_median, ratio_median, share_off (by more than 5 %)
//	memory         source, and in bytes before, loaded, peak, model, inference,
//	               additional, loaded_anonymous, loaded_file, peak_anonymous,
//	               peak_file
//	sample         unit, better, n, median, interval{lo, hi, confidence}, mean,
//	               sd, min, max, p90, p95, p99 {value, interval}
//	prompts[]      id, n, metrics{name: sample}
//	loads[]        engine, model, model_id, placement, start_s, load_s, download_s,
//	               downloaded_bytes
//	failures[]     engine, model, model_id, placement, at_s, after, error
//	nodes[]        engine, model, placement, node, memory_before_bytes,
//	               memory_loaded_bytes, memory_peak_bytes, memory_total_bytes,
//	               power_mean_watts, gpu_mean_fraction, temperature_max_celsius
//	notes[]        at_s, engine, model, text
package report
