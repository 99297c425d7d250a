// Package wire sends one streaming chat completion at a time and records when
// every event of its answer arrived.
//
// The instants come from below net/http: its connections are dialled through a
// [net.Conn] of our own that notes the monotonic clock as each read returns,
// before a byte is looked at, and asks the kernel when the last of its bytes
// came (Linux, TCP). The kernel's stamp, moved to the monotonic axis, is the
// instant of the event, and how far the read lay behind it is the harness's own
// delay. Where the kernel does not stamp all of an answer, the instants of the
// whole answer are those of the reads. Sent, Dial and Ended are always taken in
// user space: a time to first token runs from there to the kernel's stamp, on
// one axis. Under TLS the stamp is that of the last segment of the read that
// completed the record.
//
// While a stream runs, each read costs one stamp and one append of (instant,
// bytes) to a pooled buffer, and a look at how its lines begin; JSON is read when
// the stream has ended, so that no stream waits for the parsing of another. An
// event's instant is that of the read that brought the end of its line.
//
// How an answer is written is its [Dialect]: [OpenAI], which most servers speak,
// exo and llama.cpp with additions of theirs, [LegacyExo] and [Ollama]. How a
// request ended is an exobench.Outcome; what each one needs is said there and in
// the tests. What a server says that does not fit what it sent is an
// exobench.Doubt.
//
// A request is sent once. It is sent anew only where a kept-alive connection was
// closed before a byte of it arrived, and to where a redirect leads that stays
// with its origin.
//
// # Where things are
//
// The transport with its stamps is client.go, exchange.go, send.go, conn*.go,
// capture.go, encoding.go, turns.go, watch.go and errors.go; of events, it knows
// what a dialect's lookout sees as they come in: life, and the end of the stream
// (lookout.go, with the bounds). A capture is read by a dialect (dialect_*.go)
// into a stream (stream.go). What holds for all dialects has one place: when an
// answer is done (done.go), how many tokens it has (usage.go), what is an error
// (fault.go), what was asked for (asked.go). sse.go has the grammar of event
// streams; event.go and cursor.go read an event, the usual one without
// allocating.
//
// The package does not retry, does not pace, and knows nothing of models.
package wire
