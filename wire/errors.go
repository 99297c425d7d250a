package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"exobench"
)

// errorTextRead is how much of an error answer is looked at; errorTextLimit is
// how much of its message is kept.
const (
	errorTextRead  = 8 << 10
	errorTextLimit = 300
)

// httpErrorText makes one line of an error answer: the status, and the message
// in whichever shape the server gave it.
func httpErrorText(status int, body []byte) string {
	text := fmt.Sprintf("HTTP %d", status)
	message := errorMessage(body)
	if message == "" {
		message = oneLine(body)
	}
	if message == "" {
		message = http.StatusText(status)
	}
	if message == "" {
		return text
	}
	return text + ": " + message
}

// redirectText says where a redirect leads that is not followed.
func redirectText(status int, place *url.URL) string {
	return fmt.Sprintf("HTTP %d: a redirect to %s, which would turn the POST into a GET; use that URL", status, oneLine([]byte(place.Redacted())))
}

// errorMessage finds the message in an error body. The shapes are OpenAI's and
// exo's {"error":{"message"}}, {"error":"…"}, FastAPI's {"detail":"…"} and its
// list of {"loc","msg"}, and {"message"}. It returns "" for any other body.
func errorMessage(body []byte) string {
	var shapes struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &shapes) != nil {
		return ""
	}
	if text := messageOf(shapes.Error); text != "" {
		return text
	}
	if text := messageOf(shapes.Detail); text != "" {
		return text
	}
	return oneLine([]byte(shapes.Message))
}

func messageOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return oneLine([]byte(text))
	}
	var object struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &object) == nil && object.Message != "" {
		return oneLine([]byte(object.Message))
	}
	var list []struct {
		Loc []any  `json:"loc"`
		Msg string `json:"msg"`
	}
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		var parts []string
		for _, item := range list {
			where := strings.Trim(fmt.Sprint(item.Loc), "[]")
			parts = append(parts, strings.ReplaceAll(where, " ", ".")+": "+item.Msg)
		}
		return oneLine([]byte(strings.Join(parts, "; ")))
	}
	if len(raw) > 0 && string(raw) != "null" {
		return oneLine(raw)
	}
	return ""
}

// networkErrorText says what broke, without the method and URL that net/http
// puts before it.
func networkErrorText(err error) string {
	if err == nil {
		return "the connection broke"
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the server closed the connection in mid-answer"
	}
	return oneLine([]byte(err.Error()))
}

func shortText(got, asked exobench.Tokens) string {
	return fmt.Sprintf("%d tokens came, %d were asked for", got, asked)
}

// oneLine folds white space and cuts the text to errorTextLimit bytes, at a
// whole character.
func oneLine(text []byte) string {
	line := strings.ToValidUTF8(strings.Join(strings.Fields(string(text)), " "), "�")
	if len(line) <= errorTextLimit {
		return line
	}
	cut := errorTextLimit
	for !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + "…"
}
