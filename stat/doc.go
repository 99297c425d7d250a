// Package stat is the statistics of the benchmark, on plain numbers; it knows
// nothing of models or requests.
//
// A [Sample] sorts its values once and then answers order statistics, moments and
// intervals, of which nothing is assumed. An [Observation] has besides what was
// measured (its stratum, out of a fixed set) and in which stretch (its block, one of
// many that might have been): [MedianInterval], [Compare], [LevelsOf] and
// [EffortFor] go by that design, and so does what may be wrong with measurements:
// [LeadOf], [TrendOf], [ModesOf], [OutliersOf]. [Changes] finds where the level of a
// series changes. What there is too little data to say is absent,
// never a guess: see [Supports] and the second results.
//
// It does not remove outliers.
package stat
