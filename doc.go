// Package exobench is the vocabulary of the benchmark: plain data that every
// other package speaks, and nothing that touches the world but for its clocks.
//
// A [Plan] says what to do. Running it gives a stream of entries: a [Header],
// [LoadEvent] values while engines place and load models, one [Record] per
// request, [Reading] values of the engine's memory, [Note] values for what the
// reader of a report must know, and an [End]. The journal keeps them in the
// order in which they happened; every report is a function of that stream.
//
// Points in time are [Instant] values on one monotonic axis. Spans are
// time.Duration. Sizes are [Bytes], lengths of text in tokens are [Tokens].
// What is unknown is absent (nil, or the zero Instant), never 0.
package exobench
