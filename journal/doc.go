// Package journal keeps a run's entries in one append-only file and reads them
// back, even where the file was cut off. It is the seam of exobench: what runs
// writes it, what reports reads it, and every report can be made again from it.
//
// # Format
//
// journal.jsonl is UTF-8 text, one JSON object a line, ended by "\n". The
// member "type" names the entry; the other members are the fields of the type
// in package exobench, whose docs give their meaning:
//
//	header       exobench.Header       always line 1: schema, run, tool, host, plan, engines
//	load         exobench.LoadEvent    a step in the life of a model on the engine
//	reading      exobench.Reading      the engine's memory at one instant
//	node         exobench.NodeReading  what an engine tells of one of its machines
//	request      exobench.Record       one request, written when it has ended
//	disturbance  exobench.Disturbance  what else the machine did during a cell
//	calibration  exobench.Calibration  the harness's own error at one load
//	note         exobench.Note         what a reader of the report must know
//	end          exobench.End          always the last line: why the run ended
//
// Entries stand in the order in which they were appended, which is the order
// in which they ended. Members named *_ns are nanoseconds since the run's
// epoch (or spans, where the field is a span); an absent member is unknown. A
// reader ignores members and entry types that it does not know, and refuses a
// schema number above its own.
//
// # Durability
//
// Each entry is one write(2), done before Append returns: a process that is
// killed loses only the requests in flight. The file is synced to the disk
// with the header, whenever a model becomes ready, failed or is gone, at the
// end, and else once a second while there is something new, by a goroutine of
// its own: a power failure loses at most the last second.
//
// # Reading
//
// Nearly all lines of a long journal are requests and readings. A parser of their
// own reads those that are as a Writer makes them; encoding/json reads all others,
// and the tests hold the two to the same results.
//
// A line that is not a whole entry (the torn end after a kill in mid-write) is
// skipped and counted; a journal without an end line is of an incomplete run.
package journal
