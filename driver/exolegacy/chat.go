package exolegacy

import (
	"context"
	"encoding/json"
	"fmt"

	"exobench"
	"exobench/wire"
)

// Do sends one chat completion. Of the request, exo takes the prompt alone.
func (t *Target) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	return t.chat(ctx, d.Model.ID, r.Prompt.Text, wire.Call{At: r.Scheduled, Timeout: t.config.Timeout, Idle: t.config.Idle})
}

func (t *Target) chat(ctx context.Context, id, prompt string, call wire.Call) exobench.Record {
	call.URL = t.config.URL + "/v1/chat/completions"
	call.Body = body(id, prompt)
	call.NoTerminator = true
	record := t.config.Wire.Do(ctx, call)
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

func body(id, prompt string) []byte {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	text, err := json.Marshal(struct {
		Model    string    `json:"model"`
		Messages []message `json:"messages"`
		Stream   bool      `json:"stream"`
	}{id, []message{{Role: "user", Content: prompt}}, true})
	if err != nil {
		panic("exolegacy: a request body of plain values cannot fail to encode: " + err.Error())
	}
	return text
}
