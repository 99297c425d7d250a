package wire

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"exobench"
)

// Config says how a Client connects.
type Config struct {
	Clock exobench.Clock
	// Insecure accepts any TLS certificate.
	Insecure bool
	// DialTimeout bounds one connection attempt; 0 means 10 s.
	DialTimeout time.Duration
	// Dial makes the connections under the stamped ones; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Proxy says which proxy a request goes through, as [http.Transport] has it;
	// nil means those of the environment, for hosts other than this one.
	Proxy func(*http.Request) (*url.URL, error)
}

// Client sends chat completions. It is safe for concurrent use, keeps
// connections alive where the server does, and sets no limit on their number.
type Client struct {
	clock  exobench.Clock
	http   *http.Client
	halves atomic.Int64 // of events that came; see Events
	kernel atomic.Bool
	// sending holds the turns to send a request, from its stamp until it is written.
	sending turns
	stamps  *os.File // see keepStamping
}

// The sizes of net/http's two buffers of a connection: small, for the memory of
// thousands of streams. What is larger, sent or received, passes them by.
const (
	readBuffer  = 4 << 10
	writeBuffer = 1 << 10
)

// maxRedirects is how many redirects are followed, as many as net/http would.
const maxRedirects = 10

// NewClient returns a client.
func NewClient(cfg Config) *Client {
	d := &dialer{clock: cfg.Clock, inner: cfg.Dial}
	if d.inner == nil {
		d.inner = (&net.Dialer{Timeout: cmp.Or(cfg.DialTimeout, 10*time.Second)}).DialContext
	}
	transport := &http.Transport{
		Proxy:               cfg.Proxy,
		DialContext:         d.dial,
		MaxIdleConns:        0,
		MaxIdleConnsPerHost: 1 << 20,
		IdleConnTimeout:     90 * time.Second,
		// Compressed events would be held back and come in blocks.
		DisableCompression: true,
		ReadBufferSize:     readBuffer,
		WriteBufferSize:    writeBuffer,
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: cfg.Insecure},
	}
	if transport.Proxy == nil {
		transport.Proxy = http.ProxyFromEnvironment
	}
	return &Client{
		clock:  cfg.Clock,
		http:   &http.Client{Transport: transport, CheckRedirect: checkRedirect},
		stamps: keepStamping(),

		sending: newSending(),
	}
}

// checkRedirect lets a POST be redirected as a POST. For other redirects,
// net/http would ask with a GET and without the body; theirs is the answer then.
func checkRedirect(next *http.Request, via []*http.Request) error {
	switch {
	case next.Method != http.MethodPost:
		return http.ErrUseLastResponse
	case len(via) >= maxRedirects:
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	return nil
}

// Events returns how many events all streams have brought so far, ended or not:
// an estimate for live views, counted from line ends.
func (c *Client) Events() int64 {
	return c.halves.Load() / 2
}

// KernelStamps reports whether an answer came so far whose every read had a
// receive stamp of the kernel.
func (c *Client) KernelStamps() bool { return c.kernel.Load() }

// Close closes idle connections.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.stamps.Close() // may be nil; nothing was written to it
}

// Call is one streaming chat completion.
type Call struct {
	URL string
	// Header is added to the request's and not modified.
	Header http.Header
	Body   []byte
	// At, where reached, is when to send: what can be made ready is made ready
	// before, and the last moments are waited for by watching the clock.
	At exobench.Instant
	// Timeout bounds the whole request, Idle a silence in it; 0 means no bound.
	Timeout, Idle time.Duration
	// Exact, where not 0, is the number of tokens that the answer must have to
	// be OK: what was asked of an engine that was told to ignore EOS.
	Exact exobench.Tokens
	// Dialect is that of the answer; nil is [OpenAI].
	Dialect Dialect
}

// Do sends the call and waits for the end of its stream. The record has the
// instants, the outcome and what the server said; who asked what for which
// model is the caller's to fill in. Do does not return an error: a request that
// fails is a record too.
func (c *Client) Do(ctx context.Context, call Call) exobench.Record {
	ctx, watchdog := watch(ctx, c.clock, call.Timeout, call.Idle)
	defer watchdog.stop()
	x := exchange{client: c, call: call, watchdog: watchdog, arrivals: new(arrivals)}
	x.run(ctx)
	return x.record
}

// exchange is one call under way.
type exchange struct {
	client   *Client
	call     Call
	watchdog *watchdog
	record   exobench.Record

	turn *turn
	// conn is the connection in use; nil until there is one.
	conn    atomic.Pointer[conn]
	getConn exobench.Instant
	// arrivals are those of the connection. They are not part of the exchange,
	// since an idle connection may hold on to them for a moment.
	arrivals *arrivals
	// plain is set where the bytes of the connection are those of HTTP, with no
	// TLS between.
	plain   bool
	headers arrival
}

func (x *exchange) run(ctx context.Context) {
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, x.trace()),
		http.MethodPost, x.call.URL, bytes.NewReader(x.call.Body))
	if err != nil {
		x.fail(exobench.ConnectError, err.Error())
		return
	}
	for name, values := range x.call.Header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/json")
	// A server may close a kept-alive connection just as it is used again. With
	// this entry, which is not sent, net/http then dials anew, as it does for a
	// GET; llama-server does it often. A request on a new connection is never
	// sent twice.
	request.Header["Idempotency-Key"] = nil
	request.Header.Set("Accept", x.call.dialect().Accept())

	defer x.releaseConn()
	for x.client.clock.Now() < x.call.At && ctx.Err() == nil {
	}
	x.turn = x.client.sending.takeFor(ctx, sendingTime)
	defer x.turn.give()
	x.record.Sent = x.client.clock.Now()
	response, err := x.client.http.Do(request)
	if err != nil {
		x.broken(ctx, err, exobench.ConnectError)
		return
	}
	defer response.Body.Close()
	x.headers = x.latest()
	x.record.Headers = x.headers.at()
	x.record.HTTPStatus = response.StatusCode

	answer := newCapture()
	defer answer.free()
	readErr := x.read(response.Body, answer)
	x.record.Ended = x.client.clock.Now()
	x.judge(ctx, response, answer, readErr)
}

// read takes the body to its end: one read, one stamp, one append per turn.
func (x *exchange) read(body io.Reader, answer *capture) error {
	reads, newlines := x.arrivals.reads.Load(), 0
	halves := 2 / x.call.dialect().lineEnds() // of an event, by each line end
	for {
		buffer := answer.spare()
		n, err := body.Read(buffer)
		if n > 0 {
			reads = x.noteRead(n, answer, reads)
			x.client.halves.Add(int64(halves * (answer.newlines - newlines)))
			newlines = answer.newlines
			if signOfLife(buffer[:n]) {
				x.watchdog.alive(answer.marks[len(answer.marks)-1].user)
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case answer.size > maxAnswer-segmentSize:
			return errTooLong
		}
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

func (x *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { x.getConn = x.client.clock.Now() },
		WroteRequest: func(httptrace.WroteRequestInfo) { x.turn.give() },
		GotConn: func(info httptrace.GotConnInfo) {
			x.releaseConn() // the one that brought a redirect, if any
			c := stamped(info.Conn)
			if c != nil {
				c.to.Store(x.arrivals)
			}
			x.conn.Store(c)
			x.plain = info.Conn == net.Conn(c)
			if !info.Reused {
				x.record.Dial = x.client.clock.Now().Sub(x.getConn)
			}
		},
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
		x.record.Headers = x.headers.user // on one axis with the rest
	}
	s := parse(answer, &x.record, x.call.dialect())
	switch {
	case s.failure != "":
		x.fail(exobench.StreamError, s.failure)
	case !s.over && (readErr != nil || context.Cause(ctx) != nil):
		// Of a request that we end, TLS may let the server end the stream well.
		x.broken(ctx, readErr, exobench.Truncated)
	case s.malformed != "":
		x.fail(exobench.Malformed, s.malformed)
	case answer.size == 0:
		x.fail(exobench.Empty, "the answer has no body")
	case !s.framed:
		x.fail(exobench.Malformed, "the answer is no event stream: "+oneLine(answer.head(120)))
	case !s.over:
		x.fail(exobench.Truncated, "the stream ended without "+x.call.dialect().Ends())
	case len(x.record.Chunks) == 0:
		x.fail(exobench.Empty, "the stream carried no output")
	case x.short():
		x.fail(exobench.Short, shortText(*x.record.OutputTokens, x.call.Exact))
	default:
		x.record.Outcome = exobench.OK
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
		x.fail(exobench.Timeout, "no complete answer within "+x.call.Timeout.String())
	case errors.Is(cause, errIdle):
		x.fail(exobench.IdleTimeout, "nothing but keep-alives for "+x.call.Idle.String())
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
