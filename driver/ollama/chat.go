package ollama

import (
	"context"

	"exobench"
	"exobench/wire"
)

// chat is the body of a request to /api/chat.
type chat struct {
	Model    string    `json:"model"`
	Messages []message `json:"messages"`
	Stream   *bool     `json:"stream,omitempty"`
	// Truncate and Shift, where false, keep Ollama from cutting a prompt, or
	// what is in the context, to make room.
	Truncate *bool `json:"truncate,omitempty"`
	Shift    *bool `json:"shift,omitempty"`
	// KeepAlive is how long the model stays loaded after this; nil leaves that
	// as it is.
	KeepAlive any     `json:"keep_alive,omitempty"`
	Options   options `json:"options"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type options struct {
	Context exobench.Tokens `json:"num_ctx,omitempty"`
	Predict exobench.Tokens `json:"num_predict,omitempty"`
	// Temperature and Seed are absent in requests without messages.
	Temperature *float64 `json:"temperature,omitempty"`
	Seed        *uint64  `json:"seed,omitempty"`
}

// seedMask keeps seeds in the positive range of the 32 bits that Ollama's
// runners have for them.
const seedMask = 1<<31 - 1

// Do sends one chat.
func (t *Target) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	return t.config.Wire.Do(ctx, wire.Call{
		URL:     t.config.URL + "/api/chat",
		Body:    encode(t.chat(d, r)),
		At:      r.Scheduled,
		Timeout: t.config.Timeout,
		Idle:    t.config.Idle,
		Format:  wire.NDJSON,
	})
}

func (t *Target) chat(d exobench.Deployment, r exobench.Request) chat {
	stream, truncate, shift := true, false, false
	c := chat{
		Model:    d.Model.ID,
		Messages: []message{{Role: "user", Content: r.Prompt.Text}},
		Stream:   &stream,
		Truncate: &truncate,
		Options:  options{Predict: r.MaxTokens, Temperature: new(float64), Seed: new(r.Seed & seedMask)},
	}
	if d.Created {
		// As in the request that loaded the model.
		c.Shift, c.KeepAlive, c.Options.Context = &shift, keepAlive, t.config.Context
	}
	return c
}
