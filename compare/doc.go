// Package compare says what changed between runs, and how sure that is.
//
// A [Result] sets runs beside the first of them, cell by cell and metric by
// metric: the ratio with its interval, a test that is corrected for how many there
// are, and a [Verdict]. What is unlike between the runs stands first, and can
// forbid: two runs of different prompts have nothing to compare. A verdict needs
// two things, that the difference is more than noise and that it is large enough
// to matter; that two are equal is shown like anything else, by an interval.
//
// The statistics are those of package stat: prompts are strata, loads of a model
// are blocks. Where each run loaded a model once, a difference may be that of the
// two loads, and every verdict of such a comparison carries that caution.
//
// [Gate] holds limits against a result, for builds that are to fail. It is a
// function of journals: the same give the same result.
package compare
