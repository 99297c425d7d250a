package ollama

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/driver/local"
	"exobench/driver/marks"
)

// Driver is that of Ollama.
type Driver struct{}

// usualURL is where Ollama listens by default.
const usualURL = "http://127.0.0.1:11434"

// pullOption fetches models that the server does not have.
var pullOption = driver.Option{Name: "pull", Kind: driver.SwitchOption, Default: "false", Help: "fetch models that it does not have"}

// Name returns "ollama".
func (Driver) Name() string { return "ollama" }

// Options returns what this driver can be told.
func (Driver) Options() []driver.Option { return []driver.Option{pullOption, driver.Reuse} }

// Find asks for an Ollama at the URL, or at its usual one.
func (Driver) Find(ctx context.Context, url string, env driver.Env) []driver.Found {
	url = cmp.Or(url, usualURL)
	e, err := dial(ctx, exobench.EngineSpec{URL: url}, env)
	if err != nil {
		return nil
	}
	defer e.client.Close()
	f := driver.Found{Engine: "ollama", Version: e.version, URL: url, Models: len(e.models)}
	loaded, _ := e.loaded(ctx) // what it does not tell is not shown
	for _, m := range loaded {
		f.Loaded = append(f.Loaded, m.Name)
	}
	return []driver.Found{f}
}

// Offers returns the catalogue's models that have a name in Ollama's registry,
// and the server's own.
func (Driver) Offers(ctx context.Context, spec exobench.EngineSpec, env driver.Env) ([]driver.Offer, error) {
	free := local.FreeMemory(ctx)
	e, err := dial(ctx, spec, env)
	if err != nil && spec.URL != "" {
		return nil, err
	}
	if err != nil {
		return offersOf(env, nil, nil, free), nil
	}
	defer e.client.Close()
	loaded, err := e.loaded(ctx)
	if err != nil {
		return offersOf(env, e, nil, free), nil
	}
	names := []string{}
	for _, l := range loaded {
		names = append(names, l.Name)
	}
	return offersOf(env, e, names, free), nil
}

// offersOf returns the offers of a server, which is nil where none answers, that
// has models of these names in memory, which are nil where that is unknown.
func offersOf(env driver.Env, e *engine, loaded []string, free exobench.Bytes) []driver.Offer {
	var offers []driver.Offer
	add := func(o driver.Offer, ids []string) {
		if e != nil {
			m, ok := e.first(ids)
			if o.Downloaded = new(ok); ok {
				o.ID, o.Size, o.Estimated = m.Name, m.Size, false
			}
		}
		if loaded != nil {
			o.Loaded = new(slices.Contains(loaded, o.ID))
		}
		o.Engine = "ollama"
		o.Fit(free)
		offers = append(offers, o)
	}
	for _, m := range env.Catalogue.Models() {
		if ids := m.IDs["ollama"]; len(ids) > 0 {
			add(driver.Offer{Model: m.Name, ID: ids[0], Size: driver.Estimate(m), Estimated: true}, ids)
		}
	}
	if e == nil {
		return offers
	}
	for _, m := range e.models {
		if !slices.ContainsFunc(offers, func(o driver.Offer) bool { return o.ID == m.Name }) {
			add(driver.Offer{Model: m.Name, ID: m.Name}, []string{m.Name})
		}
	}
	return offers
}

// Open makes sure that an Ollama answers, and asks which models it has.
func (Driver) Open(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	if err := driver.CheckOptions(spec, Driver{}.Options()); err != nil {
		return nil, err
	}
	e, err := dial(ctx, spec, env)
	if err != nil {
		return nil, err
	}
	e.seen = local.Find(ctx, e.client.Address())
	return e, nil
}

// engine is an Ollama server.
type engine struct {
	env    driver.Env
	label  string
	client *api.Client
	times  times
	seen   local.Server
	marks  *marks.Marks
	// observed is what Observed has not returned yet.
	observed []string
	// mayPull and mayReuse are the options.
	mayPull, mayReuse bool

	version string
	models  []listed
}

// listed is a model that the server has.
type listed struct {
	Name string         `json:"name"`
	Size exobench.Bytes `json:"size"`
	// RemoteHost is set for a model that only looks as if it were here.
	RemoteHost string `json:"remote_host"`
}

// ownBase matches the end of a URL that goes on into Ollama's own API.
var ownBase = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`/api(?:/(?:chat|generate|tags|ps|version))?/?(\?.*)?$`)
})

// newClient returns what makes the calls to the Ollama at the URL, or at its usual
// one.
func newClient(url string, env driver.Env) (*api.Client, error) {
	url = cmp.Or(url, usualURL)
	c, err := api.New(api.Config{URL: ownBase().ReplaceAllString(url, "$1"), Header: env.Header, Insecure: env.Plan.Insecure})
	if err != nil {
		return nil, driver.UsageError{Err: fmt.Errorf("--url %s: %w", url, err)}
	}
	return c, nil
}

func dial(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (*engine, error) {
	c, err := newClient(spec.URL, env)
	if err != nil {
		return nil, err
	}
	e := &engine{
		env: env, label: spec.Label(), client: c, times: defaultTimes, mayPull: pullOption.On(spec), mayReuse: driver.Reuse.On(spec),
		marks: marks.New(marks.Folder(env.Getenv, marksKind), c.Address()),
	}
	var about struct {
		Version string `json:"version"`
	}
	err = c.Get(ctx, "/api/version", &about)
	switch status := api.Status(err); {
	case status == http.StatusUnauthorized || status == http.StatusForbidden || api.Elsewhere(err):
		return nil, err
	case api.Answered(err) || err == nil && about.Version == "":
		return nil, fmt.Errorf("%s answers, but not as an Ollama does: /api/version gives no version", c.Base())
	case err != nil:
		return nil, fmt.Errorf("%w: is Ollama running there? start it with `ollama serve`, or give its address with --url", err)
	}
	e.version = about.Version
	return e, e.list(ctx)
}

func (e *engine) list(ctx context.Context) error {
	var answer struct {
		Models []listed `json:"models"`
	}
	if err := e.client.Get(ctx, "/api/tags", &answer); err != nil {
		return fmt.Errorf("list Ollama's models: %w", err)
	}
	e.models = answer.Models
	return nil
}

// Info describes the server. Answers can be shorter than asked.
func (e *engine) Info() exobench.Engine {
	return exobench.Engine{
		Name: e.label, Driver: "ollama", Version: e.version, URL: e.client.Base(),
		LifeCycle: true, CacheSwitch: false, IgnoresEOS: false,
	}
}

// Resolve returns the model of that name, with or without its tag, or the first
// of the ids that the catalogue has for it and the server knows. Where models
// may be pulled, one that the server does not have is the first id, or the name
// as it is; Prepare fetches it.
func (e *engine) Resolve(_ context.Context, name string) (exobench.Model, error) {
	known, ok := e.env.FindModel(name)
	if !ok {
		known.Name = name
	}
	if m, ok := e.first(append([]string{name}, known.IDs["ollama"]...)); ok {
		return exobench.Model{Name: known.Name, ID: m.Name}, nil
	}
	wanted := tagged(append(slices.Clone(known.IDs["ollama"]), name)[0])
	if e.mayPull {
		return exobench.Model{Name: known.Name, ID: wanted}, nil
	}
	there := "it has none"
	if len(e.models) > 0 {
		there = "it has " + driver.List(e.names())
	}
	return exobench.Model{}, driver.UsageError{Err: fmt.Errorf("Ollama does not have %s: --pull fetches %s; %s", name, wanted, there)}
}

// names are those of the server's models, tags included.
func (e *engine) names() []string {
	names := make([]string, len(e.models))
	for i, m := range e.models {
		names[i] = m.Name
	}
	return names
}

// first returns the first of the ids that the server has.
func (e *engine) first(ids []string) (listed, bool) {
	for _, id := range ids {
		if m, ok := e.have(id); ok {
			return m, true
		}
	}
	return listed{}, false
}

// have returns the server's model of that id. One whose id differs in case will
// do where none is the same.
func (e *engine) have(id string) (listed, bool) {
	i := slices.IndexFunc(e.models, func(m listed) bool { return m.Name == tagged(id) })
	if i < 0 {
		i = slices.IndexFunc(e.models, func(m listed) bool { return strings.EqualFold(m.Name, tagged(id)) })
	}
	if i < 0 {
		return listed{}, false
	}
	return e.models[i], true
}

// tagged adds the tag that Ollama takes where none is given.
func tagged(id string) string {
	if strings.Contains(id[strings.LastIndex(id, "/")+1:], ":") {
		return id
	}
	return id + ":latest"
}

// Alive returns nil if the server takes connections now.
func (e *engine) Alive(ctx context.Context) error { return e.client.Alive(ctx) }

// Sensors returns that of the memory of the server and of what it started,
// where it runs on this host.
func (e *engine) Sensors() []driver.Sensor { return e.seen.Sensors() }

// Notices says what cannot be measured.
func (e *engine) Notices() []string {
	return slices.Concat(e.client.Notices(), e.seen.Notices, e.marks.Notices())
}

// Close leaves the server as it is. Models that could not be unloaded stay marked
// as leftovers.
func (e *engine) Close() error {
	e.marks.Close()
	e.client.Close()
	return nil
}
