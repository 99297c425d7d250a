package exobench

// Outcome says how a request ended. Only OK enters a latency sample; every
// outcome is counted and shown.
type Outcome string

// The outcomes.
const (
	// OK: the stream came whole and carried output.
	OK Outcome = "ok"
	// HTTPError: the server answered with a status of 400 or more, or with a
	// redirect that is not followed: to another origin, or one that would drop
	// the POST.
	HTTPError Outcome = "http_error"
	// StreamError: the server said inside the stream that it failed: by an error
	// in any shape, or a finish reason that is one.
	StreamError Outcome = "stream_error"
	// ContentFilter: the server's content filter ended the answer.
	ContentFilter Outcome = "content_filter"
	// Truncated: the stream ended without its terminator and without a finish
	// reason.
	Truncated Outcome = "truncated"
	// Empty: the answer came whole and carried no output, or had no body at all.
	Empty Outcome = "empty"
	// Short: fewer tokens than asked for, from an engine told to ignore EOS.
	Short Outcome = "short"
	// Restarted: the answer came whole, but the engine started anew what computes
	// it while the request was under way, so that its times hold a load.
	Restarted Outcome = "restarted"
	// Timeout: the request took longer than the plan allows.
	Timeout Outcome = "timeout"
	// IdleTimeout: no data came for longer than the plan allows.
	IdleTimeout Outcome = "idle_timeout"
	// ConnectError: no connection, or it broke before an answer began.
	ConnectError Outcome = "connect_error"
	// Canceled: the run was interrupted while the request was under way.
	Canceled Outcome = "canceled"
	// Dropped: when the request was due, the traffic allowed no more of them
	// under way.
	Dropped Outcome = "dropped"
	// Unsent: the request was not sent, since the engine had stopped answering.
	Unsent Outcome = "unsent"
	// Malformed: the answer is not what the protocol allows, or is longer than
	// any answer to what was asked can be.
	Malformed Outcome = "malformed"
)

// Outcomes lists every outcome in the order in which reports show them.
var Outcomes = []Outcome{
	OK, HTTPError, StreamError, ContentFilter, Truncated, Empty, Short, Restarted, Timeout, IdleTimeout,
	ConnectError, Canceled, Dropped, Unsent, Malformed,
}
