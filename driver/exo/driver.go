package exo

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
)

// Driver finds and opens an exo of the v1 line.
type Driver struct{}

// Name returns "exo".
func (Driver) Name() string { return "exo" }

// The options of the driver.
var (
	shardingOption = driver.Option{Name: "sharding", Help: "Pipeline or Tensor (default: what exo offers, Pipeline first)"}
	metaOption     = driver.Option{Name: "instance-meta", Help: "MlxRing or MlxJaccl (default: what exo offers, MlxRing first)"}
	minNodesOption = driver.Option{Name: "min-nodes", Kind: driver.NumberOption, Default: "1", Help: "fewest nodes of a placement"}
	maxNodesOption = driver.Option{Name: "max-nodes", Kind: driver.NumberOption, Default: "1", Help: "most nodes of a placement"}
	replaceOption  = driver.Option{Name: "replace", Kind: driver.SwitchOption, Default: "false",
		Help: "delete instances of the model that are already there"}
)

// settleOption has its default from usualPace.
var settleOption = driver.Option{Name: "settle-timeout", Default: exobench.Duration(usualPace.settle).String(),
	Help: "how long exo may take to offer a placement, as after its start"}

// Options are how models are placed, and what is done with instances that exo
// runs already.
func (Driver) Options() []driver.Option {
	return []driver.Option{shardingOption, metaOption, minNodesOption, maxNodesOption, settleOption, driver.Reuse, replaceOption}
}

// Find returns the exo at url, or at exo's usual port of this host.
func (d Driver) Find(ctx context.Context, url string, env driver.Env) []driver.Found {
	e, err := open(ctx, exobench.EngineSpec{Name: d.Name(), URL: url}, env, Identity{})
	if err != nil {
		return nil
	}
	defer e.Close()
	found := driver.Found{Engine: d.Name(), Version: version, URL: e.api.Base()}
	if cards, err := e.cards(ctx); err == nil {
		found.Models = len(cards)
	}
	found.Loaded, _ = e.loaded(ctx)
	var nodes []string
	for _, n := range e.nodes {
		nodes = append(nodes, fmt.Sprintf("%s, %v of %v free", cmp.Or(strings.TrimSpace(n.name+" "+n.chip), n.id), n.available, n.memory))
	}
	found.Detail = fmt.Sprintf("%d node(s): %s", len(nodes), strings.Join(nodes, "; "))
	return []driver.Found{found}
}

// Open reaches the exo at the spec's URL, or at exo's usual port of this host.
// The error wraps ErrUnreachable, ErrNotExo or ErrLegacy where it is one of
// these.
func (Driver) Open(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	e, err := open(ctx, spec, env, Identity{})
	if err != nil {
		return nil, err
	}
	e.findProcess(ctx)
	return e, nil
}

// Identity says what an engine is that speaks exo's API and is no exo.
type Identity struct {
	// Driver, Version, Label and Caveat are as in [exobench.Engine].
	Driver, Version, Label, Caveat string
	// PID is its one process, whose memory is all that there is to measure.
	PID int
}

// OpenAs opens the engine at the spec's URL as what it is. The engine must be
// closed; its process is the caller's to end.
func OpenAs(ctx context.Context, spec exobench.EngineSpec, env driver.Env, as Identity) (*Engine, error) {
	return open(ctx, spec, env, as)
}

func open(ctx context.Context, spec exobench.EngineSpec, env driver.Env, as Identity) (*Engine, error) {
	config, err := configOf(spec, env)
	if err != nil {
		return nil, err
	}
	if config.identity = as; as.Driver != "" {
		config.marks, config.unmarked = "", true // it ends with the run, and its instances with it
	}
	return dial(ctx, config)
}

// version is that of the line: exo does not tell more.
const version = "v1"

// Info describes the engine. Where answers have full length, requests go to
// exo's /bench, which has no prefix cache; /v1 always has it.
func (e *Engine) Info() exobench.Engine {
	full := !e.config.env.Plan.Workload.NaturalStop
	info := exobench.Engine{
		Name: e.config.label, Driver: Driver{}.Name(), Version: version, URL: e.api.Base(),
		LifeCycle: true, CacheSwitch: full, IgnoresEOS: full,
	}
	if as := e.config.identity; as.Driver != "" {
		info.Driver, info.Version, info.Label, info.Caveat = as.Driver, as.Version, as.Label, as.Caveat
		info.CacheSwitch = true
	}
	return info
}

// Alive returns nil if exo takes connections now.
func (e *Engine) Alive(ctx context.Context) error { return e.api.Alive(ctx) }

// Close ends nothing, since the driver started nothing. Instances that could not
// be taken away stay marked as leftovers.
func (e *Engine) Close() error {
	e.marks.Close()
	e.api.Close()
	return nil
}

// client returns what makes the calls to exo.
func (c config) client() (*api.Client, error) {
	client, err := api.New(api.Config{
		URL: c.url, Header: c.env.Header, Insecure: c.env.Plan.Insecure, Timeout: c.pace.call, Transport: c.transport,
	})
	if err != nil {
		return nil, driver.UsageError{Err: fmt.Errorf("--url is %q: %w", c.url, err)}
	}
	return client, nil
}
