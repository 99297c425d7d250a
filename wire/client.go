package wire

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
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
	clock exobench.Clock
	http  *http.Client
	// fresh makes a connection for each request: for servers that close theirs
	// after an answer.
	fresh  *http.Client
	events atomic.Int64 // see Events
	kernel atomic.Bool
	// sending holds the turns to send a request, from its stamp until it is written.
	sending turns
	// open counts the connections that are open.
	open   *atomic.Int64
	stamps *os.File // see keepStamping
	// leaving are the connections of streams that are over, until they are let
	// go; see exchange.leave.
	leaving sync.WaitGroup
	// habits are what is known of origins, by their text.
	habits sync.Map
}

// The sizes of net/http's two buffers of a connection: small, for the memory of
// thousands of streams. What is larger, sent or received, passes them by.
const (
	readBuffer  = 4 << 10
	writeBuffer = 1 << 10
)

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

		MaxResponseHeaderBytes: maxHeader,
		WriteBufferSize:        writeBuffer,
		// Offering HTTP/1.1 alone lets a server that has only HTTP/2 say so.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: cfg.Insecure, NextProtos: []string{"http/1.1"}},
	}
	if transport.Proxy == nil {
		transport.Proxy = http.ProxyFromEnvironment
	}
	fresh := transport.Clone()
	fresh.DisableKeepAlives = true
	return &Client{
		clock:  cfg.Clock,
		open:   &d.open,
		http:   &http.Client{Transport: transport, CheckRedirect: followNone},
		fresh:  &http.Client{Transport: fresh, CheckRedirect: followNone},
		stamps: keepStamping(),

		sending: newSending(),
	}
}

// Events returns how many events with output all streams have brought so far,
// ended or not, as far as a glance at each line tells: an estimate for live views.
func (c *Client) Events() int64 { return c.events.Load() }

// KernelStamps reports whether an answer came so far whose every read had a
// receive stamp of the kernel.
func (c *Client) KernelStamps() bool { return c.kernel.Load() }

// mostIdle is how many connections may stay open between one load and the next.
const mostIdle = 256

// Trim closes idle connections where a load left very many, each with its memory
// and a descriptor: few are worth keeping for those that follow. No request may
// be under way.
func (c *Client) Trim() {
	if c.open.Load() > mostIdle {
		c.leaving.Wait()
		c.http.CloseIdleConnections()
	}
}

// Close closes idle connections. No request may be under way.
func (c *Client) Close() {
	c.leaving.Wait()
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
	x := exchange{client: c, call: call, watchdog: watchdog, arrivals: new(arrivals), habit: c.habitOf(call.URL)}
	x.run(ctx)
	return x.record
}
