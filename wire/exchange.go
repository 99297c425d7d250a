package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// exchange is one call under way.
type exchange struct {
	client   *Client
	call     Call
	watchdog *watchdog
	record   exobench.Record

	habit *habit
	// conn is the connection in use; nil until there is one. It had carried
	// written bytes before, where it was reused.
	conn    atomic.Pointer[conn]
	reused  bool
	written int64
	getConn exobench.Instant
	// arrivals are those of the connection. They are not part of the exchange,
	// since an idle connection may hold on to them for a moment.
	arrivals *arrivals
	// plain is set where the bytes of the connection are those of HTTP, with no
	// TLS between.
	plain   bool
	headers arrival
	look    lookout
	// over is set where the dialect saw the end of the stream, and idling where
	// what came last was no sign of life.
	over, idling bool
}

func (x *exchange) run(ctx context.Context) {
	defer x.releaseConn()
	response, err := x.send(ctx)
	if err != nil {
		x.unanswered(ctx, err)
		return
	}
	defer response.Body.Close()
	x.headers = x.latest()
	x.record.Headers = max(x.headers.at(), x.record.Sent)
	x.record.HTTPStatus = response.StatusCode
	if response.StatusCode < http.StatusOK {
		// The body of a 101 is the raw connection, which no context ends.
		x.fail(exobench.Malformed, fmt.Sprintf("HTTP %d where an answer was due", response.StatusCode))
		return
	}

	answer := newCapture()
	defer answer.free()
	readErr := x.receive(response, answer)
	x.record.Ended = x.client.clock.Now()
	if !x.over || x.leave(response.Body) {
		x.habit.answered.CompareAndSwap(0, int64(x.client.clock.Now()))
	}
	x.judge(ctx, response, answer, readErr)
}

// receive takes the body, or as much of it as there is a use for.
func (x *exchange) receive(response *http.Response, answer *capture) error {
	body, err := x.decoded(response)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return readError(response.Body, body, answer)
	}
	return x.read(body, answer)
}

// errorBodyTime is how long the body of an error may take: it says what is wrong
// and is no stream.
const errorBodyTime = time.Second

// readError reads the body of an error, up to its bound in bytes and in time.
func readError(raw io.Closer, body io.Reader, answer *capture) error {
	timer := time.AfterFunc(errorBodyTime, panics.Caught(func() { raw.Close() }))
	defer timer.Stop()
	for answer.size < maxErrorBody {
		n, err := body.Read(answer.spare())
		if n > 0 {
			answer.note(n, arrival{delay: noDelay})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read takes the body to its end: one read, one stamp, one append per turn.
func (x *exchange) read(body io.Reader, answer *capture) error {
	reads := x.arrivals.reads.Load()
	look := &x.look
	*look = lookout{dialect: x.call.dialect(), carry: look.carry[:0]}
	limit := answerStart // until the answer is longer, it does not matter what was asked
	for {
		buffer := answer.spare()
		n, err := body.Read(buffer)
		if n > 0 {
			reads = x.noteRead(n, answer, reads)
			alive, over, lineErr := look.read(buffer[:n])
			if look.outputs > 0 {
				x.client.events.Add(look.outputs)
				look.outputs = 0
			}
			if alive {
				x.watchdog.alive(answer.marks[len(answer.marks)-1].user)
			}
			x.idling = !alive
			if lineErr != nil {
				return lineErr
			}
			x.over = x.over || over
		}
		switch {
		case err == io.EOF:
			x.over = false // the connection may be used again
			return nil
		case err != nil:
			return err
		case x.over:
			return nil
		case answer.held() > limit:
			asked := asked{body: x.call.Body}.tokens()
			if limit = answerLimit(asked); answer.held() > limit {
				return &longAnswerError{limit, asked, len(answer.marks)}
			}
		}
	}
}

// A stream is over when the terminator came. Its connection is used again where
// the server ends the body too, with no more than maxLeftover bytes and within
// leaveTime, which no request waits for longer: most servers do so at once, and a
// new connection would cost the next request more.
const (
	leaveTime   = 5 * time.Millisecond
	maxLeftover = 4 << 10
)

// leave reads the body to its end, and reports whether that came. Where it does
// not come soon, the connection is closed with the request's context, in the
// background.
func (x *exchange) leave(body io.Reader) bool {
	left := make(chan struct{})
	x.client.leaving.Go(panics.Caught(func() {
		defer close(left)
		io.CopyN(io.Discard, body, maxLeftover)
	}))
	timer := time.NewTimer(leaveTime)
	defer timer.Stop()
	select {
	case <-left:
		return true
	case <-timer.C:
		return false
	}
}

// noteRead notes n bytes of the body, which came with the latest read of the
// connection, except for those that cannot: net/http takes what it holds ready,
// and then, in mid-chunk, reads again before it returns. It returns how many
// reads of the connection there were; seen is how many there had been.
func (x *exchange) noteRead(n int, answer *capture, seen int64) (reads int64) {
	reads = x.arrivals.reads.Load()
	if earlier := n - int(x.arrivals.size.Load()); x.plain && reads > seen && reads > 1 && earlier > 0 {
		answer.note(earlier, x.arrivals.before())
		n -= earlier
	}
	answer.note(n, x.latest())
	return reads
}

// latest returns the latest read of the connection, or now where that cannot be
// had.
func (x *exchange) latest() arrival {
	if x.arrivals.reads.Load() > 0 {
		return x.arrivals.latest()
	}
	return arrival{user: x.client.clock.Now(), delay: noDelay}
}

// releaseConn takes the exchange off its connection, which another may have next.
func (x *exchange) releaseConn() {
	if c := x.conn.Load(); c != nil {
		c.to.CompareAndSwap(x.arrivals, nil)
	}
}

// judge decides the outcome of an answer that began.
func (x *exchange) judge(ctx context.Context, response *http.Response, answer *capture, readErr error) {
	if status := response.StatusCode; status >= 300 {
		text := httpErrorText(status, answer.head(errorTextRead))
		if place, err := response.Location(); err == nil && status < 400 {
			text = redirectText(status, place)
		}
		x.fail(exobench.HTTPError, text)
		return
	}
	if answer.kernel() {
		x.client.kernel.Store(true)
	} else {
		x.record.Headers = max(x.headers.user, x.record.Sent) // on one axis with the rest
	}
	s := parse(answer, &x.record, &x.call)
	var long *longAnswerError
	switch {
	case s.failure != "":
		x.fail(exobench.StreamError, s.failure)
	case errors.As(readErr, &long):
		// Nobody wants the timeline of an answer that nobody asked for.
		x.record.Chunks, x.record.Delays = nil, nil
		x.fail(exobench.Malformed, readErr.Error())
	case errors.Is(readErr, errLongLine), errors.Is(readErr, errEncoding):
		x.fail(exobench.Malformed, readErr.Error())
	case !s.over && context.Cause(ctx) != nil, !s.complete() && readErr != nil:
		// Of a request that we end, TLS may let the server end the stream well.
		x.cut(ctx, readErr, s)
	default:
		x.judgeWhole(s, answer)
	}
}

// judgeWhole decides the outcome of an answer that came to an end by itself.
func (x *exchange) judgeWhole(s *stream, answer *capture) {
	switch {
	case s.malformed != "":
		x.fail(exobench.Malformed, s.malformed)
	case answer.size == 0:
		x.fail(exobench.Empty, "the answer has no body")
	case !s.framed:
		x.fail(exobench.Malformed, "the answer is no event stream: "+oneLine(answer.head(120)))
	case s.over && s.lastWords != "":
		x.fail(exobench.StreamError, s.lastWords)
	case !s.over && !s.finish.Reached():
		x.fail(exobench.Truncated, s.truncatedText("the stream ended without "+x.call.dialect().Ends()))
	case s.filtered:
		x.fail(exobench.ContentFilter, "the server's content filter ended the answer (finish reason "+x.record.FinishReason+")")
	case s.puzzled() != "":
		x.fail(exobench.StreamError, "the stream ended after an event that is nothing known: "+s.puzzled())
	case len(x.record.Chunks) == 0:
		x.fail(exobench.Empty, "the stream carried no output")
	case x.short():
		x.fail(exobench.Short, shortText(*x.record.OutputTokens, x.call.Exact))
	default:
		x.record.Outcome = exobench.OK
	}
}

// cut records an answer that we or the network ended, with what the server said
// last.
func (x *exchange) cut(ctx context.Context, err error, s *stream) {
	x.broken(ctx, err, exobench.Truncated)
	if x.record.Outcome == exobench.Truncated {
		x.record.Error = s.truncatedText(x.record.Error)
	}
}

func (x *exchange) short() bool {
	return x.call.Exact > 0 && x.record.OutputTokens != nil &&
		x.record.TokensFrom != exobench.FromEvents && *x.record.OutputTokens < x.call.Exact
}

// broken records a request that we or the network ended.
func (x *exchange) broken(ctx context.Context, err error, otherwise exobench.Outcome) {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTimeout):
		x.fail(exobench.Timeout, "no complete answer within "+x.call.Timeout.String()+" (--timeout)")
	case errors.Is(cause, errIdle):
		what := "no data came"
		if x.idling {
			what = "nothing but keep-alives came"
		}
		x.fail(exobench.IdleTimeout, what+" for "+x.call.Idle.String()+" (--idle-timeout)")
	case cause != nil:
		x.fail(exobench.Canceled, "the run was interrupted")
	default:
		x.fail(otherwise, networkErrorText(err))
	}
}

func (x *exchange) fail(outcome exobench.Outcome, text string) {
	x.record.Outcome, x.record.Error = outcome, text
	if !x.record.Ended.Reached() {
		x.record.Ended = x.client.clock.Now()
	}
}
