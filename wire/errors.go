package wire

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"
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
	shown := *place
	shown.User = nil
	return fmt.Sprintf("HTTP %d redirects to %s: give that one", status, oneLine([]byte(shown.String())))
}

// errorMessage finds the message in an error body. The shapes are OpenAI's and
// exo's {"error":{"message"}}, {"error":"…"}, FastAPI's {"detail":"…"} and its
// list of {"loc","msg"}, and {"message"}. It returns "" for any other body.
func errorMessage(body []byte) string {
	var shapes struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(body, &shapes) != nil {
		return ""
	}
	var message string
	_ = json.Unmarshal(shapes.Message, &message) // of another kind, it is none
	return cmp.Or(faultText(shapes.Error), faultText(shapes.Detail), oneLine([]byte(message)))
}

// validationText joins FastAPI's list of what is wrong with a request. It returns
// "" for another list.
func validationText(raw []byte) string {
	var list []struct {
		Loc []any  `json:"loc"`
		Msg string `json:"msg"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return ""
	}
	var parts []string
	for _, item := range list {
		if item.Msg == "" {
			return ""
		}
		where := strings.Trim(fmt.Sprint(item.Loc), "[]")
		parts = append(parts, strings.ReplaceAll(where, " ", ".")+": "+item.Msg)
	}
	return oneLine([]byte(strings.Join(parts, "; ")))
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
	// Which of HTTP's versions it is that net/http speaks helps nobody.
	return oneLine([]byte(strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: ")))
}

func shortText(got, asked exobench.Tokens) string {
	return fmt.Sprintf("%d tokens came, %d were asked for", got, asked)
}

// oneLine makes a text of a server's fit for one line of any report: white space
// folded, control characters and marks of direction replaced, cut to
// errorTextLimit bytes at a whole character. Of what is no text, it says how long
// it is.
func oneLine(text []byte) string {
	if isBinary(text) {
		return fmt.Sprintf("%d bytes of binary data", len(text))
	}
	// No more is looked at than can be kept, were it all white space but a little.
	text = text[:min(len(text), 16*errorTextLimit)]
	line := strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "\ufffd")), " ")
	line = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '\ufffd'
		}
		return r
	}, line)
	if len(line) <= errorTextLimit {
		return line
	}
	cut := errorTextLimit
	for !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + "…"
}

// isBinary reports whether more than an eighth of a text's start is not text.
func isBinary(text []byte) bool {
	start := text[:min(len(text), errorTextLimit)]
	odd, all := 0, 0
	for len(start) > 0 {
		r, size := utf8.DecodeRune(start)
		if all++; r == utf8.RuneError && size == 1 && (len(start) >= utf8.UTFMax || len(start) == len(text)) || r == 0 {
			odd++
		}
		start = start[size:]
	}
	return odd > 1 && 8*odd > all
}
