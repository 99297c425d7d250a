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
	"strings"
	"syscall"
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
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s: HTTP %d: %s", e.Call, e.Status, e.Text)
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		text += "; where it wants an API key, give it with --api-key-env, or --header"
	}
	return text
}

func (c *Client) statusError(method, path string, answer Answer) error {
	text := Problem(answer.Status, answer.Body)
	if place := answer.Header.Get("Location"); place != "" && answer.Status/100 == 3 {
		if u, err := url.Parse(place); err == nil {
			place = u.Redacted()
		}
		text = "a redirect to " + Line(place) + ", which would turn the call into a GET; use that URL"
	}
	return &StatusError{Call: c.name(method, path), Status: answer.Status, Text: text}
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
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed"
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return Line(err.Error())
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
