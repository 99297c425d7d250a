// Package stat is the statistics of the benchmark, on plain numbers; it knows
// nothing of models or requests.
//
// A [Sample] sorts its values once and then answers order statistics, moments
// and intervals. Nothing is assumed of the distribution: the interval of the
// median is that of golang.org/x/perf/benchmath's AssumeNothing, those of the
// other quantiles come from the binomial distribution of order statistics.
// What a sample is too small to say is absent, never a guess: see [Supports]
// and the second results.
//
// It does not remove outliers, fit distributions or compare samples.
package stat
