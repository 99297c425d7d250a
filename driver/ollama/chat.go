package ollama

import (
	"context"
	"strings"
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
		Body:    api.Encode(e.question(d, r)),
		At:      r.Scheduled,
		Timeout: time.Duration(e.env.Plan.Timeout),
		Idle:    time.Duration(e.env.Plan.IdleTimeout),
		Dialect: wire.Ollama{},
	})
}

// question is a chat that is measured.
func (e *engine) question(d exobench.Deployment, r exobench.Request) chat {
	c := chat{
		Chat:     api.Ask(d.Model.ID, r.Prompt.Text),
		Truncate: new(false),
		Options:  options{Predict: r.MaxTokens, Temperature: new(r.Temperature), Seed: new(r.Seed & seedMask)},
	}
	if d.Created {
		// As in the request that loaded the model.
		c.Shift, c.KeepAlive = e.shift(), keepAlive
	}
	return c
}

// shift is the same for all requests to a model that Prepare loaded: false, so
// that an answer ends where the context does. The first releases of Ollama 0.30
// keep nothing of the prompts of such requests, which is not to be where the
// cache is measured.
func (e *engine) shift() *bool {
	return new(e.env.Plan.Workload.Cache == exobench.WarmCache && strings.HasPrefix(e.version, "0.30."))
}
