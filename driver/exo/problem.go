package exo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// StatusError is a call that exo answered with a status of 400 or more.
type StatusError struct {
	Call   string // method and path
	Status int
	Text   string // exo's own words, in one line
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: HTTP %d: %s", e.Call, e.Status, e.Text)
}

// problem turns the body of an error answer into one line. exo has four
// shapes: its own {"error":{"message"}}, FastAPI's {"detail":"…"} for unknown
// routes and {"detail":[…]} for bodies that it rejects, and plain text for
// what it did not foresee. The status stands in where a body says nothing:
// exo's HTTP server sends no reason phrase.
func problem(status int, body []byte) string {
	var shapes struct {
		Error  json.RawMessage `json:"error"`
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &shapes) == nil {
		for _, text := range []string{errorText(shapes.Error), detailText(shapes.Detail)} {
			if text != "" {
				return oneLine(text)
			}
		}
	}
	text := oneLine(string(body))
	switch {
	case text == "":
		return strings.ToLower(http.StatusText(status))
	case isHTML(body):
		return "an HTML page"
	}
	return text
}

// errorText reads {"message":"…"}, or the bare string of older servers.
func errorText(raw json.RawMessage) string {
	var object struct {
		Message string `json:"message"`
	}
	var text string
	if json.Unmarshal(raw, &object) == nil && object.Message != "" {
		return object.Message
	}
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return ""
}

// detailText reads a bare string, or pydantic's list of what it rejects.
func detailText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
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
	start := bytes.ToLower(bytes.TrimSpace(body))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// oneLine joins the words of a text by single spaces and cuts it after 300
// letters: exo puts whole tracebacks into some of its messages.
func oneLine(text string) string {
	const limit = 300
	letters := []rune(strings.Join(strings.Fields(text), " "))
	if len(letters) > limit {
		return string(letters[:limit]) + "…"
	}
	return string(letters)
}
