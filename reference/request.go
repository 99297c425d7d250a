package reference

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

// Override is the member "reference" of a chat request. What is nil is as the
// server's Config says.
type Override struct {
	TTFT            *float64        `json:"ttft_ms,omitempty"`
	Interval        *float64        `json:"interval_ms,omitempty"`
	Tokens          *int            `json:"tokens,omitempty"`
	PerChunk        *int            `json:"per_chunk,omitempty"`
	Jitter          *JitterOverride `json:"jitter,omitempty"`
	PrefillPerToken *float64        `json:"prefill_per_token_ms,omitempty"`
	Error           *Fault          `json:"error,omitempty"`
}

// JitterOverride replaces the whole jitter of a server for one request. Its
// delays depend on its seed alone.
type JitterOverride struct {
	Distribution Distribution `json:"distribution"`
	Size         float64      `json:"size_ms"`
	Seed         uint64       `json:"seed"`
}

const maxBody = 16 << 20

// request is a chat request as far as it matters here.
type request struct {
	Model               string          `json:"model"`
	Stream              bool            `json:"stream"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Messages            []message       `json:"messages"`
	Reference           json.RawMessage `json:"reference"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

type message struct {
	Content json.RawMessage `json:"content"`
}

// words counts the words of a message's text, which is a string or in parts.
func (m message) words() int {
	var text string
	if json.Unmarshal(m.Content, &text) == nil {
		return len(strings.Fields(text))
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(m.Content, &parts) != nil {
		return 0
	}
	n := 0
	for _, part := range parts {
		n += len(strings.Fields(part.Text))
	}
	return n
}

// task is what one request is to get.
type task struct {
	Config
	model  string
	prompt int // words
	usage  bool
	// fixed reports that the jitter's seed is the request's own.
	fixed bool
}

// read reads and checks a request.
func (c Config) read(w http.ResponseWriter, r *http.Request) (task, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return task{}, fmt.Errorf("read the request: %w", err)
	}
	var q request
	if err := json.Unmarshal(body, &q); err != nil {
		return task{}, fmt.Errorf("the body is no chat request: %w", err)
	}
	if !q.Stream {
		return task{}, errors.New(`the reference only streams; set "stream": true`)
	}
	t := task{Config: c, model: cmp.Or(q.Model, modelID), usage: q.StreamOptions.IncludeUsage}
	for _, m := range q.Messages {
		t.prompt += m.words()
	}
	if n := cmp.Or(q.MaxTokens, q.MaxCompletionTokens); n != nil {
		t.Tokens = *n
	}
	if len(q.Reference) > 0 {
		if err := t.override(q.Reference); err != nil {
			return task{}, err
		}
	}
	if t.Tokens < 1 || t.PerChunk < 1 {
		return task{}, errors.New("an answer needs at least one token, and one in each chunk")
	}
	return t, t.Validate()
}

// override is strict: a misspelt parameter would give a schedule that nobody
// asked for.
func (t *task) override(raw json.RawMessage) error {
	var o Override
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return fmt.Errorf(`the member "reference": %w`, err)
	}
	set(&t.TTFT, o.TTFT)
	set(&t.Interval, o.Interval)
	set(&t.PrefillPerToken, o.PrefillPerToken)
	if o.Tokens != nil {
		t.Tokens = *o.Tokens
	}
	if o.PerChunk != nil {
		t.PerChunk = *o.PerChunk
	}
	if o.Error != nil {
		t.Errors = Errors{Fault: *o.Error}
	}
	if j := o.Jitter; j != nil {
		t.Jitter = Jitter{Distribution: j.Distribution, Size: milliseconds(j.Size), Seed: j.Seed}
		t.fixed = true
	}
	return nil
}

func set(d *time.Duration, ms *float64) {
	if ms != nil {
		*d = milliseconds(*ms)
	}
}

// milliseconds converts what JSON can hold; what a Duration cannot is out of
// every bound and stays so.
func milliseconds(ms float64) time.Duration {
	return time.Duration(math.Round(max(-1, min(ms, 1e10)) * 1e6))
}
