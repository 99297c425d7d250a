// Package summary turns a journal into the figures that reports show.
//
// A [Fold] takes entries in and gives a [Run] at any time: the [Step] values, one
// for each bring-up of a model, and the [Cell] values, one for each engine, model
// and placement under one traffic, those that were planned and never ran
// included. [Build] folds a whole journal. [Run.Rows] goes over the entries a
// second time and gives one [Row] for each measured request.
//
// No entry is kept, so a journal may be larger than memory; kept are one float64
// per OK request and metric that it gives, some 30 to 70 bytes per OK request
// besides, and the readings. The result does not depend on the order of the
// entries, only on the ids and instants in them.
//
// The parts:
//
//   - fold.go takes entries in; block.go and rows.go keep what is needed of the
//     requests of each block.
//   - figures.go and describe.go work out the figures of a cell; situation.go
//     says where it ran and how far it is; bringup.go does a step.
//   - memory.go makes levels of memory from readings; package timeline holds
//     those.
//   - exchange.go sets the client's figures beside the server's own.
//   - warning.go has the warnings, as values; doubtrequests.go, doubtserver.go
//     and doubtharness.go decide on them. Package report has their sentences.
//
// Rules that hold everywhere:
//
//   - Warm-ups count nowhere: they are the requests of blocks without a cell.
//   - The requests of a block that a later session did again count nowhere
//     either, and are counted.
//   - Only OK requests enter a median, a rate or a peak; every outcome is
//     counted.
//   - Output tokens counted in two ways are not pooled: where a cell has both,
//     its token metrics are those of the way that most requests used (of two
//     equals the more trusted: usage, stats, events), its throughput is absent,
//     and a warning says so.
//   - Memory, power and loads are of one step: instants of different sessions
//     never meet.
//   - What is unknown is absent.
package summary
