package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"exobench"
	"exobench/catalogue"
	"exobench/nearest"
	"exobench/run"
	"exobench/target/exo"
	"exobench/wire"
)

// bench is an engine to measure, with what the command must know of it.
type bench struct {
	run.Bench
	// resolve finds the engine's own id of a model, before anything is loaded.
	resolve func(ctx context.Context, name string) (exobench.Model, error)
	// notices are for the user and the report: what was chosen and why.
	notices []string
	// describe, where set, completes the engine's entry once the models are known.
	describe func(*exobench.Engine)
	// close ends what exobench started; it may be nil.
	close func()
}

// connector makes benches as the flags say.
type connector struct {
	flags  runFlags
	urls   map[string]string // by engine
	models *catalogue.Catalogue
	clock  exobench.Clock
	wire   *wire.Client
	getenv func(string) string
}

// connectors are the engines that --engine takes, and how each is reached.
var connectors = map[string]func(connector, context.Context) (bench, error){
	"auto":       connector.auto,
	"exo":        connector.exo,
	"exo-legacy": connector.exoLegacy,
	"llamacpp":   connector.llamacpp,
	"ollama":     connector.ollama,
	"openai":     connector.openai,
	"embedded":   connector.embedded,
}

// engineNames returns what --engine takes.
func engineNames() string { return strings.Join(slices.Sorted(maps.Keys(connectors)), ", ") }

// checkEngines refuses engines that are none, or named twice.
func checkEngines(names []string) error {
	for i, name := range names {
		if connectors[name] == nil {
			return fmt.Errorf("--engine %s is not known: it must be one of %s", name, engineNames())
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("--engine %s is named twice", name)
		}
		if name == "auto" && len(names) > 1 {
			return errors.New("--engine auto chooses one engine: name the others without it")
		}
	}
	return nil
}

// engineURLs takes the values of --url: one address for the one engine, or
// NAME=ADDRESS for each.
func engineURLs(values, engines []string) (map[string]string, error) {
	urls := map[string]string{}
	for _, value := range values {
		name, url, named := strings.Cut(value, "=")
		if !named || strings.Contains(name, "/") {
			if len(engines) != 1 {
				return nil, fmt.Errorf("--url %s: with several engines, say which one it is of, such as %s=%s", value, engines[0], value)
			}
			name, url = engines[0], value
		}
		if !slices.Contains(engines, name) {
			return nil, fmt.Errorf("--url %s: %s is not among the engines (%s)", value, name, strings.Join(engines, ", "))
		}
		if urls[name] != "" {
			return nil, fmt.Errorf("--url gives %s two addresses", name)
		}
		urls[name] = url
	}
	return urls, nil
}

// connectAll finds or starts every engine that the plan names. On an error
// nothing is left running.
func (c connector) connectAll(ctx context.Context, engines []string) ([]bench, error) {
	var benches []bench
	for _, name := range engines {
		b, err := connectors[name](c, ctx)
		if err == nil {
			err = b.resolveAll(ctx, c.flags.models)
			benches = append(benches, b)
		}
		if err != nil {
			closeAll(benches)
			return nil, err
		}
	}
	return benches, nil
}

func closeAll(benches []bench) {
	for _, b := range benches {
		if b.close != nil {
			b.close()
		}
	}
}

// auto takes the exo that answers, of either line, else the embedded engine.
func (c connector) auto(ctx context.Context) (bench, error) {
	url := c.urls["auto"]
	if url != "" {
		c.urls = map[string]string{"exo": url, "exo-legacy": url}
	}
	b, err := c.exo(ctx)
	if errors.Is(err, exo.ErrLegacy) {
		return c.exoLegacy(ctx)
	}
	none := errors.Is(err, exo.ErrUnreachable) || errors.Is(err, exo.ErrNotExo)
	if url != "" && errors.Is(err, exo.ErrNotExo) {
		return b, fmt.Errorf("%w: name what it is with --engine", err)
	}
	if url != "" || !none {
		return b, err
	}
	notice := "no exo answers at " + exo.Default.URL
	if errors.Is(err, exo.ErrNotExo) {
		notice = err.Error()
	}
	b, err = c.embedded(ctx)
	b.notices = append([]string{notice + ": measuring the embedded engine, whose speed says nothing of a real one"}, b.notices...)
	b.notices = append(b.notices, otherEngines(ctx)...)
	return b, err
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
func (c connector) unknown(name string, near []string) error {
	var names []string
	for _, m := range c.models.Models() {
		names = append(names, m.Name)
	}
	near = append(nearest.Names(name, names), near...)
	if len(near) == 0 {
		return usageError{fmt.Errorf("model %q is not known: the catalogue has %s", name, strings.Join(names, ", "))}
	}
	return usageError{fmt.Errorf("model %q is not known: did you mean %s?", name, strings.Join(near[:min(3, len(near))], ", "))}
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

// resolveAll finds the engine's own ids of all models.
func (b *bench) resolveAll(ctx context.Context, names []string) error {
	b.Engine.Models = nil
	for _, name := range names {
		m, err := b.resolve(ctx, name)
		if err != nil {
			return err
		}
		for _, have := range b.Engine.Models {
			if have.ID == m.ID {
				return usageError{fmt.Errorf("model %s is named twice: each model is measured once, --repeat says how often", m.ID)}
			}
			if have.Name == m.Name {
				m.Name = m.ID
			}
		}
		b.Engine.Models = append(b.Engine.Models, m)
	}
	if b.describe != nil {
		b.describe(&b.Engine)
	}
	return nil
}
