package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/embedded"
	"exobench/driver/exo"
	"exobench/driver/exolegacy"
	"exobench/driver/llamacpp"
	"exobench/driver/ollama"
	"exobench/driver/openai"
	"exobench/wire"
)

// drivers are the kinds of engine that exobench can measure. Of two that find
// an engine at one address, the first has it.
var drivers = []driver.Driver{
	exo.Driver{}, exolegacy.Driver{}, ollama.Driver{}, llamacpp.Driver{}, openai.Driver{}, embedded.Driver{},
}

// auto is the engine that chooses one: the exo that answers, of either line,
// else the embedded engine.
const auto = "auto"

// autoNames are the drivers that auto chooses from.
var autoNames = []string{"exo", "exo-legacy", "embedded"}

// driverOf returns the driver of that name.
func driverOf(name string) (driver.Driver, bool) {
	i := slices.IndexFunc(drivers, func(d driver.Driver) bool { return d.Name() == name })
	if i < 0 {
		return nil, false
	}
	return drivers[i], true
}

// engineNames returns what --engine takes.
func engineNames() string {
	names := []string{auto}
	for _, d := range drivers {
		names = append(names, d.Name())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// optionsOf returns the options of the engine of that name; those of auto are
// the options of all that it chooses from.
func optionsOf(name string) []driver.Option {
	if name != auto {
		d, _ := driverOf(name)
		return d.Options()
	}
	var all []driver.Option
	for _, name := range autoNames {
		for _, o := range optionsOf(name) {
			if !slices.ContainsFunc(all, func(have driver.Option) bool { return have.Name == o.Name }) {
				all = append(all, o)
			}
		}
	}
	return all
}

// opener opens the engines of a plan.
type opener struct {
	plan exobench.Plan
	env  driver.Env
	// header has the values of headers that the command line gave.
	header map[string]string
}

// newEnv returns what drivers work with, without a plan. The client must be
// closed.
func newEnv(env environment, clock exobench.Clock, models *catalogue.Catalogue, insecure bool) (driver.Env, error) {
	program, err := os.Executable()
	if err != nil {
		return driver.Env{}, fmt.Errorf("find exobench's own program: %w", err)
	}
	return driver.Env{
		Clock: clock, Wire: wire.NewClient(wire.Config{Clock: clock, Insecure: insecure}), Catalogue: models,
		Getenv: env.Getenv, Program: program,
	}, nil
}

// opened is the engines of a run, with their models resolved, in the order of
// the plan.
type opened struct {
	engines []driver.Engine
	infos   []exobench.Engine
	notices []exobench.Note
}

func (o *opened) close() {
	for _, e := range o.engines {
		_ = e.Close()
	}
}

// open finds or starts every engine that the plan names, and resolves its
// models. On an error nothing is left running. An auto engine in the plan is
// replaced by what was chosen.
func (o *opener) open(ctx context.Context) (*opened, error) {
	all := new(opened)
	o.plan.Engines = slices.Clone(o.plan.Engines)
	for i := range o.plan.Engines {
		e, notices, err := o.openOne(ctx, &o.plan.Engines[i])
		if err == nil {
			all.engines = append(all.engines, e)
			err = o.describe(ctx, all, e, notices)
		}
		if err != nil {
			all.close()
			return nil, err
		}
	}
	return all, nil
}

// openOne opens the engine of a spec. What auto chose is written into it.
func (o *opener) openOne(ctx context.Context, spec *exobench.EngineSpec) (driver.Engine, []string, error) {
	env := o.env
	env.Plan = o.plan
	header, err := headerOf(*spec, o.header, env.Getenv)
	if err != nil {
		return nil, nil, err
	}
	env.Header = header
	if spec.Name == auto {
		return openAuto(ctx, spec, env)
	}
	d, _ := driverOf(spec.Name)
	e, err := d.Open(ctx, *spec, env)
	return e, nil, err
}

// openAuto takes the exo that answers, of either line, else the embedded engine,
// and says why.
func openAuto(ctx context.Context, spec *exobench.EngineSpec, env driver.Env) (driver.Engine, []string, error) {
	open := func(name string) (driver.Engine, error) {
		chosen := *spec
		chosen.Name, chosen.Options = name, map[string]string{}
		for _, option := range optionsOf(name) {
			if value, given := spec.Options[option.Name]; given {
				chosen.Options[option.Name] = value
			}
		}
		if name == "embedded" {
			chosen.URL = ""
		}
		d, _ := driverOf(name)
		e, err := d.Open(ctx, chosen, env)
		if err == nil {
			*spec = chosen
		}
		return e, err
	}
	e, err := open("exo")
	if errors.Is(err, exo.ErrLegacy) {
		e, err = open("exo-legacy")
		return e, nil, err
	}
	none := errors.Is(err, exo.ErrUnreachable) || errors.Is(err, exo.ErrNotExo)
	if spec.URL != "" && errors.Is(err, exo.ErrNotExo) {
		return nil, nil, fmt.Errorf("%w: name what it is with --engine", err)
	}
	if err == nil || spec.URL != "" || !none {
		return e, nil, err
	}
	notice := "no exo answers at " + exo.Default.URL
	if errors.Is(err, exo.ErrNotExo) {
		notice = err.Error()
	}
	notices := append([]string{notice + ": measuring the embedded engine, whose speed says nothing of a real one"}, otherEngines(ctx, env)...)
	e, err = open("embedded")
	return e, notices, err
}

// describe resolves the models of an engine that was opened, and adds its entry
// and its notices.
func (o *opener) describe(ctx context.Context, all *opened, e driver.Engine, notices []string) error {
	var models []exobench.Model
	for _, name := range o.plan.Models {
		m, err := e.Resolve(ctx, name)
		if err != nil {
			return err
		}
		for _, have := range models {
			if have.ID == m.ID {
				return driver.UsageError{Err: fmt.Errorf("model %s is named twice: each model is measured once, --repeat says how often", m.ID)}
			}
			if have.Name == m.Name {
				m.Name = m.ID
			}
		}
		models = append(models, m)
	}
	// Some engines know more of themselves once they know their models.
	info := e.Info()
	info.Models = models
	all.infos = append(all.infos, info)
	for _, text := range append(notices, e.Notices()...) {
		all.notices = append(all.notices, exobench.Note{Engine: info.Name, Text: text})
	}
	return nil
}
