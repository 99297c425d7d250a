package exo

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"exobench"
	"exobench/driver/api"
	"exobench/wire"
)

// Do sends one chat completion.
func (e *Engine) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	plan := e.config.env.Plan
	call := wire.Call{
		URL: e.chatURL(r), Header: e.config.env.Header, Body: chatBody(d.Model, r),
		At: r.Scheduled, Timeout: time.Duration(plan.Timeout), Idle: time.Duration(plan.IdleTimeout),
	}
	if r.IgnoreEOS {
		call.Exact = r.MaxTokens
	}
	e.asked.begin()
	record := e.config.env.Wire.Do(ctx, call)
	e.asked.end(record.ServerID, record.Ended)
	switch record.Outcome {
	case exobench.Canceled, exobench.Timeout, exobench.IdleTimeout:
		// Closing the connection stops exo's runner; a proxy between would hold
		// it open, so exo is told as well. That this failed is no news of the
		// request.
		if record.ServerID != "" {
			_ = e.cancel(context.WithoutCancel(ctx), record.ServerID)
		}
	}
	e.correct(record.Server)
	if e.watched.judge(&record, e.startedAt(ctx)) {
		e.observeOutage(endedText)
	}
	return record
}

// correct undoes the one error of exo's figures that is known and constant: it
// divides the peak of memory by 10⁹ and takes the quotient for GiB, so that it
// says 7.37 % too much.
func (e *Engine) correct(s *exobench.ServerStats) {
	if s != nil && s.PeakMemory != nil && e.config.identity.Driver == "" {
		*s.PeakMemory = exobench.Bytes(math.Round(float64(*s.PeakMemory) * 1e9 / (1 << 30)))
	}
}

// chatURL returns where the request goes: /bench, where exo bans the end of
// sequence and keeps no prefix cache, or /v1, where the model may stop by
// itself and the prefix cache is always on.
func (e *Engine) chatURL(request exobench.Request) string {
	if request.IgnoreEOS {
		return e.api.URL("/bench/chat/completions")
	}
	return e.api.URL("/v1/chat/completions")
}

// chatBody returns the body of a streaming chat request.
func chatBody(model exobench.Model, request exobench.Request) []byte {
	return api.Encode(struct {
		api.Chat
		// Always sent: without it exo writes 32168 tokens on /bench.
		MaxTokens exobench.Tokens `json:"max_tokens"`
		// Sent although 0: absent means 0.7 to exo, or the model card's.
		Temperature    float64 `json:"temperature"`
		Seed           uint64  `json:"seed"`
		UsePrefixCache bool    `json:"use_prefix_cache,omitempty"`
	}{
		Chat:           api.Ask(model.ID, request.Prompt.Text),
		MaxTokens:      request.MaxTokens,
		Temperature:    request.Temperature,
		Seed:           request.Seed,
		UsePrefixCache: request.WarmCache,
	})
}

// cancel stops a request that exo works on. One that has ended is no error.
func (e *Engine) cancel(ctx context.Context, commandID string) error {
	err := e.api.Within(e.config.pace.cancel).Call(ctx, http.MethodPost, "/v1/cancel"+api.Path(commandID), nil, nil)
	if err != nil && !api.Missing(err) {
		return fmt.Errorf("cancel request %s: %w", commandID, err)
	}
	return nil
}
