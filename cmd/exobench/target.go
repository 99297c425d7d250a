package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"exobench"
	"exobench/catalogue"
	"exobench/run"
	"exobench/target/embedded"
	"exobench/target/exo"
	"exobench/target/openai"
	"exobench/wire"
)

// embeddedLabel is what every report says of results of the embedded engine.
const embeddedLabel = "embedded, random weights, scaled stand-ins"

// engineNames are what --engine takes.
var engineNames = []string{"auto", "exo", "embedded", "openai"}

// bench is an engine to measure, with what a run needs to know of it.
type bench struct {
	info    exobench.Engine
	target  run.Target
	memory  run.Memory
	resolve func(ctx context.Context, name string) (exobench.Model, error)
	// notices are for the user and the report: what was chosen and why.
	notices []string
	// close ends what exobench started.
	close func()
}

// connector makes benches as the flags say.
type connector struct {
	flags  runFlags
	models *catalogue.Catalogue
	clock  exobench.Clock
	wire   *wire.Client
	getenv func(string) string
}

// connect finds or starts the engine that --engine names.
func (c connector) connect(ctx context.Context) (bench, error) {
	switch c.flags.engine {
	case "auto":
		return c.auto(ctx)
	case "exo":
		return c.exo(ctx)
	case "embedded":
		return c.embedded(ctx)
	case "openai":
		return c.openai(ctx)
	}
	return bench{}, usageError{fmt.Errorf("--engine %s is not known: it must be one of %s", c.flags.engine, strings.Join(engineNames, ", "))}
}

// auto takes the exo that answers, else the embedded engine.
func (c connector) auto(ctx context.Context) (bench, error) {
	b, err := c.exo(ctx)
	if err == nil || c.flags.url != "" || !errors.Is(err, exo.ErrUnreachable) && !errors.Is(err, exo.ErrNotExo) && !errors.Is(err, exo.ErrLegacy) {
		return b, err
	}
	notice := "no exo answers at " + exo.Default.URL
	if !errors.Is(err, exo.ErrUnreachable) {
		notice = err.Error()
	}
	b, err = c.embedded(ctx)
	b.notices = append([]string{notice + ": measuring the embedded engine, whose speed says nothing of a real one"}, b.notices...)
	b.notices = append(b.notices, otherEngines(ctx)...)
	return b, err
}

func (c connector) exo(ctx context.Context) (bench, error) {
	url := strings.TrimRight(cmp.Or(c.flags.url, exo.Default.URL), "/")
	t, err := exo.Dial(ctx, c.exoConfig(url))
	if err != nil {
		return bench{}, err
	}
	info := exobench.Engine{
		Name: "exo", Version: "v1", URL: url, LifeCycle: true,
		// /bench has no prefix cache and bans the end of sequence; the model
		// stops by itself on /v1, which always has the cache.
		CacheSwitch: !c.flags.naturalStop, IgnoresEOS: !c.flags.naturalStop,
	}
	b := c.exoBench(t, info)
	b.memory, b.info.PID, b.notices = exoMemory(ctx, t, url)
	return b, nil
}

func (c connector) embedded(ctx context.Context) (bench, error) {
	if c.flags.url != "" {
		return bench{}, usageError{errors.New("--url goes with an engine that runs already; the embedded engine is started by exobench: leave --url out")}
	}
	program, err := os.Executable()
	if err != nil {
		return bench{}, fmt.Errorf("find exobench's own program: %w", err)
	}
	args := []string{"engine", "--port", "0", "--with-parent"}
	if c.flags.modelsFile != "" {
		args = append(args, "--models-file", c.flags.modelsFile)
	}
	process, err := embedded.Start(ctx, program, args...)
	if err != nil {
		return bench{}, err
	}
	t, err := exo.Dial(ctx, c.exoConfig(process.URL))
	if err != nil {
		process.Stop()
		return bench{}, fmt.Errorf("the embedded engine: %w", err)
	}
	b := c.exoBench(t, exobench.Engine{
		Name: "embedded", Version: version(), URL: process.URL, Label: embeddedLabel, LifeCycle: true,
		CacheSwitch: true, IgnoresEOS: !c.flags.naturalStop, PID: process.PID,
	})
	b.memory, b.close = treeMemory{process.PID}, process.Stop
	fromExo := b.resolve
	b.resolve = func(ctx context.Context, name string) (exobench.Model, error) {
		m, ok := c.find(name)
		if !ok {
			return exobench.Model{}, c.unknown(name, nil)
		}
		if m.Shape == nil {
			return exobench.Model{}, usageError{fmt.Errorf("the embedded engine has no stand-in for %s: its shape is not a plain Llama's", m.Name)}
		}
		return fromExo(ctx, m.Name)
	}
	return b, nil
}

func (c connector) exoConfig(url string) exo.Config {
	return exo.Config{
		URL: url, Clock: c.clock, Sharding: c.flags.sharding, InstanceMeta: c.flags.instanceMeta,
		MinNodes: c.flags.minNodes, MaxNodes: c.flags.maxNodes, Reuse: c.flags.reuse, Replace: c.flags.replace,
	}
}

// exoBench is a bench on exo's API, real or embedded.
func (c connector) exoBench(t *exo.Target, info exobench.Engine) bench {
	return bench{
		info:   info,
		target: exoTarget{Target: t, wire: c.wire, timeout: c.flags.timeout, idle: c.flags.idleTimeout},
		close:  func() {},
		resolve: func(ctx context.Context, name string) (exobench.Model, error) {
			known, inCatalogue := c.find(name)
			id := name
			if inCatalogue && strings.EqualFold(known.Name, name) {
				id = known.Name
			}
			m, err := t.Resolve(ctx, id, known.IDs["exo"])
			var unknown *exo.UnknownModelError
			if errors.As(err, &unknown) {
				return m, c.unknown(name, unknown.Nearest)
			}
			if err == nil && inCatalogue {
				m.Name = known.Name
			}
			return m, err
		},
	}
}

// exoTarget sends requests to exo's models.
type exoTarget struct {
	*exo.Target
	wire          *wire.Client
	timeout, idle time.Duration
}

// cancelTime bounds the call that tells exo to stop a request.
const cancelTime = 2 * time.Second

func (t exoTarget) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	call := wire.Call{URL: t.ChatURL(r), Body: t.ChatBody(d.Model, r), Timeout: t.timeout, Idle: t.idle}
	if r.IgnoreEOS {
		call.Exact = r.MaxTokens
	}
	record := t.wire.Do(ctx, call)
	switch record.Outcome {
	case exobench.Canceled, exobench.Timeout, exobench.IdleTimeout:
		// Closing the connection stops exo's runner; a proxy between would hold
		// it open, so exo is told as well.
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
		defer stop()
		if record.ServerID != "" {
			_ = t.Cancel(ctx, record.ServerID)
		}
	}
	return record
}

func (c connector) openai(ctx context.Context) (bench, error) {
	if c.flags.url == "" {
		return bench{}, usageError{errors.New("--engine openai needs --url, such as --url http://127.0.0.1:8000")}
	}
	key := ""
	if name := c.flags.apiKeyEnv; name != "" {
		if key = c.getenv(name); key == "" {
			return bench{}, usageError{fmt.Errorf("--api-key-env %s: that environment variable is not set", name)}
		}
	}
	t, err := openai.Dial(ctx, openai.Config{
		URL: c.flags.url, APIKey: key, Insecure: c.flags.insecure,
		Wire: c.wire, Timeout: c.flags.timeout, Idle: c.flags.idleTimeout,
	})
	if err != nil {
		return bench{}, err
	}
	b := bench{info: exobench.Engine{Name: "openai", URL: c.flags.url}, target: t, close: func() {}}
	b.memory, b.info.PID, b.notices = listenerMemory(ctx, c.flags.url)
	b.resolve = func(_ context.Context, name string) (exobench.Model, error) {
		known, _ := c.find(name)
		m, ok := t.Resolve(name, known.IDs["openai"])
		if !ok {
			return m, usageError{fmt.Errorf("%s has no model %q: it has %s", c.flags.url, name, listed(t.Models()))}
		}
		return m, nil
	}
	return b, nil
}

// find looks a name or an exo id up in the catalogue.
func (c connector) find(name string) (catalogue.Model, bool) {
	if m, ok := c.models.Find(name); ok {
		return m, true
	}
	return c.models.FindID("exo", name)
}

// unknown is the error for a model that neither the catalogue nor the engine
// knows, with the names that it may have been meant as.
func (c connector) unknown(name string, nearest []string) error {
	var names []string
	for _, m := range c.models.Models() {
		names = append(names, m.Name)
	}
	nearest = append(catalogue.Nearest(name, names), nearest...)
	if len(nearest) == 0 {
		return usageError{fmt.Errorf("model %q is not known: the catalogue has %s", name, strings.Join(names, ", "))}
	}
	return usageError{fmt.Errorf("model %q is not known: did you mean %s?", name, strings.Join(nearest[:min(3, len(nearest))], ", "))}
}

// listed shows the first of a list of names.
func listed(names []string) string {
	const most = 8
	switch {
	case len(names) == 0:
		return "none"
	case len(names) <= most:
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// resolveAll finds the engine's own ids of all models, before anything is loaded.
func (b bench) resolveAll(ctx context.Context, names []string) ([]exobench.Model, error) {
	var models []exobench.Model
	for _, name := range names {
		m, err := b.resolve(ctx, name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(models, func(have exobench.Model) bool { return have.ID == m.ID }) {
			return nil, usageError{fmt.Errorf("model %s is named twice: each model is measured once, --repeat says how often", m.ID)}
		}
		if slices.ContainsFunc(models, func(have exobench.Model) bool { return have.Name == m.Name }) {
			m.Name = m.ID
		}
		models = append(models, m)
	}
	return models, nil
}
