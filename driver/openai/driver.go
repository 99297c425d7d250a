// Package openai drives any server with an OpenAI-compatible API: vLLM, SGLang,
// LM Studio, mlx-lm, llama-server and many more. Such an API has no life cycle:
// models are there or not, and nothing is loaded or taken away.
//
// Servers differ in which fields of a request they accept. Preparing a model for
// the first time sends a request as the run's own are, and leaves out what the
// server refuses; that is found out once, remembered, and told. A field that is
// accepted need not be obeyed: most servers ignore what they do not know, so that
// "ignore_eos" was accepted says nothing of the length of answers.
//
// The server's list of models is a hint. Where it has none, or one that names
// none, the model's name is sent as it was given.
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
	"exobench/internal/panics"
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
func (Driver) Options() []driver.Option {
	return []driver.Option{driver.Without, driver.APIKeyEnv, driver.APIKeyFile}
}

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
		asked.Go(panics.Caught(func() {
			e, err := dial(ctx, exobench.EngineSpec{URL: url}, env, nil)
			if err != nil {
				return
			}
			defer e.client.Close()
			if e.models.missing != "" {
				return // anything may answer so
			}
			found[i] = &driver.Found{Engine: "openai", URL: e.client.Base(), Models: len(e.models.ids), Detail: "has " + driver.List(e.models.ids)}
		}))
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
// Where none answers it returns the catalogue's models as one here would have
// them.
func (d Driver) Offers(ctx context.Context, spec exobench.EngineSpec, env driver.Env) ([]driver.Offer, error) {
	if spec.URL != "" {
		e, err := dial(ctx, spec, env, nil)
		if err != nil {
			return nil, err
		}
		defer e.client.Close()
		if e.models.missing != "" {
			return nil, fmt.Errorf("%s: %w (%s)", e.client.Base(), errNoList, e.models.missing)
		}
		return e.offers(), nil
	}
	var offers []driver.Offer
	for _, f := range d.Find(ctx, "", env) {
		spec.URL = f.URL
		// One that is gone since is none.
		more, _ := d.Offers(ctx, spec, env)
		offers = append(offers, more...)
	}
	if len(offers) == 0 {
		offers = absent(ctx, env)
	}
	return offers, nil
}

// absent returns the catalogue's models in the 16 bits of their makers, as vLLM
// and the like take them unless they are told otherwise.
func absent(ctx context.Context, env driver.Env) []driver.Offer {
	free := local.FreeMemory(ctx)
	var offers []driver.Offer
	for _, m := range env.Catalogue.Models() {
		if ids := m.IDs["openai"]; len(ids) > 0 {
			o := driver.Offer{Model: m.Name, Engine: "openai", ID: ids[0], Size: exobench.Bytes(2 * m.Parameters), Estimated: true}
			o.Fit(free)
			o.Why = "no server answers at the usual addresses"
			offers = append(offers, o)
		}
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
	e, err := dial(ctx, spec, env, func(line string) {
		if env.Progress != nil {
			env.Progress(line)
		}
	})
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
	models models
	given  []string // the fields that the user leaves out
	// place is where below the base the API is.
	place atomic.Pointer[string]
	// forms has the form of requests by the id of each model that was prepared.
	forms sync.Map

	mu      sync.Mutex
	refused []string // by any model so far
	notes   []string
}

func dial(ctx context.Context, spec exobench.EngineSpec, env driver.Env, tell func(string)) (*engine, error) {
	header, err := env.HeaderOf(spec)
	if err != nil {
		return nil, err
	}
	e := &engine{env: env, label: spec.Label(), header: header}
	if e.given, err = driver.WithoutOf(spec, optional...); err != nil {
		return nil, err
	}
	if e.client, err = api.New(api.Config{URL: spec.URL, Header: e.header, Insecure: env.Plan.Insecure}); err != nil {
		return nil, driver.UsageError{Err: fmt.Errorf("--url %s: %w", spec.URL, err)}
	}
	all, root, err := list(ctx, e.client, tell)
	if err != nil {
		if api.Answered(err) && !api.Elsewhere(err) {
			err = fmt.Errorf("%w: is an OpenAI-compatible server there?", err)
		}
		return nil, err
	}
	e.models = all
	e.place.Store(&root)
	return e, nil
}

// root returns the path below which the API is.
func (e *engine) root() string { return *e.place.Load() }

// chatPath returns that of chats.
func (e *engine) chatPath() string { return e.root() + "/chat/completions" }

// note keeps what the reader of a report must know.
func (e *engine) note(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.notes, text) {
		e.notes = append(e.notes, text)
	}
}

// Info describes the server, of which little is known.
func (e *engine) Info() exobench.Engine {
	return exobench.Engine{Name: e.label, Driver: "openai", URL: e.client.Base()}
}

// Prepare finds out, for a model that was not prepared before, which optional
// fields the server takes, which also has servers that load models on demand
// load this one.
func (e *engine) Prepare(ctx context.Context, m exobench.Model, _ string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	if _, known := e.forms.Load(m.ID); !known {
		if err := e.probe(ctx, m, report); err != nil {
			return exobench.Deployment{}, err
		}
	}
	report(exobench.StageEvent{Stage: exobench.StageReady, Detail: "the server loads models by itself"})
	return exobench.Deployment{Model: m, PID: e.seen.PID()}, nil
}

// probe finds the form of requests to a model. It begins with what the server
// took for the models before.
func (e *engine) probe(ctx context.Context, m exobench.Model, report func(exobench.StageEvent)) error {
	e.mu.Lock()
	p := probing{engine: e, model: m, report: report, form: form{given: e.given, refused: e.refused}}
	e.mu.Unlock()
	err := p.probe(ctx)
	if err != nil && api.Missing(err) && e.models.missing != "" {
		err = e.elsewhere(ctx, &p, err)
	}
	if err != nil {
		return err
	}
	e.forms.Store(m.ID, p.form)
	e.mu.Lock()
	e.refused = p.form.refused
	e.mu.Unlock()
	if out := p.form.String(); out != "" {
		text := "requests to " + m.ID + " " + out + ", which the server rejects"
		if len(p.said) > 0 {
			text += " (" + strings.Join(p.said, "; ") + ")"
		}
		e.note(text)
		report(exobench.StageEvent{Stage: exobench.StageResolve, Detail: text})
	}
	return nil
}

// elsewhere probes at the other places where the API may be, of a server whose
// list of models did not tell. The error is that of the likeliest.
func (e *engine) elsewhere(ctx context.Context, p *probing, missing error) error {
	likeliest := e.root()
	for _, root := range e.client.Roots() {
		if root == likeliest {
			continue
		}
		e.place.Store(&root)
		err := p.probe(ctx)
		if err == nil || !api.Missing(err) {
			return err
		}
	}
	e.place.Store(&likeliest)
	return missing
}

// Release has nothing to do.
func (e *engine) Release(context.Context, exobench.Deployment, func(exobench.StageEvent)) error {
	return nil
}

// Do sends one chat completion.
func (e *engine) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	f := form{given: e.given}
	if known, ok := e.forms.Load(d.Model.ID); ok {
		f = known.(form)
	}
	return e.env.Wire.Do(ctx, wire.Call{
		URL:     e.client.URL(e.chatPath()),
		Header:  e.header,
		Body:    api.Encode(completion(d.Model, r, f)),
		At:      r.Scheduled,
		Timeout: time.Duration(e.env.Plan.Timeout),
		Idle:    time.Duration(e.env.Plan.IdleTimeout),
	})
}

// Alive returns nil if the server takes connections now.
func (e *engine) Alive(ctx context.Context) error { return e.client.Alive(ctx) }

// Sensors returns that of the server's memory, where it runs on this host.
func (e *engine) Sensors() []driver.Sensor { return e.seen.Sensors() }

// Notices says what cannot be measured, how the server is reached, and what
// requests go without.
func (e *engine) Notices() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Concat(e.seen.Notices, []string{
		"an OpenAI-compatible server has no life cycle: loads are not timed, and memory is that of a server that may hold the model already",
	}, driver.WithoutNotice(e.given), e.client.Notices(), e.notes)
}

// Close leaves the server as it is.
func (e *engine) Close() error {
	e.client.Close()
	return nil
}
