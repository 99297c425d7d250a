package ollama

import (
	"context"
	"time"

	"exobench"
	"exobench/driver/api"
	"exobench/wire"
)

// chat is the body of a request to /api/chat.
type chat struct {
	api.Chat
	// Truncate and Shift, where false, keep Ollama from cutting a prompt, or
	// what is in the context, to make room.
	Truncate *bool `json:"truncate,omitempty"`
	Shift    *bool `json:"shift,omitempty"`
	// KeepAlive is how long the model stays loaded after this; nil leaves that
	// as it is.
	KeepAlive any     `json:"keep_alive,omitempty"`
	Options   options `json:"options"`
}

type options struct {
	Predict exobench.Tokens `json:"num_predict,omitempty"`
	// Temperature and Seed are absent in requests without messages.
	Temperature *float64 `json:"temperature,omitempty"`
	Seed        *uint64  `json:"seed,omitempty"`
}

// seedMask keeps seeds in the positive range of the 32 bits that Ollama's
// runners have for them.
const seedMask = 1<<31 - 1

// Do sends one chat.
func (e *engine) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	return e.env.Wire.Do(ctx, wire.Call{
		URL:     e.client.URL("/api/chat"),
		Header:  e.env.Header,
		Body:    api.Encode(question(d, r)),
		At:      r.Scheduled,
		Timeout: time.Duration(e.env.Plan.Timeout),
		Idle:    time.Duration(e.env.Plan.IdleTimeout),
		Dialect: wire.Ollama{},
	})
}

// question is a chat that is measured.
func question(d exobench.Deployment, r exobench.Request) chat {
	c := chat{
		Chat:     api.Ask(d.Model.ID, r.Prompt.Text),
		Truncate: new(false),
		Options:  options{Predict: r.MaxTokens, Temperature: new(r.Temperature), Seed: new(r.Seed & seedMask)},
	}
	if d.Created {
		// As in the request that loaded the model.
		c.Shift, c.KeepAlive = new(false), keepAlive
	}
	return c
}
