// Package wire sends one streaming chat completion at a time and records when
// every event of its answer arrived.
//
// The instants come from below net/http: its connections are dialled through a
// [net.Conn] of our own that notes the monotonic clock as each read returns,
// before a byte is looked at. While a stream runs, each read costs one stamp
// and one append of (instant, bytes) to a pooled buffer; framing and JSON are
// done when the stream has ended, so that no stream waits for the parsing of
// another. An event's instant is that of the read that brought the end of its
// line.
//
// The format is server-sent events as OpenAI's and exo's chat completions use
// them: one JSON object per "data:" line, "[DONE]" as terminator, comments that
// may carry exo's statistics. Lines end with LF or CRLF, may be of any length,
// and may be split anywhere. How a request ended is an exobench.Outcome; what
// each one needs is said there and in the tests.
//
// The package does not retry, does not pace, and knows nothing of models.
package wire
