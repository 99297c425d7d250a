// Package journal keeps a run's entries in one append-only file and reads them
// back, even where the file was cut off. It is the seam of exobench: what runs
// writes it, what reports reads it, and every report can be made again from it.
//
// # Format
//
// journal.jsonl is UTF-8 text, one JSON object a line, ended by "\n". The
// member "type" names the entry; the other members are the fields of the type
// in package exobench, whose docs give their meaning. Those marked with a star
// are milestones:
//
//	header*      exobench.Header       always line 1: schema, run, tool, plan, engines
//	session      exobench.Session      a process that writes the entries that follow
//	step         exobench.Step         a model that is to be brought up
//	cell         exobench.Cell         what figures are given of
//	block        exobench.Block        requests of a cell, or warm-ups, begin
//	stage        exobench.StageEvent   news of a model's way onto the engine or off it; ready and released are milestones
//	request      exobench.Record       one request, written when it has ended
//	sample       exobench.Sample       one reading of one sensor
//	block_end*   exobench.BlockEnd     all requests of a block have ended, and why
//	step_end*    exobench.StepEnd      the step is over, and why
//	calibration  exobench.Calibration  the harness's own error at one load
//	note         exobench.Note         what a reader of the report must know
//	end*         exobench.End          the last line of a session: why it ended
//
// Entries stand in the order in which they were appended. Steps, cells and blocks
// have ids, by which the others refer to them; one that is written again with the
// same id says more of the same, such as its placement. Whoever reads a journal
// may not rely on the order of entries: ids and instants tell all that counts.
//
// Members named *_ns are nanoseconds since the epoch of the session (or spans,
// where the field is a span); an absent member is unknown. The chunks of a
// request are one flat array of pairs: the nanoseconds since the chunk before,
// and the bytes of output. The values of a sample are one object, whose names
// carry the unit.
//
// # Versions
//
// The header has the number of the schema, which is 2. A reader ignores members
// and types of entries that it does not know; it reads every older schema from 2
// on, and refuses a number above its own. Schema 1 had no steps, cells, blocks
// and sessions and is not read.
//
// # Durability
//
// Each entry is one write(2), done before Append returns: a process that is
// killed loses only the requests in flight. The file is synced to the disk
// with each milestone, and else once a second while there is something new, by a
// goroutine of its own: a power failure loses at most the last second.
//
// # Reading
//
// Nearly all lines of a long journal are requests and samples. A parser of their
// own reads those that are as a Writer makes them; encoding/json reads all others,
// and the tests hold the two to the same results.
//
// A line that is not a whole entry (the torn end after a kill in mid-write) is
// skipped and counted; a journal without an end line is of an incomplete run.
package journal
