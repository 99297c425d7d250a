package llamacpp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/driver/local"
)

// attached is a server that runs already.
type attached struct {
	env     driver.Env
	label   string
	session *session
	seen    local.Server
}

func newAttached(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	header, err := env.HeaderOf(spec)
	if err != nil {
		return nil, err
	}
	without, err := driver.WithoutOf(spec, fields...)
	if err != nil {
		return nil, err
	}
	c, err := newClient(spec.URL, header, env)
	if err != nil {
		return nil, err
	}
	server, err := find(ctx, c, func() {})
	if err != nil {
		return nil, err
	}
	return &attached{
		env: env, label: spec.Label(), seen: local.Find(ctx, c.Address()),
		session: newSession(c, header, server, nil, without),
	}, nil
}

// Info describes the server. Nothing is loaded or taken away.
func (a *attached) Info() exobench.Engine {
	return exobench.Engine{
		Name: a.label, Driver: "llamacpp", Version: a.session.server.Version, URL: a.session.client.Base(),
		CacheSwitch: a.session.sends(api.CachePrompt), IgnoresEOS: !a.env.Plan.Workload.NaturalStop && a.session.sends(api.IgnoreEOS),
	}
}

// Resolve returns the server's model if the name, or an id that the catalogue
// has for it, is what the server calls it, or the name of its file with or
// without folder and ending. The error says what the server has.
func (a *attached) Resolve(_ context.Context, name string) (exobench.Model, error) {
	server := a.session.server
	known, ok := a.env.FindModel(name)
	if !ok {
		known.Name = modelName(name)
	}
	for _, asked := range append([]string{name}, known.IDs["llamacpp"]...) {
		if server.calls(asked) {
			return exobench.Model{Name: known.Name, ID: server.Models[0]}, nil
		}
	}
	return exobench.Model{}, driver.UsageError{Err: fmt.Errorf("llama-server has no model %q: it has %s", name, strings.Join(server.Models, ", "))}
}

// Prepare makes sure that the server is ready.
func (a *attached) Prepare(ctx context.Context, m exobench.Model, _ string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	server, err := find(ctx, a.session.client, func() {
		report(exobench.StageEvent{Stage: exobench.StageLoad, Detail: "the server is loading its model"})
	})
	if err != nil {
		return exobench.Deployment{}, err
	}
	report(exobench.StageEvent{Stage: exobench.StageReady, Detail: server.String()})
	return exobench.Deployment{Model: m, PID: a.seen.PID()}, nil
}

// Do sends one chat completion.
func (a *attached) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	a.session.requests.Add(1)
	return a.session.do(ctx, a.env, d.Model, r)
}

// Alive returns nil if the server takes connections now.
func (a *attached) Alive(ctx context.Context) error { return a.session.client.Alive(ctx) }

// Release has nothing to do.
func (a *attached) Release(context.Context, exobench.Deployment, func(exobench.StageEvent)) error {
	return nil
}

// Sensors returns that of the server's memory, where it runs on this host.
func (a *attached) Sensors() []driver.Sensor { return a.seen.Sensors() }

// Notices says what is to be known of measuring this server.
func (a *attached) Notices() []string {
	var notices []string
	if queue := waiting(a.session.server.Slots, a.env.Plan); queue != "" {
		notices = append(notices, "llama-server has "+counted(a.session.server.Slots, "slot")+queue)
	}
	notices = append(notices, driver.WithoutNotice(a.session.without)...)
	return slices.Concat(notices, a.session.client.Notices(), a.seen.Notices)
}

// Close leaves the server as it is.
func (a *attached) Close() error {
	_, err := a.session.close(0)
	return err
}
