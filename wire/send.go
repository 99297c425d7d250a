package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"exobench"
	"exobench/internal/panics"
)

// maxRedirects is how many redirects are followed.
const maxRedirects = 10

var errRedirects = fmt.Errorf("stopped after %d redirects", maxRedirects)

// followNone leaves redirects to [exchange.send].
func followNone(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// send sends the call until there is an answer. It is sent once, but where a
// kept-alive connection turns out to have been closed before a byte of it
// arrived, and to where a redirect leads that stays with its origin.
func (x *exchange) send(ctx context.Context) (*http.Response, error) {
	place, hops := x.call.URL, 0
	for {
		if hops == 0 {
			x.record.Sent = 0 // a replay is a new request
		}
		response, err := x.attempt(ctx, place)
		if err != nil {
			if ctx.Err() == nil && x.untaken() {
				x.record.Replays++
				continue
			}
			return nil, err
		}
		next := redirection(response)
		if next == "" {
			return response, nil
		}
		if hops++; hops > maxRedirects {
			response.Body.Close()
			return nil, errRedirects
		}
		io.CopyN(io.Discard, response.Body, maxLeftover) // to use the connection again
		response.Body.Close()
		place = next
	}
}

// attempt sends the call once.
func (x *exchange) attempt(ctx context.Context, place string) (*http.Response, error) {
	var mine atomic.Pointer[turn]
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, x.trace(&mine)),
		http.MethodPost, place, bytes.NewReader(x.call.Body))
	if err != nil {
		return nil, err
	}
	// Without this, net/http cannot send the request a second time. It would do
	// so unseen, with the stamp of the first.
	request.GetBody = nil
	request.Header.Set("Accept-Encoding", "identity")
	for name, values := range x.call.Header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", x.call.dialect().Accept())

	x.learn(ctx)
	x.arrivals = new(arrivals)
	x.reused = false
	for x.client.clock.Now() < x.call.At && ctx.Err() == nil {
	}
	mine.Store(x.client.sending.takeFor(ctx, sendingTime))
	defer mine.Load().give()
	if !x.record.Sent.Reached() {
		x.record.Sent = x.client.clock.Now()
	}
	if x.habit.closes.Load() {
		return x.client.fresh.Do(request)
	}
	return x.client.http.Do(request)
}

// trace notes which connection is used, and ends the turn to send. What an
// attempt that was given up still writes must not end the turn of the next.
func (x *exchange) trace(mine *atomic.Pointer[turn]) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { x.getConn = x.client.clock.Now() },
		WroteRequest: func(httptrace.WroteRequestInfo) { defer panics.Catch(nil); mine.Load().give() }, // on a goroutine of net/http
		GotConn: func(info httptrace.GotConnInfo) {
			x.releaseConn() // the one that brought a redirect, if any
			c := stamped(info.Conn)
			if c != nil {
				x.written = c.written.Load()
				c.to.Store(x.arrivals)
				c.habit.Store(x.habit)
			}
			x.conn.Store(c)
			x.plain = info.Conn == net.Conn(c)
			if x.reused = info.Reused; !info.Reused {
				x.record.Dial = x.client.clock.Now().Sub(x.getConn)
			}
		},
	}
}

// untaken reports whether the server cannot have taken the request that has just
// failed: nothing of it was written, or the server had closed the connection
// before a byte of it arrived. A new connection that fails is a result.
func (x *exchange) untaken() bool {
	c := x.conn.Load()
	return x.reused && c != nil && c.untaken(x.written)
}

// redirection returns where a response redirects a POST to, with the same origin;
// "" for any other response. A redirect to another origin is not followed: the
// user's headers, and the key among them, are for the origin that was named.
func redirection(response *http.Response) string {
	if status := response.StatusCode; status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
		return ""
	}
	next, err := response.Location()
	if err != nil || originOf(next) != originOf(response.Request.URL) {
		return ""
	}
	next.User = response.Request.URL.User
	return next.String()
}

// originOf returns the scheme, host and port of a URL.
func originOf(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// unanswered records a call that got no answer, or none that is HTTP.
func (x *exchange) unanswered(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
		x.broken(ctx, err, exobench.ConnectError)
	case speaksHTTP2(err), spokeFirst(err) && !x.reused:
		x.fail(exobench.Malformed, "the server speaks HTTP/2 only, or no HTTP; exobench needs HTTP/1.1, over which it can tell when each event arrived")
	case spokeFirst(err):
		x.fail(exobench.ConnectError, "the server sent something before it was asked")
	case longHeader(err):
		x.fail(exobench.Malformed, fmt.Sprintf("the head of the answer is over %d KiB long", maxHeader>>10))
	case errors.Is(err, errRedirects):
		x.fail(exobench.HTTPError, err.Error())
	case x.rubbish(err):
		x.fail(exobench.Malformed, "the answer is no HTTP: "+networkErrorText(err))
	case errors.Is(err, io.EOF):
		x.fail(exobench.ConnectError, "the server closed the connection without an answer")
	default:
		x.broken(ctx, err, exobench.ConnectError)
	}
}

// speaksHTTP2 reports whether a server refused HTTP/1.1, by TLS or with the first
// frame of HTTP/2. Neither has an error of its own that could be asked for.
func speaksHTTP2(err error) bool {
	text := err.Error()
	return strings.Contains(text, "tls: no application protocol") ||
		strings.Contains(text, `malformed HTTP response "\x00\x00`)
}

// spokeFirst reports whether a server sent something before the request, as those
// of HTTP/2 do. net/http has no error of its own for it.
func spokeFirst(err error) bool { return strings.Contains(err.Error(), "readLoopPeekFailLocked") }

// longHeader reports whether the head of an answer was longer than maxHeader.
// net/http has no error of its own for it.
func longHeader(err error) bool {
	return strings.Contains(err.Error(), "server response headers exceeded")
}

// rubbish reports whether bytes came that net/http cannot read: what then failed
// was no read.
func (x *exchange) rubbish(err error) bool {
	var network *net.OpError
	return x.arrivals.reads.Load() > 0 && x.plain &&
		!errors.As(err, &network) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
}
