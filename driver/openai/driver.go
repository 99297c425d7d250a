// Package openai drives any server with an OpenAI-compatible API: vLLM, SGLang,
// LM Studio, mlx-lm, llama-server and many more. Such an API has no life cycle:
// models are there or not, and nothing is loaded or taken away.
//
// Servers differ in which fields of a request they accept. Preparing a model
// sends one short request and leaves out what the server rejects; that is found
// out once and remembered. A field that is accepted need not be obeyed: most
// servers ignore what they do not know, so that "ignore_eos" was accepted says
// nothing of the length of answers.
package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/driver/local"
	"exobench/wire"
)

// Driver is that of servers with an OpenAI-compatible API.
type Driver struct{}

// usualURLs are where such servers listen that were not told otherwise:
// llama-server and mlx-lm, vLLM, LM Studio, SGLang.
var usualURLs = []string{"http://127.0.0.1:8080", "http://127.0.0.1:8000", "http://127.0.0.1:1234", "http://127.0.0.1:30000"}

// Name returns "openai".
func (Driver) Name() string { return "openai" }

// Options returns what this driver can be told.
func (Driver) Options() []driver.Option { return []driver.Option{driver.APIKeyEnv, driver.APIKeyFile} }

// Find asks for a server at the URL, or at all usual ones at once. An engine
// that has a driver of its own may be among them.
func (Driver) Find(ctx context.Context, url string, env driver.Env) []driver.Found {
	urls := usualURLs
	if url != "" {
		urls = []string{url}
	}
	found := make([]*driver.Found, len(urls))
	var asked sync.WaitGroup
	for i, url := range urls {
		asked.Go(func() {
			e, err := dial(ctx, exobench.EngineSpec{URL: url}, env)
			if err != nil {
				return
			}
			defer e.client.Close()
			found[i] = &driver.Found{Engine: "openai", URL: url, Models: len(e.models), Detail: "has " + driver.List(e.models)}
		})
	}
	asked.Wait()
	var all []driver.Found
	for _, f := range found {
		if f != nil {
			all = append(all, *f)
		}
	}
	return all
}

// Offers returns the models of the server at the spec's URL, or of those that
// answer at the usual ones. Such a server tells no sizes, nor what is loaded.
func (d Driver) Offers(ctx context.Context, spec exobench.EngineSpec, env driver.Env) ([]driver.Offer, error) {
	if spec.URL != "" {
		e, err := dial(ctx, spec, env)
		if err != nil {
			return nil, err
		}
		defer e.client.Close()
		return e.offers(), nil
	}
	var offers []driver.Offer
	for _, f := range d.Find(ctx, "", env) {
		spec.URL = f.URL
		// One that is gone since is none.
		more, _ := d.Offers(ctx, spec, env)
		offers = append(offers, more...)
	}
	return offers, nil
}

// offers are the server's models, by the catalogue's names for them.
func (e *engine) offers() []driver.Offer {
	var offers []driver.Offer
	for _, id := range e.models {
		name := id
		if m, ok := e.env.Catalogue.FindID("openai", id); ok {
			name = m.Name
		} else if m, ok := e.env.FindModel(id); ok {
			name = m.Name
		}
		o := driver.Offer{Model: name, Engine: "openai", ID: id, Downloaded: new(true)}
		o.Fit(0)
		offers = append(offers, o)
	}
	return offers
}

// Open asks the server at the spec's URL which models it has.
func (Driver) Open(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	if err := driver.CheckOptions(spec, Driver{}.Options()); err != nil {
		return nil, err
	}
	if spec.URL == "" {
		return nil, driver.UsageError{Err: errors.New("--engine openai needs --url, such as --url http://127.0.0.1:8000")}
	}
	e, err := dial(ctx, spec, env)
	if err != nil {
		return nil, err
	}
	e.seen = local.Find(ctx, e.client.Address())
	return e, nil
}

// engine is a server with an OpenAI-compatible API.
type engine struct {
	env    driver.Env
	label  string
	client *api.Client
	header http.Header
	seen   local.Server
	models []string
	// extras are the optional fields that the server takes; nil until tried.
	extras atomic.Pointer[extras]
}

func dial(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (*engine, error) {
	header, err := env.HeaderOf(spec)
	if err != nil {
		return nil, err
	}
	e := &engine{env: env, label: spec.Label(), header: header}
	if e.client, err = api.New(api.Config{URL: spec.URL, Header: e.header, Insecure: env.Plan.Insecure}); err != nil {
		return nil, driver.UsageError{Err: fmt.Errorf("--url %s: %w", spec.URL, err)}
	}
	e.models, err = e.list(ctx)
	return e, err
}

// list returns the ids of the server's models.
func (e *engine) list(ctx context.Context) ([]string, error) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	err := e.client.Get(ctx, "/v1/models", &list)
	switch {
	case err != nil && api.Answered(err):
		return nil, fmt.Errorf("%w: is an OpenAI-compatible server there?", err)
	case err != nil:
		return nil, err
	case list.Data == nil:
		return nil, fmt.Errorf("%s/v1/models does not answer with a list of models: is an OpenAI-compatible server there?", e.client.Base())
	}
	ids := make([]string, len(list.Data))
	for i, m := range list.Data {
		ids[i] = m.ID
	}
	return ids, nil
}

// Info describes the server, of which little is known.
func (e *engine) Info() exobench.Engine {
	return exobench.Engine{Name: e.label, Driver: "openai", URL: e.client.Base()}
}

// Resolve returns the model of that id, or the first of the ids that the
// catalogue has for it and the server too.
func (e *engine) Resolve(_ context.Context, name string) (exobench.Model, error) {
	known, ok := e.env.FindModel(name)
	if !ok {
		known.Name = name
	}
	for _, id := range append([]string{name}, known.IDs["openai"]...) {
		i := slices.IndexFunc(e.models, func(have string) bool { return strings.EqualFold(have, id) })
		if i >= 0 {
			return exobench.Model{Name: known.Name, ID: e.models[i]}, nil
		}
	}
	return exobench.Model{}, driver.UsageError{Err: fmt.Errorf("%s has no model %q: it has %s", e.client.Base(), name, driver.List(e.models))}
}

// Prepare finds out which optional fields the server takes, by a request for
// one token, which also has servers that load models on demand load this one.
func (e *engine) Prepare(ctx context.Context, m exobench.Model, _ string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	d := exobench.Deployment{Model: m, PID: e.seen.PID}
	if err := e.probe(ctx, d, report); err != nil {
		return exobench.Deployment{}, err
	}
	report(exobench.StageEvent{Stage: exobench.StageReady, Detail: "the server loads models by itself"})
	return d, nil
}

// Release has nothing to do.
func (e *engine) Release(context.Context, exobench.Deployment, func(exobench.StageEvent)) error {
	return nil
}

// Do sends one chat completion.
func (e *engine) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	extras := e.extras.Load()
	if extras == nil {
		extras = &allExtras
	}
	return e.send(ctx, d, r, *extras)
}

func (e *engine) send(ctx context.Context, d exobench.Deployment, r exobench.Request, x extras) exobench.Record {
	return e.env.Wire.Do(ctx, wire.Call{
		URL:     e.client.URL("/v1/chat/completions"),
		Header:  e.header,
		Body:    body(d.Model, r, x),
		At:      r.Scheduled,
		Timeout: time.Duration(e.env.Plan.Timeout),
		Idle:    time.Duration(e.env.Plan.IdleTimeout),
	})
}

// Alive returns nil if the server takes connections now.
func (e *engine) Alive(ctx context.Context) error { return e.client.Alive(ctx) }

// Sensors returns that of the server's memory, where it runs on this host.
func (e *engine) Sensors() []driver.Sensor { return e.seen.Sensors() }

// Notices says what cannot be measured.
func (e *engine) Notices() []string {
	return append(slices.Clone(e.seen.Notices), "an OpenAI-compatible server has no life cycle: loads are not timed, and memory is that of a server that may hold the model already")
}

// Close leaves the server as it is.
func (e *engine) Close() error {
	e.client.Close()
	return nil
}
