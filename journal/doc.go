// Package journal keeps a run's entries in one append-only file and reads them
// back, even where the file was cut off. It is the seam of exobench: what runs
// writes it, what reports reads it, and every report can be made again from it.
//
// # Format
//
// journal.jsonl is UTF-8 text, one JSON object a line, ended by "\n". The
// member "type" names the entry and comes first. The last member is "crc": the
// CRC-32C of all bytes of the line before its comma, as eight lower-case
// hexadecimal digits. The other members are the fields of the type in package
// exobench, whose docs give their meaning. A line has 64 MiB at most. Those
// marked with a star are milestones:
//
//	header*      exobench.Header       always line 1: schema, run, tool, plan, engines
//	session      exobench.Session      a process that writes the entries that follow
//	step         exobench.Step         a model that is to be brought up
//	cell         exobench.Cell         what figures are given of
//	block        exobench.Block        requests of a cell, or warm-ups, begin
//	stage        exobench.StageEvent   news of a model's way onto the engine or off it; ready and released are milestones
//	request      exobench.Record       one request, written when it has ended
//	sample       exobench.Sample       one reading of one sensor
//	meter        exobench.Meter        what the power is of that a sensor tells
//	block_end*   exobench.BlockEnd     all requests of a block have ended, and why
//	step_end*    exobench.StepEnd      the step is over, and why
//	calibration  exobench.Calibration  the harness's own error at one load
//	ceiling      exobench.Ceiling      what bounds the decode speed of a model on an engine
//	note         exobench.Note         what a reader of the report must know
//	end*         exobench.End          the last line of a session: why it ended
//
// Entries stand in the order in which they were appended. Steps, cells and blocks
// have ids, by which the others refer to them; one that is written again with the
// same id says more of the same, such as its placement. Whoever reads a journal
// may not rely on the order of entries: ids and instants tell all that counts.
//
// A run that is resumed has several sessions in one journal; the header is
// written once. A step that was planned and not begun is told again with the
// later session; one that was begun stays as it is, and the step that goes on
// with it names it as "resumes". A block that is done again names the one that it
// takes the place of as "replaces": of several, that with the highest id counts.
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
// on, and refuses a number above its own. Schema 1 had no steps, cells, blocks,
// sessions and checksums and is not read.
//
// # Durability
//
// Each entry is one write(2), done before Append returns: a process that is
// killed loses only the requests in flight. The file is synced to the disk
// with each milestone, and else once a second while there is something new, by a
// goroutine of its own: a power failure loses at most the last second.
//
// A Writer looks once a second whether the file is still where it was made and
// as long as it should be. One that was deleted or moved, or whose place was
// taken, is given a name anew from the open file, by a link or a copy: its own,
// else that of a folder beside its own whose name ends in "-saved". One that was
// cut has lost entries: nothing more is written, and every Append says so. Where
// a write fails, as on a full disk, the part of a line that it left is cut off.
//
// The file is locked (flock) while it is written, so that only one process does.
//
// # Reading
//
// Nearly all lines of a long journal are requests and samples. A parser of their
// own reads those that are as a Writer makes them; encoding/json reads all others,
// and the tests hold the two to the same results.
//
// A line whose checksum does not fit, or that is longer than it may be, is
// skipped, counted and told by its number; no line is kept in memory beyond its
// bound. Only the torn end of a line that was being written, as after a kill, is
// no damage: the last line, without a newline. A damaged header is an error,
// since without it nothing can be said of the run. A journal whose last session
// has no end is of an incomplete run.
package journal
