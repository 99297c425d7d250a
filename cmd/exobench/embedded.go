package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"exobench"
	"exobench/child"
	"exobench/target/exo"
)

// embeddedLabel is what every report says of results of the embedded engine.
const (
	embeddedLabel  = "embedded, random weights, scaled stand-ins"
	embeddedCaveat = "They say nothing of the speed of a real engine."
)

func (c connector) embedded(ctx context.Context) (bench, error) {
	if c.urls["embedded"] != "" {
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
	process, err := child.Start(ctx, "the embedded engine", program, args...)
	if err != nil {
		return bench{}, err
	}
	t, err := exo.Dial(ctx, c.exoConfig(process.URL))
	if err != nil {
		process.Stop()
		return bench{}, fmt.Errorf("the embedded engine: %w", err)
	}
	b := c.exoBench(t, exobench.Engine{
		Name: "embedded", Version: version(), URL: process.URL, Label: embeddedLabel, Caveat: embeddedCaveat, LifeCycle: true,
		CacheSwitch: true, IgnoresEOS: !c.flags.naturalStop, PID: process.PID,
	})
	b.Memory, b.close = treeMemory{process.PID}, process.Stop
	b.Nodes = nil // its process tells all there is
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
