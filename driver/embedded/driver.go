// Package embedded drives the embedded engine: a child process of exobench's own
// binary that speaks exo's API before a real decoder with random weights. Its
// models are small stand-ins of the catalogue's, so that exobench can be tried
// where there is no engine; its speed says nothing of a real one.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"exobench"
	"exobench/catalogue"
	"exobench/child"
	"exobench/driver"
	"exobench/driver/exo"
	"exobench/driver/local"
	"exobench/embedded/decoder"
	"exobench/internal/panics"
)

// What every report must say of results of the embedded engine.
const (
	label  = "embedded, random weights, scaled stand-ins"
	caveat = "They say nothing of the speed of a real engine."
)

// what names the engine in errors.
const what = "the embedded engine"

// Driver is that of the embedded engine.
type Driver struct{}

// Name returns "embedded".
func (Driver) Name() string { return "embedded" }

// slowdownOption makes the engine slower by a known share.
var slowdownOption = driver.Option{Name: "slowdown", Default: "0%", Help: "have the embedded engine take so much longer for each token, such as 3%, to try what a comparison finds"}

// Options are exo's, whose API the engine speaks, and its own.
func (Driver) Options() []driver.Option { return append(exo.Driver{}.Options(), slowdownOption) }

// Slowdown reads a share such as "3%".
func Slowdown(text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !percent || !(share >= 0 && share <= 1000) {
		return 0, fmt.Errorf("is %q: it must be a share from 0%% to 1000%%, such as 3%%", text)
	}
	return share / 100, nil
}

// Find returns none: exobench starts the engine itself.
func (Driver) Find(context.Context, string, driver.Env) []driver.Found { return nil }

// Offers returns the stand-ins of the catalogue's models.
func (Driver) Offers(ctx context.Context, _ exobench.EngineSpec, env driver.Env) ([]driver.Offer, error) {
	free := local.FreeMemory(ctx)
	var offers []driver.Offer
	for _, m := range env.Catalogue.Models() {
		if m.Shape == nil || len(m.IDs["exo"]) == 0 {
			continue
		}
		o := driver.Offer{
			Model: m.Name, Engine: "embedded", ID: "stand-in of " + m.IDs["exo"][0], Size: exobench.Bytes(decoder.WeightBytes(catalogue.StandIn(*m.Shape))),
			Downloaded: new(true), Loaded: new(false),
		}
		o.Fit(free)
		offers = append(offers, o)
	}
	return offers, nil
}

// Open starts the engine and waits until it answers.
func (d Driver) Open(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	if err := driver.CheckOptions(spec, d.Options()); err != nil {
		return nil, err
	}
	if spec.URL != "" {
		return nil, driver.UsageError{Err: errors.New("--url goes with an engine that runs already; the embedded engine is started by exobench: leave --url out")}
	}
	slowdown := slowdownOption.In(spec)
	share, err := Slowdown(slowdown)
	if err != nil {
		return nil, driver.UsageError{Err: fmt.Errorf("--slowdown %w", err)}
	}
	args := []string{"engine", "--port", "0", "--with-parent"}
	if share > 0 {
		args = append(args, "--slowdown", slowdown)
	}
	if env.Plan.ModelsFile != "" {
		args = append(args, "--models-file", env.Plan.ModelsFile)
	}
	server, err := child.Serve(ctx, what, env.Program, args...)
	if err != nil {
		return nil, err
	}
	// The rest are options of the exo that it is.
	spec.Options = maps.Clone(spec.Options)
	delete(spec.Options, slowdownOption.Name)
	spec.URL, env.Header = server.URL, server.Header(env.Header)
	e, err := exo.OpenAs(ctx, spec, env, exo.Identity{
		Driver: d.Name(), Version: env.Version, Label: label, Caveat: caveat, PID: server.PID,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", what, err), server.Stop())
	}
	return &engine{Engine: e, env: env, server: server}, nil
}

// engine is the embedded engine, driven as an exo.
type engine struct {
	*exo.Engine
	env    driver.Env
	server *child.Server
}

// Resolve returns the stand-in of a model of the catalogue.
func (e *engine) Resolve(ctx context.Context, name string) (exobench.Model, error) {
	m, ok := e.env.FindModel(name)
	if !ok {
		return exobench.Model{}, e.env.UnknownModel(name)
	}
	if m.Shape == nil {
		return exobench.Model{}, driver.UsageError{Err: fmt.Errorf("the embedded engine has no stand-in for %s: its shape is not a plain Llama's", m.Name)}
	}
	return e.Engine.Resolve(ctx, m.Name)
}

// releaseTime bounds the taking away of a model: an engine of exobench's own that
// takes longer hangs, and is ended with all that it holds.
const releaseTime = 5 * time.Second

// errKilled is what comes of an engine that hangs.
var errKilled = fmt.Errorf("%s did not take it away within %v and was killed", what, releaseTime)

// Prepare brings the model up. Where it is interrupted it takes away what there
// is, which an engine that hangs must not hold up.
func (e *engine) Prepare(ctx context.Context, m exobench.Model, placement string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	var hung *time.Timer
	timing := make(chan struct{})
	stop := context.AfterFunc(ctx, panics.Caught(func() {
		defer close(timing)
		hung = time.AfterFunc(releaseTime, panics.Caught(func() { _ = e.server.Kill() }))
	}))
	d, err := e.Engine.Prepare(ctx, m, placement, report)
	if stop() {
		return d, err
	}
	<-timing
	if !hung.Stop() {
		err = errKilled
	}
	return d, err
}

// Release takes the model away. Where the engine hangs it is killed, which takes
// the model away too.
func (e *engine) Release(ctx context.Context, d exobench.Deployment, report func(exobench.StageEvent)) error {
	hung := time.AfterFunc(releaseTime, panics.Caught(func() { _ = e.server.Kill() }))
	err := e.Engine.Release(ctx, d, report)
	if !hung.Stop() {
		return errKilled
	}
	return err
}

// Close ends the engine.
func (e *engine) Close() error { return errors.Join(e.Engine.Close(), e.server.Stop()) }
