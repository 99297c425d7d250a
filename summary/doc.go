// Package summary turns a journal into the figures that reports show.
//
// [Build] reads the entries once and gives a [Run]: one [Cell] for each load
// on each model of each engine, the models that could not be measured, how long
// loads took, what the engines' machines did, and what the reader must be warned
// of. [Run.Rows] goes over the entries a second time and gives one [Row] per
// measured request. Neither keeps records, so a journal may be larger than
// memory; kept are one float64 per OK request and metric that it gives, some 30 to 70
// bytes per OK request besides, and the readings.
//
// A [ClientServer] sets what was measured beside what the server says of itself;
// where the two disagree, cause.go decides which reason to name.
//
// The result does not depend on the order of the entries, only on the instants
// in them.
//
// Rules that hold everywhere:
//
//   - Warm-ups count nowhere; they are left out in [Run.Rows] and Build by one
//     function, counts.
//   - Only OK requests enter a median, a rate or a peak; every outcome is
//     counted.
//   - Output tokens counted in two ways are not pooled: where a cell has both,
//     its token metrics are those of the way that most requests used (of two
//     equals the more trusted: usage, stats, events), its throughput is absent,
//     and a warning says so.
//   - Memory, loads and failures are of one [Subject], a model on an engine.
//   - What is unknown is absent.
package summary
