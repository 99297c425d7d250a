package main

import (
	"cmp"
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
	"exobench/run"
	"exobench/secret"
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
	// addresses are the whole ones of engines whose spec has only a part.
	addresses map[string]string
	secrets   *secret.Set
	notes     []exobench.Note
}

// note keeps something that a reader must know of an engine.
func (o *opener) note(engine, text string) {
	o.notes = append(o.notes, exobench.Note{Engine: engine, Text: text})
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
		Getenv: env.Getenv, Program: program, Version: version(),
	}, nil
}

func closeAll(engines []run.Engine) {
	for _, e := range engines {
		_ = e.Close()
	}
}

// open finds or starts every engine that the plan names, and resolves its
// models, in the order of the plan. On an error nothing is left running. An auto
// engine in the plan is replaced by what was chosen. What a reader must know of
// the choice, and of models that are skipped, is in the opener's notes.
func (o *opener) open(ctx context.Context) ([]run.Engine, error) {
	var all []run.Engine
	o.notes = nil
	o.plan.Engines = slices.Clone(o.plan.Engines)
	for i := range o.plan.Engines {
		e, err := o.openOne(ctx, &o.plan.Engines[i])
		if err == nil {
			opened := run.Engine{Engine: e}
			opened.Entry, err = o.describe(ctx, e)
			opened.Elsewhere = elsewhere(ctx, opened.Entry.URL)
			all = append(all, opened)
		}
		if err != nil {
			closeAll(all)
			return nil, err
		}
	}
	return all, nil
}

// openOne opens the engine of a spec. What auto chose is written into it.
func (o *opener) openOne(ctx context.Context, spec *exobench.EngineSpec) (driver.Engine, error) {
	env := o.env
	env.Plan = o.plan
	if o.plan.SkipMissing {
		env.Plan.Models = nil // a missing one is no reason not to open
	}
	header, err := headerOf(*spec, o.header, env.Getenv)
	if err != nil {
		return nil, err
	}
	env.Header = header
	whole, err := o.reached(*spec, env)
	if err != nil {
		return nil, err
	}
	if spec.Name == auto {
		e, err := o.openAuto(ctx, &whole, env)
		spec.Name, spec.Options = whole.Name, whole.Options
		return e, err
	}
	d, _ := driverOf(spec.Name)
	return d.Open(ctx, whole, env)
}

// openAuto takes the exo that answers, of either line, else the embedded engine,
// and writes its choice into the spec.
func (o *opener) openAuto(ctx context.Context, spec *exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	e, err := openChosen(ctx, "exo", spec, env)
	if errors.Is(err, exo.ErrLegacy) {
		return openChosen(ctx, "exo-legacy", spec, env)
	}
	none := errors.Is(err, exo.ErrUnreachable) || errors.Is(err, exo.ErrNotExo)
	if spec.URL != "" && errors.Is(err, exo.ErrNotExo) {
		return nil, fmt.Errorf("%w: name what it is with --engine", err)
	}
	if err == nil || spec.URL != "" || !none {
		return e, err
	}
	reason := "no exo answers"
	if errors.Is(err, exo.ErrNotExo) {
		reason = err.Error()
	}
	if e, err = openChosen(ctx, "embedded", spec, env); err != nil {
		return nil, err
	}
	o.note(spec.Label(), reason+": measuring the embedded engine, whose speed says nothing of a real one")
	for _, hint := range otherEngines(ctx, env) {
		o.note(spec.Label(), hint)
	}
	return e, nil
}

// openChosen opens an engine in the place of auto, with those of auto's options
// that it has.
func openChosen(ctx context.Context, name string, spec *exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	choice := *spec
	choice.Name, choice.Options = name, map[string]string{}
	for _, option := range optionsOf(name) {
		if value, given := spec.Options[option.Name]; given {
			choice.Options[option.Name] = value
		}
	}
	d, _ := driverOf(name)
	e, err := d.Open(ctx, choice, env)
	if err == nil {
		*spec = choice
	}
	return e, err
}

// describe resolves the plan's models on an engine and returns the engine's
// entry. Where the plan wants it, models that the engine does not have are
// skipped with a note.
func (o *opener) describe(ctx context.Context, e driver.Engine) (exobench.Engine, error) {
	label := e.Info().Name
	var models []exobench.Model
	var missing error
	for _, name := range o.plan.Models {
		m, err := e.Resolve(ctx, name)
		if _, usage := errors.AsType[driver.UsageError](err); usage && o.plan.SkipMissing {
			missing = cmp.Or(missing, err)
			o.note(label, fmt.Sprintf("%s is skipped: %v%s", name, err, o.provider(e, name)))
			continue
		}
		if err != nil {
			return exobench.Engine{}, err
		}
		if slices.ContainsFunc(models, func(have exobench.Model) bool { return have.ID == m.ID }) {
			if o.plan.SkipMissing {
				o.note(label, fmt.Sprintf("%s is skipped: here it is %s, which is measured already", name, m.ID))
				continue
			}
			return exobench.Engine{}, driver.UsageError{Err: fmt.Errorf("model %s is named twice: each model is measured once, --repeat says how often", m.ID)}
		}
		if slices.ContainsFunc(models, func(have exobench.Model) bool { return have.Name == m.Name }) {
			m.Name = m.ID
		}
		models = append(models, m)
	}
	if len(models) == 0 {
		return exobench.Engine{}, driver.UsageError{Err: fmt.Errorf("%s has none of %s: name a model that it has with --model; of the first: %w",
			label, strings.Join(o.plan.Models, ", "), missing)}
	}
	// Some engines know more of themselves once they know their models.
	entry := e.Info()
	entry.Models, entry.Files = models, modelFiles(e)
	entry.KVCaches = kvCaches(entry, o.env)
	return entry, nil
}

// provider says under which ids the engine would be asked for a model, which is
// what it would have to have.
func (o *opener) provider(e driver.Engine, name string) string {
	known, _ := o.env.FindModel(name)
	ids := known.IDs[e.Info().Driver]
	if len(ids) == 0 {
		return ""
	}
	return "; it would be measured if the engine had " + strings.Join(ids, " or ")
}
