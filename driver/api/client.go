// Package api makes the calls that engines take beside their chats: JSON over
// HTTP, each within a time and a size, with one set of texts for what can go
// wrong. It sends no measured request: that is package wire's.
//
//	client, err := api.New(api.Config{URL: spec.URL, Header: env.Header})
//	err = client.Get(ctx, "/models", &list)
//	if api.Missing(err) { ... }
package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// DefaultTimeout bounds one ordinary call.
const DefaultTimeout = 10 * time.Second

// maxBody bounds an answer: the largest known, exo's list of what a node has
// downloaded, is about 100 KB. maxRefusal bounds what is read of an answer that
// says no, and maxHeader the header of any.
const (
	maxBody    = 16 << 20
	maxRefusal = 64 << 10
	maxHeader  = 256 << 10
	// maxValues bounds the values of an answer, which take many times the room of
	// their text: {} takes 3 bytes there, and a hundred once it is read.
	maxValues = 250_000
)

// Config says how a server is reached.
type Config struct {
	// URL is the server's base, as ParseURL takes it.
	URL string
	// Header is sent with every call; it is not modified.
	Header http.Header
	// Timeout bounds a call; 0 means DefaultTimeout.
	Timeout time.Duration
	// Insecure accepts any TLS certificate.
	Insecure bool
	// NoKeepAlive uses each connection once: for a server that is about to end
	// and would wait for open ones.
	NoKeepAlive bool
	// Proxy says which proxy a call goes through, as [http.Transport] has it;
	// nil means those of the environment, for hosts other than this one. So do
	// measured requests go.
	Proxy func(*http.Request) (*url.URL, error)
	// Transport, where set, takes the calls in place of connections: for tests
	// in virtual time, which know no sockets.
	Transport http.RoundTripper
}

// Client calls one server. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	roots     []string
	header    http.Header
	timeout   time.Duration
	transport *http.Transport
	http      *http.Client
}

// New returns a client; nothing is sent yet. Its error is one of the URL.
func New(c Config) (*Client, error) {
	base, roots, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: c.Insecure}
	transport.DisableKeepAlives = c.NoKeepAlive
	transport.MaxResponseHeaderBytes = maxHeader
	// Measured requests need HTTP/1.1; a server without it is told of at once.
	transport.ForceAttemptHTTP2, transport.TLSClientConfig.NextProtos = false, []string{"http/1.1"}
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	if c.Proxy != nil {
		transport.Proxy = c.Proxy
	}
	client := &Client{
		base: base, roots: roots, header: c.Header.Clone(), timeout: cmp.Or(c.Timeout, DefaultTimeout),
		transport: transport,
		http:      &http.Client{Transport: transport, CheckRedirect: checkRedirect},
	}
	if c.Transport != nil {
		client.http.Transport = c.Transport
	}
	return client, nil
}

// maxRedirects is how many redirects are followed, as many as net/http would.
const maxRedirects = 10

// checkRedirect follows a redirect that stays with its origin and keeps the
// method; any other is the answer. The user's headers, and the key among them,
// are for the origin that was named.
func checkRedirect(next *http.Request, via []*http.Request) error {
	if next.Method != via[0].Method || !sameOrigin(next.URL, via[0].URL) {
		return http.ErrUseLastResponse
	}
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	next.URL.User = via[0].URL.User
	return nil
}

// Within returns a client of the same server, over the same connections, whose
// calls may take so long.
func (c *Client) Within(limit time.Duration) *Client {
	within := *c
	within.timeout = limit
	return &within
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Get asks for a path, which may have a query, and decodes the answer into
// result. An error is a *CallError or a *StatusError.
func (c *Client) Get(ctx context.Context, path string, result any) error {
	return c.Call(ctx, http.MethodGet, path, nil, result)
}

// Call makes one call and decodes the answer into result, unless that is nil.
// The body is encoded as JSON; nil is none, and a []byte or json.RawMessage is
// sent as it is. Any call may be sent twice: where a server closes an idle
// connection just as it is used, the call is repeated on another.
func (c *Client) Call(ctx context.Context, method, path string, body, result any) error {
	answer, err := c.Send(ctx, method, path, body)
	if err != nil {
		return err
	}
	if !succeeded(answer.Status) {
		return c.statusError(method, path, answer)
	}
	if result == nil {
		return nil
	}
	err = json.Unmarshal(answer.Body, result)
	switch {
	case err == nil:
		return nil
	case len(answer.Body) == 0:
		err = errors.New("the answer is empty")
	case isHTML(answer.Body):
		err = errors.New("the answer is an HTML page")
	default:
		err = fmt.Errorf("the answer is not what was expected: %w", err)
	}
	return &CallError{Call: c.name(method, path), Err: err, Answered: true}
}

func succeeded(status int) bool { return status/100 == 2 }

// Answer is what came back from a call, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Send makes one call and reads the whole answer. A status that says no is no
// error here; an error is a *CallError.
func (c *Client) Send(ctx context.Context, method, path string, body any) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	fail := func(err error) (Answer, error) {
		return Answer{}, &CallError{Call: c.name(method, path), Err: err}
	}
	response, err := c.open(ctx, method, path, "application/json", body)
	if err != nil {
		return fail(err)
	}
	defer response.Body.Close()
	answer, err := read(response)
	if err != nil {
		return fail(err)
	}
	return answer, nil
}

// Refusal returns the *StatusError of an answer of Send; nil for one of success.
func (c *Client) Refusal(method, path string, a Answer) error {
	if succeeded(a.Status) {
		return nil
	}
	return c.statusError(method, path, a)
}

// read reads the whole answer, which ends at the latest with its call's
// context. Of one that says no, the beginning will do, even if it breaks off.
func read(response *http.Response) (Answer, error) {
	answer := Answer{Status: response.StatusCode, Header: response.Header}
	// After a switch of protocols the body is the bare connection, which no
	// context closes and whose end nobody promises.
	if response.StatusCode == http.StatusSwitchingProtocols {
		return answer, nil
	}
	if !succeeded(response.StatusCode) {
		answer.Body, _ = io.ReadAll(io.LimitReader(response.Body, maxRefusal))
		return answer, nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return Answer{}, err
	}
	if len(body) > maxBody {
		return Answer{}, fmt.Errorf("the answer is longer than %d MiB", maxBody>>20)
	}
	if bytes.Count(body, []byte(",")) > maxValues { // one stands between any two
		return Answer{}, fmt.Errorf("the answer has more than %d values", maxValues)
	}
	answer.Body = body
	return answer, nil
}

// open sends a call. The caller closes the answer's body.
func (c *Client) open(ctx context.Context, method, path, accept string, body any) (*http.Response, error) {
	var sent io.Reader
	switch body := body.(type) {
	case nil:
	case []byte:
		sent = bytes.NewReader(body)
	case json.RawMessage:
		sent = bytes.NewReader(body)
	default:
		sent = bytes.NewReader(Encode(body))
	}
	request, err := http.NewRequestWithContext(ctx, method, c.URL(path), sent)
	if err != nil {
		return nil, err
	}
	for name, values := range c.header {
		request.Header[name] = values
	}
	request.Header.Set("Accept", accept)
	if sent != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	// An empty value is never sent; it tells net/http that the call may be
	// repeated when the server closed the idle connection under it.
	request.Header["Idempotency-Key"] = []string{}
	return c.http.Do(request)
}
