package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/driver/local"
	"exobench/synth"
)

// Driver is that of llama.cpp.
type Driver struct{}

// usualURL is where a llama-server listens that was not told otherwise.
const usualURL = "http://127.0.0.1:8080"

// The options.
var (
	programOption   = driver.Option{Name: "llama-server", Help: "the llama-server to start (default: found in $" + BinVariable + " or $PATH)"}
	argsOption      = driver.Option{Name: "engine-args", Help: "more arguments for the llama-server that is started"}
	syntheticOption = driver.Option{Name: "synthetic", Kind: driver.SwitchOption, Default: "false", Help: "measure files with random weights in the models' true shapes, made on the way"}
	quantOption     = driver.Option{Name: "quant", Default: synth.DefaultQuant, Help: "quantisation of --synthetic files"}
)

// Name returns "llamacpp".
func (Driver) Name() string { return "llamacpp" }

// Options returns what a llama-server can be told.
func (Driver) Options() []driver.Option {
	return []driver.Option{programOption, argsOption, syntheticOption, quantOption, driver.Without, driver.APIKeyEnv, driver.APIKeyFile}
}

// IsFile reports whether the name of a model is that of a GGUF file, which only
// this driver takes.
func IsFile(name string) bool { return strings.HasSuffix(strings.ToLower(name), ".gguf") }

// Find asks for a llama-server at the URL, or at its usual one.
func (Driver) Find(ctx context.Context, url string, env driver.Env) []driver.Found {
	if url == "" {
		url = usualURL
	}
	c, err := newClient(url, env.Header, env)
	if err != nil {
		return nil
	}
	server, err := find(ctx, c, func() {})
	if err != nil {
		return nil
	}
	return []driver.Found{{
		Engine: "llamacpp", Version: server.Version, URL: url,
		Loaded: server.Models, Models: len(server.Models), Detail: counted(server.Slots, "slot"),
	}}
}

// Offers returns the model of the server that answers, and those of the
// catalogue that a server could be started with random weights of, whether or not
// there is a program to start.
func (Driver) Offers(ctx context.Context, spec exobench.EngineSpec, env driver.Env) ([]driver.Offer, error) {
	var offers []driver.Offer
	url := spec.URL
	if url == "" {
		url = usualURL
	}
	header, err := env.HeaderOf(spec)
	if err != nil {
		return nil, err
	}
	c, err := newClient(url, header, env)
	if err != nil {
		return nil, err
	}
	server, err := find(ctx, c, func() {})
	switch {
	case err == nil:
		offers = append(offers, server.offer(env))
	case spec.URL != "":
		return nil, err
	}
	missing := ""
	if _, err := findProgram(programOption.In(spec)); err != nil {
		missing = "there is no llama-server here to start"
	}
	free, quant := local.FreeMemory(ctx), quantOption.In(spec)
	for _, m := range env.Catalogue.Models() {
		file, err := synth.New(m, quant, synth.DefaultSeed)
		if err != nil {
			continue // a model that has no such file
		}
		o := driver.Offer{Model: m.Name, Engine: "llamacpp", ID: "--synthetic --quant " + quant, Size: file.Size(), Loaded: new(false)}
		if o.Fit(free); missing != "" {
			o.Why = missing
		}
		offers = append(offers, o)
	}
	return offers, nil
}

// Open reaches the server at the spec's URL, and waits while it loads its model;
// or it looks at what servers are to be started from.
func (Driver) Open(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	if err := driver.CheckOptions(spec, Driver{}.Options()); err != nil {
		return nil, err
	}
	if spec.URL == "" {
		s, err := newStarted(ctx, spec, env)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	if syntheticOption.On(spec) || argsOption.In(spec) != "" || programOption.In(spec) != "" {
		return nil, driver.UsageError{Err: fmt.Errorf("--synthetic, --engine-args and --llama-server are for a llama-server that exobench starts; the one at %s runs already", spec.URL)}
	}
	return newAttached(ctx, spec, env)
}

// newClient returns a client that asks a server about itself, with the header in
// every call.
func newClient(url string, header http.Header, env driver.Env) (*api.Client, error) {
	// A connection kept open would hold up the end of a server.
	c, err := api.New(api.Config{URL: url, Header: header, Insecure: env.Plan.Insecure, NoKeepAlive: true})
	if err != nil {
		return nil, driver.UsageError{Err: fmt.Errorf("--url %s: %w", url, err)}
	}
	return c, nil
}

var errNotRunning = errors.New("llama-server does not run")
