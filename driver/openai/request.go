package openai

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"exobench"
	"exobench/driver/api"
)

// extras are the fields of a request that not every server takes.
type extras struct {
	// usage asks for token counts at the end of the stream (stream_options).
	usage bool
	// ignoreEOS asks for answers of full length (ignore_eos).
	ignoreEOS bool
	// seed fixes the sampling.
	seed bool
}

var allExtras = extras{usage: true, ignoreEOS: true, seed: true}

// fallbacks are tried in turn where a server rejects a request: what costs a
// measurement least is given up first.
var fallbacks = []extras{
	allExtras,
	{usage: true, seed: true},
	{usage: true},
	{seed: true},
	{},
}

// probe sends a request for one token, with fewer extras each time that the
// server rejects it.
func (e *engine) probe(ctx context.Context, d exobench.Deployment, report func(exobench.StageEvent)) error {
	if e.extras.Load() != nil {
		return nil
	}
	request := exobench.Request{Prompt: exobench.Prompt{Text: "Hello"}, MaxTokens: 1, IgnoreEOS: true}
	var first string
	for _, x := range fallbacks {
		record := e.send(ctx, d, request, x)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case rejected(record):
			if first == "" {
				first = record.Error
			}
			continue
		case record.Outcome == exobench.HTTPError, record.Outcome == exobench.ConnectError:
			return fmt.Errorf("a first request to %s failed: %s", d.Model.ID, record.Error)
		}
		e.extras.Store(&x)
		if missing := x.missing(); missing != "" {
			report(exobench.StageEvent{Stage: exobench.StageResolve, Detail: fmt.Sprintf("requests go without %s, which the server rejects (%s)", missing, first)})
		}
		return nil
	}
	return fmt.Errorf("the server rejects a plain chat request to %s: %s", d.Model.ID, first)
}

// rejected reports whether the server refused the form of a request.
func rejected(r exobench.Record) bool {
	return r.Outcome == exobench.HTTPError &&
		(r.HTTPStatus == http.StatusBadRequest || r.HTTPStatus == http.StatusUnprocessableEntity)
}

// missing names what is left out.
func (e extras) missing() string {
	var names []string
	for _, field := range []struct {
		name string
		sent bool
	}{{"stream_options", e.usage}, {"ignore_eos", e.ignoreEOS}, {"seed", e.seed}} {
		if !field.sent {
			names = append(names, field.name)
		}
	}
	return strings.Join(names, ", ")
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

func body(m exobench.Model, r exobench.Request, e extras) []byte {
	request := struct {
		api.Chat
		StreamOptions *streamOptions  `json:"stream_options,omitempty"`
		MaxTokens     exobench.Tokens `json:"max_tokens"`
		Temperature   float64         `json:"temperature"`
		Seed          *uint64         `json:"seed,omitempty"`
		IgnoreEOS     bool            `json:"ignore_eos,omitempty"`
	}{
		Chat:      api.Ask(m.ID, r.Prompt.Text),
		MaxTokens: r.MaxTokens,
		IgnoreEOS: r.IgnoreEOS && e.ignoreEOS,
	}
	if e.usage {
		request.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	if e.seed {
		request.Seed = &r.Seed
	}
	return api.Encode(request)
}
