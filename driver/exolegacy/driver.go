package exolegacy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/driver/local"
)

// Driver finds and opens an exo of the 0.0.x line.
type Driver struct{}

// usualURL is where exo answers by default.
const usualURL = "http://127.0.0.1:52415"

// Name returns "exo-legacy".
func (Driver) Name() string { return "exo-legacy" }

// Options returns none: this exo can be told nothing.
func (Driver) Options() []driver.Option { return nil }

// Find returns the exo at url, or at exo's usual port of this host.
func (d Driver) Find(ctx context.Context, url string, env driver.Env) []driver.Found {
	e, err := dial(ctx, exobench.EngineSpec{Name: d.Name(), URL: url}, env, usualPace)
	if err != nil {
		return nil
	}
	defer e.Close()
	info := e.Info()
	return []driver.Found{{Engine: d.Name(), Version: info.Version, URL: info.URL, Models: len(e.usable)}}
}

// Offers returns the catalogue's models that the exo can run, and its others.
// What is downloaded it tells only by comparing its files with those of Hugging
// Face, and what is loaded not at all, so both are unknown.
func (d Driver) Offers(ctx context.Context, spec exobench.EngineSpec, env driver.Env) ([]driver.Offer, error) {
	e, err := dial(ctx, spec, env, usualPace)
	if _, usage := errors.AsType[driver.UsageError](err); err != nil && (usage || spec.URL != "") {
		return nil, err
	}
	if err == nil {
		defer e.Close()
	}
	here := exobench.Bytes(0)
	if spec.URL == "" {
		here = local.FreeMemory(ctx)
	}
	var offers []driver.Offer
	for _, m := range env.Catalogue.Models() {
		ids := m.IDs[d.Name()]
		if len(ids) == 0 {
			continue
		}
		o := driver.Offer{Model: m.Name, Engine: d.Name(), ID: ids[0], Size: driver.Estimate(m), Estimated: true, Why: "exo 0.0.x does not answer"}
		if o.Free = here; err == nil {
			o.ID, o.Why = e.first(ids), "unknown"
		}
		if o.ID != "" {
			offers = append(offers, o)
		}
	}
	if err != nil {
		return offers, nil
	}
	for _, id := range e.usable {
		if !slices.ContainsFunc(offers, func(o driver.Offer) bool { return o.ID == id }) {
			offers = append(offers, driver.Offer{Model: id, Engine: d.Name(), ID: id, Why: "unknown"})
		}
	}
	return offers, nil
}

// first returns the first of the ids that the exo can run; empty where there is
// none.
func (e *engine) first(ids []string) string {
	for _, id := range ids {
		if have, ok := match(e.usable, id); ok {
			return have
		}
	}
	return ""
}

// Open reaches the exo at the spec's URL, or at exo's usual port of this host.
func (d Driver) Open(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	e, err := dial(ctx, spec, env, usualPace)
	if err != nil {
		return nil, err
	}
	e.seen = local.Find(ctx, e.api.Address())
	return e, nil
}

// pace holds the waits, which are no user's business; tests shorten them.
type pace struct {
	load     time.Duration // for the load of a model, once downloaded
	download time.Duration // without a new byte of a download
	// look bounds the look at what is downloaded: exo compares its files with
	// those of Hugging Face for every model that it knows.
	look time.Duration
	poll time.Duration // between two looks at a download
}

// usualPace is that of every run.
var usualPace = pace{
	// exo itself gives a request up after 900 s: its own word comes first.
	load:     16 * time.Minute,
	download: 5 * time.Minute,
	look:     20 * time.Second,
	poll:     time.Second,
}

// dial makes sure that a legacy exo answers, and asks which models it has.
func dial(ctx context.Context, spec exobench.EngineSpec, env driver.Env, pace pace) (*engine, error) {
	if err := driver.CheckOptions(spec, nil); err != nil {
		return nil, err
	}
	url := cmp.Or(spec.URL, usualURL)
	client, err := api.New(api.Config{URL: url, Header: env.Header, Insecure: env.Plan.Insecure})
	if err != nil {
		return nil, driver.UsageError{Err: fmt.Errorf("--url is %q: %w", url, err)}
	}
	e := &engine{label: spec.Label(), env: env, pace: pace, api: client}
	if err := e.detect(ctx); err != nil {
		return nil, err
	}
	if err := e.list(ctx); err != nil {
		return nil, fmt.Errorf("list the models of exo 0.0.x: %w", err)
	}
	return e, nil
}

// Info describes the server. Answers are as long as the models make them.
func (e *engine) Info() exobench.Engine {
	info := exobench.Engine{
		Name: e.label, Driver: Driver{}.Name(), Version: "0.0.x (" + e.inference.String() + ")", URL: e.api.Base(),
		LifeCycle: true, CacheSwitch: false, IgnoresEOS: false,
	}
	if e.inference == dummy {
		info.Label = "exo's dummy inference engine"
		info.Caveat = "It computes nothing: the figures are those of exo's own overhead."
	}
	return info
}

// Resolve returns the model of that id, or the first of the catalogue's ids
// that exo can run. It is an id that exo lists: for any other, exo would
// silently run its default model.
func (e *engine) Resolve(_ context.Context, name string) (exobench.Model, error) {
	known, _ := e.env.FindModel(name)
	ids := append([]string{name}, known.IDs[Driver{}.Name()]...)
	if id := e.first(ids); id != "" {
		return exobench.Model{Name: cmp.Or(known.Name, name), ID: id}, nil
	}
	can := strings.Join(e.usable, ", ")
	for _, id := range ids {
		if have, ok := match(e.listed, id); ok {
			return exobench.Model{}, driver.UsageError{Err: fmt.Errorf(
				"exo lists %s, but cannot run it with its inference engine (%v); it can run %s", have, e.inference, can)}
		}
	}
	return exobench.Model{}, driver.UsageError{Err: fmt.Errorf(
		"exo 0.0.x does not have %s, and would answer with its default model; it has %s", name, can)}
}

// Alive returns nil if exo takes connections now.
func (e *engine) Alive(ctx context.Context) error { return e.api.Alive(ctx) }

// Sensors are the memory of exo's processes, where they can be seen.
func (e *engine) Sensors() []driver.Sensor { return e.seen.Sensors() }

// Notices say what cannot be told this exo, and what cannot be measured of it.
func (e *engine) Notices() []string {
	notices := append(e.api.Notices(), e.seen.Notices...)
	if t := e.env.Plan.Workload.Temperature; t != 0 {
		notices = append(notices, fmt.Sprintf("exo 0.0.x takes no temperature: --temperature %g is not sent", t))
	}
	return append(notices,
		"exo 0.0.x takes no length and no seed, and never unloads a model: answers end where the model ends them, and additional memory is a model's whole only where nothing was loaded before it")
}

// Close ends nothing, since the driver started nothing.
func (e *engine) Close() error {
	e.api.Close()
	return nil
}
