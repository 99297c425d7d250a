// Package exobench is the vocabulary of the benchmark: plain data that every
// other package speaks, and nothing that touches the world but for its clocks.
//
// # Words
//
// A [Plan] says all that a run does: which engines and models, what is asked
// (the [Workload]), what is offered (the [Traffic]), and when it is enough (the
// [Stop]).
//
// A [Step] is one bring-up of a model on an engine in a placement. Its way onto
// the engine goes by stages, told by [StageEvent] values. A [Cell] is what
// figures are given of: an engine, model and placement under one traffic. A
// [Block] is one stretch of a cell's requests inside one step. An [Outline]
// numbers all of them.
//
// A [Request] is what is to be sent, a [Record] how it went. A [Sample] is one
// reading of one sensor at one instant.
//
// Running a plan gives a stream of entries: a [Header], the [Session], the
// steps and cells, and then what happens, to the [End]. The journal keeps them;
// every report is a function of them, whatever their order.
//
// Points in time are [Instant] values on the monotonic axis of their session.
// Spans are time.Duration. Sizes are [Bytes], lengths of text in tokens are
// [Tokens]. What is unknown is absent (nil, or the zero Instant), never 0.
package exobench
