package api

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
	"strconv"
	"strings"
	"syscall"
	"time"
)

// CallError is a call that got no usable answer.
type CallError struct {
	Call string // method and URL
	Err  error
	// Answered is set where an answer came, and is not what was expected.
	Answered bool
}

func (e *CallError) Error() string { return e.Call + ": " + Reason(e.Err) }
func (e *CallError) Unwrap() error { return e.Err }

// StatusError is a call that the server answered with another status than one
// of success.
type StatusError struct {
	Call   string // method and URL
	Status int
	Text   string // the server's own words, in one line
	// Body is the beginning of the answer, and Header its header.
	Body   []byte
	Header http.Header
}

func (e *StatusError) Error() string {
	switch e.Status {
	case http.StatusSwitchingProtocols:
		return fmt.Sprintf("%s: HTTP %d where an answer was due", e.Call, e.Status)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("%s: HTTP %d: %s; where it wants an API key, give it with --api-key-env, or --header", e.Call, e.Status, e.Text)
	}
	if e.place() != nil {
		return fmt.Sprintf("%s: HTTP %d %s", e.Call, e.Status, e.Text)
	}
	return fmt.Sprintf("%s: HTTP %d: %s", e.Call, e.Status, e.Text)
}

// place returns where the answer redirects to; nil where it does not.
func (e *StatusError) place() *url.URL {
	if e.Status/100 != 3 {
		return nil
	}
	place, err := url.Parse(e.Header.Get("Location"))
	if err != nil || *place == (url.URL{}) {
		return nil
	}
	return place
}

// RetryAfter returns how long the server asks to wait before the next try, and
// false where it does not ask.
func (e *StatusError) RetryAfter() (time.Duration, bool) {
	text := strings.TrimSpace(e.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e9 {
		return time.Duration(seconds * float64(time.Second)), true
	}
	if moment, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(moment)), true
	}
	return 0, false
}

func (c *Client) statusError(method, path string, answer Answer) error {
	e := &StatusError{
		Call: c.name(method, path), Status: answer.Status, Text: Problem(answer.Status, answer.Body),
		Body: answer.Body, Header: answer.Header,
	}
	if place := e.place(); place != nil {
		place = c.base.ResolveReference(place)
		place.User = nil
		if c.base.RawQuery != "" {
			place.RawQuery = "" // it may repeat the base's, which may be a secret
		}
		e.Text = "redirects to " + Line(place.String()) + ": give that one"
	}
	return e
}

// Status returns the status with which a server refused a call; 0 where it did
// not.
func Status(err error) int {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Status
	}
	return 0
}

// Missing reports whether the server answered that there is no such thing.
func Missing(err error) bool { return Status(err) == http.StatusNotFound }

// Elsewhere reports whether the server answered that what was asked for is at
// another place, which the error names, or switched to another protocol: what
// it is otherwise need not be told.
func Elsewhere(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && (status.place() != nil || status.Status == http.StatusSwitchingProtocols)
}

// Answered reports whether some server answered, with a refusal or with what
// was not expected. What a proxy says counts.
func Answered(err error) bool {
	call, ok := errors.AsType[*CallError](err)
	return ok && call.Answered || Status(err) != 0
}

// Passing reports whether the same call may well succeed a moment later: no
// usable answer came, or one of the 5xx kind.
func Passing(err error) bool {
	_, lost := errors.AsType[*CallError](err)
	return lost || Status(err) >= 500
}

// Refused reports whether nothing listens there.
func Refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// Reason says in a few words why a call got no answer; net/http's own text
// repeats the method and the whole address, which may hold secrets.
func Reason(err error) string {
	dns, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case Refused(err):
		return "connection refused"
	case unknown:
		return "no such host: " + dns.Name
	case speaksHTTP2(err):
		return "the server speaks HTTP/2 only; exobench needs HTTP/1.1, over which it can tell when each event arrived"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed"
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return Line(err.Error())
}

// speaksHTTP2 reports whether a server refused HTTP/1.1, by TLS or with the first
// frame of HTTP/2. Neither has an error of its own that could be asked for.
func speaksHTTP2(err error) bool {
	text := err.Error()
	return strings.Contains(text, "tls: no application protocol") ||
		strings.Contains(text, `malformed HTTP response "\x00\x00`)
}

// Problem turns the body of an error answer into one line. Servers have five
// shapes: {"error":{"message":"…"}}, {"error":"…"}, {"message":"…"}, and
// FastAPI's {"detail":"…"} and {"detail":[…]} for bodies that it rejects; or
// plain text. The status stands in where a body says nothing: many servers
// send no reason phrase.
func Problem(status int, body []byte) string {
	var shapes struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(body, &shapes) == nil {
		for _, raw := range []json.RawMessage{shapes.Error, shapes.Detail, shapes.Message} {
			if text := Line(message(raw)); text != "" {
				return text
			}
		}
	}
	text := Line(string(body))
	switch {
	case text == "":
		return strings.ToLower(http.StatusText(status))
	case isHTML(body):
		return "an HTML page"
	}
	return text
}

// message reads a bare string, {"message":"…"}, or a list of what was rejected.
func message(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var object struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &object) == nil {
		return object.Message
	}
	var rejections []struct {
		Place   []any  `json:"loc"`
		Message string `json:"msg"`
	}
	if json.Unmarshal(raw, &rejections) != nil {
		return ""
	}
	var lines []string
	for _, rejection := range rejections {
		var place []string
		for _, element := range rejection.Place {
			place = append(place, fmt.Sprint(element))
		}
		lines = append(lines, strings.Join(place, ".")+": "+rejection.Message)
	}
	return strings.Join(lines, "; ")
}

func isHTML(body []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// Line joins the words of a text by single spaces and cuts it after 300
// letters: some servers put whole tracebacks into their messages.
func Line(text string) string {
	const limit = 300
	letters := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " "))
	if len(letters) > limit {
		return string(letters[:limit]) + "…"
	}
	return string(letters)
}
