// Package calibrate measures the harness's own error: it runs the client
// against a timing reference at a known load and compares, event by event, what
// the client says with when the reference wrote.
//
// What is compared is the figures of a record with the same figures, by the
// same definitions, of a record whose instants are the reference's. The start
// of a request is the client's own in both, so that the errors are those of
// receiving.
//
// The reference stamps in CLOCK_MONOTONIC and the client in an exobench.Clock.
// Both advance alike; the constant between them is found by reading one between
// two readings of the other, of many tries the tightest, before and after the
// streams, and the mean of both is used. Each is uncertain by half the time
// between the two readings, here less than 0.3 µs; the reference's own stamps
// add as much on Linux. Errors of spans (inter-chunk, tokens per second) do not
// depend on it.
//
// Where the reference runs in this process, its CPU time and memory are in the
// figures of the harness; run it in a process of its own.
//
// The memory of one stream is the growth of the resident set over their number;
// it means little below some tens of streams. Events that the client reads
// together share an instant, which shows in the lag; so does the time for which
// the reference was preempted between its stamp and its write.
//
// The package starts no reference and judges no result.
package calibrate
