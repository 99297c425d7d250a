package exolegacy

import (
	"context"
	"fmt"
	"time"

	"exobench"
	"exobench/driver/api"
	"exobench/wire"
)

// Do sends one chat completion. Of the request, exo takes the prompt alone.
func (e *engine) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	plan := e.env.Plan
	return e.chat(ctx, d.Model.ID, r.Prompt.Text, wire.Call{
		At: r.Scheduled, Timeout: time.Duration(plan.Timeout), Idle: time.Duration(plan.IdleTimeout),
	})
}

func (e *engine) chat(ctx context.Context, id, prompt string, call wire.Call) exobench.Record {
	call.URL, call.Header = e.api.URL("/v1/chat/completions"), e.env.Header
	call.Body = api.Encode(api.Ask(id, prompt))
	call.Dialect = wire.LegacyExo{}
	record := e.env.Wire.Do(ctx, call)
	if record.Outcome == exobench.Truncated {
		// Its error answer then stands in the middle of the stream.
		record.Error += "; exo 0.0.x breaks an answer off so when an error or its own time-out ends it"
	}
	refuseOther(&record, id)
	return record
}

// refuseOther makes an answer by another model a malformed one.
func refuseOther(r *exobench.Record, id string) {
	if r.ServerModel != "" && r.ServerModel != id {
		r.Outcome = exobench.Malformed
		r.Error = fmt.Sprintf("exo answered with %s, its default model, in place of %s", r.ServerModel, id)
	}
}
