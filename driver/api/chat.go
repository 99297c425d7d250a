package api

import (
	"bytes"
	"encoding/json"

	"exobench"
)

// Chat is what all chat requests begin with; a driver embeds it in a struct of
// its own with what its engine takes besides.
type Chat struct {
	Model    string    `json:"model"`
	Messages []Message `json:"messages"`
	Stream   bool      `json:"stream"`
}

// Message is one message of a chat.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Ask returns a chat of one prompt whose answer is streamed.
func Ask(model, prompt string) Chat {
	return Chat{Model: model, Messages: []Message{{Role: "user", Content: prompt}}, Stream: true}
}

// Completion is a chat completion of OpenAI's API, with what servers have added
// to it. A member that is nil is not sent.
type Completion struct {
	Chat
	StreamOptions       *StreamOptions   `json:"stream_options,omitempty"`
	MaxTokens           *exobench.Tokens `json:"max_tokens,omitempty"`
	MaxCompletionTokens *exobench.Tokens `json:"max_completion_tokens,omitempty"`
	Temperature         *float64         `json:"temperature,omitempty"`
	Seed                *uint64          `json:"seed,omitempty"`
	IgnoreEOS           *bool            `json:"ignore_eos,omitempty"`
	CachePrompt         *bool            `json:"cache_prompt,omitempty"`
}

// StreamOptions has the server tell the count of tokens at the end of a stream.
type StreamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// The fields of a Completion that not every server takes, by their names on the
// wire.
const (
	IgnoreEOS     = "ignore_eos"
	CachePrompt   = "cache_prompt"
	Seed          = "seed"
	StreamUsage   = "stream_options"
	Temperature   = "temperature"
	MaxTokens     = "max_tokens"
	MaxCompletion = "max_completion_tokens"
)

// Complete returns the chat completion that a request asks for, with all that
// OpenAI's API has for it.
func Complete(model string, r exobench.Request) Completion {
	return Completion{
		Chat:          Ask(model, r.Prompt.Text),
		StreamOptions: &StreamOptions{IncludeUsage: true},
		MaxTokens:     new(r.MaxTokens),
		Temperature:   new(r.Temperature),
		Seed:          new(r.Seed),
	}
}

// LeaveOut takes fields out of the completion. Without a limit of its length it
// does not ask for an answer without end either.
func (c *Completion) LeaveOut(fields ...string) {
	for _, field := range fields {
		switch field {
		case IgnoreEOS:
			c.IgnoreEOS = nil
		case CachePrompt:
			c.CachePrompt = nil
		case Seed:
			c.Seed = nil
		case StreamUsage:
			c.StreamOptions = nil
		case Temperature:
			c.Temperature = nil
		case MaxTokens:
			c.MaxTokens, c.IgnoreEOS = nil, nil
		}
	}
}

// Encode writes a body of plain values as JSON, with <, > and & as they are.
// It panics on what JSON cannot say.
func Encode(body any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic("api: a request body of plain values cannot fail to encode: " + err.Error())
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}
