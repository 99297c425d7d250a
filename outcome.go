package exobench

// Outcome says how a request ended. Only OK enters a latency sample; every
// outcome is counted and shown.
type Outcome string

// The outcomes.
const (
	// OK: the stream came whole and carried output.
	OK Outcome = "ok"
	// HTTPError: the server answered with a status of 400 or more, or with a
	// redirect that a POST cannot follow.
	HTTPError Outcome = "http_error"
	// StreamError: an error object came inside the stream.
	StreamError Outcome = "stream_error"
	// Truncated: the stream ended without its terminator.
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
	// IdleTimeout: nothing but keep-alives came for longer than the plan allows.
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
	// Malformed: the answer is not what the protocol allows.
	Malformed Outcome = "malformed"
)

// Outcomes lists every outcome in the order in which reports show them.
var Outcomes = []Outcome{
	OK, HTTPError, StreamError, Truncated, Empty, Short, Restarted, Timeout, IdleTimeout,
	ConnectError, Canceled, Dropped, Unsent, Malformed,
}
