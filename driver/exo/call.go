package exo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// maxBody bounds an answer; the largest, a node's downloads, is about 100 KB.
const maxBody = 64 << 20

// CallError is a call that got no usable answer.
type CallError struct {
	Call string // method and path
	Err  error
}

func (e *CallError) Error() string { return e.Call + ": " + transportText(e.Err) }
func (e *CallError) Unwrap() error { return e.Err }

// answer is what came back from a call, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes one call. A status of 400 or more is not an error here.
func (t *Target) send(ctx context.Context, limit time.Duration, method, path string, body []byte) (answer, error) {
	call := method + " " + path
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, t.config.URL+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, &CallError{call, err}
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	// An empty value is never sent; it tells net/http that the call may be
	// repeated when exo closed the idle connection under it. All our calls may:
	// exo ignores an instance, card or deletion that it already has.
	request.Header["Idempotency-Key"] = []string{}
	response, err := t.config.Client.Do(request)
	if err != nil {
		return answer{}, &CallError{call, err}
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return answer{}, &CallError{call, err}
	}
	return answer{response.StatusCode, response.Header, data}, nil
}

// call makes one call and decodes the answer into result, unless that is nil.
// A status of 400 or more is a *StatusError.
func (t *Target) call(ctx context.Context, limit time.Duration, method, path string, body []byte, result any) error {
	got, err := t.send(ctx, limit, method, path, body)
	if err != nil {
		return err
	}
	if got.status >= 400 {
		return &StatusError{Call: method + " " + path, Status: got.status, Text: problem(got.status, got.body)}
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(got.body, result); err != nil {
		return &CallError{method + " " + path, fmt.Errorf("the answer is not what exo writes: %w", err)}
	}
	return nil
}

func (t *Target) get(ctx context.Context, path string, result any) error {
	return t.call(ctx, t.config.pace.call, http.MethodGet, path, nil, result)
}

// pathOf joins elements to a path, each escaped.
func pathOf(elements ...string) string {
	var path strings.Builder
	for _, element := range elements {
		path.WriteString("/" + url.PathEscape(element))
	}
	return path.String()
}

// missing reports whether exo answered that there is no such thing.
func missing(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Status == http.StatusNotFound
}

// passing reports whether the same call may well succeed a moment later: no
// answer, or one of the 5xx kind.
func passing(err error) bool {
	var call *CallError
	var status *StatusError
	return errors.As(err, &call) || errors.As(err, &status) && status.Status >= 500
}

// answered reports whether err is exo's own refusal. A lost call is none, nor
// is what a proxy says when it loses one.
func answered(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Status <= http.StatusInternalServerError
}

// refused reports whether nothing listens there.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// transportText says in a few words why a call got no answer; net/http's own
// text repeats the method and the whole address.
func transportText(err error) string {
	var dns *net.DNSError
	var outer *url.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case refused(err):
		return "connection refused"
	case errors.As(err, &dns):
		return "no such host: " + dns.Name
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed"
	case errors.As(err, &outer):
		return outer.Err.Error()
	}
	return err.Error()
}

// pause waits for d, or until ctx is done, and then returns its error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
