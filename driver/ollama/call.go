package ollama

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// answerLimit is how much of an answer is read; errorLimit, of an error.
const (
	answerLimit = 32 << 20
	errorLimit  = 8 << 10
)

// refusal is an error that the server answered with.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("HTTP %d: %s", r.status, r.text) }

// asRefusal tells an error that the server answered with from one on the way.
func asRefusal(err error) (*refusal, bool) {
	var r *refusal
	ok := errors.As(err, &r)
	return r, ok
}

// missing reports whether the server said that it has no such thing.
func missing(err error) bool {
	r, answered := asRefusal(err)
	return answered && r.status == http.StatusNotFound
}

// call sends a request and reads its answer, within the time given.
func (t *Target) call(ctx context.Context, limit time.Duration, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	response, err := t.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("the answer to %s is no JSON of Ollama's: %w", path, err)
	}
	return nil
}

// send returns an answer whose status is 200; the caller closes it.
func (t *Target) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var sent io.Reader
	if body != nil {
		sent = bytes.NewReader(encode(body))
	}
	request, err := http.NewRequestWithContext(ctx, method, t.config.URL+path, sent)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := t.config.Client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s: %w", t.config.URL, short(err))
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(response.Body, errorLimit))
		return nil, &refusal{response.StatusCode, errorText(response.StatusCode, text)}
	}
	return response, nil
}

func encode(body any) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		panic("ollama: a request body of plain values cannot fail to encode: " + err.Error())
	}
	return text
}

// errorText finds the message of an error: Ollama's shape is {"error":"…"}.
func errorText(status int, body []byte) string {
	var shape struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &shape) == nil && shape.Error != "" {
		return shape.Error
	}
	if text := strings.Join(strings.Fields(string(body)), " "); text != "" {
		return text[:min(len(text), 200)]
	}
	return http.StatusText(status)
}

// short leaves out the method and URL that net/http puts before an error.
func short(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
