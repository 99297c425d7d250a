package api

import (
	"bufio"
	"context"
	"iter"
	"time"

	"exobench/internal/panics"
)

// maxLine bounds one line of an answer that is read line by line.
const maxLine = 1 << 20

// Lines makes a call whose answer comes little by little, and returns its lines
// as they come, without their ends; a line is valid until the next. Only ctx
// bounds its time. The last pair is an error where the call failed or the answer
// broke off: a *CallError or a *StatusError.
func (c *Client) Lines(ctx context.Context, method, path string, body any) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		fail := func(err error) { yield(nil, &CallError{Call: c.name(method, path), Err: err}) }
		response, err := c.open(ctx, method, path, "application/json, text/event-stream", body)
		if err != nil {
			fail(err)
			return
		}
		defer response.Body.Close()
		if !succeeded(response.StatusCode) {
			// A refusal is no stream, so it has the time of an ordinary call.
			defer time.AfterFunc(c.timeout, panics.Caught(cancel)).Stop()
			answer, err := read(response)
			if err != nil {
				fail(err)
				return
			}
			yield(nil, c.statusError(method, path, answer))
			return
		}
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			if !yield(lines.Bytes(), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			fail(err)
		}
	}
}
