package main

import (
	"context"

	"exobench"
	"exobench/run"
	"exobench/target/exolegacy"
)

// exoLegacy drives an exo of the 0.0.x line.
func (c connector) exoLegacy(ctx context.Context) (bench, error) {
	config := exolegacy.Config{
		URL: c.urls["exo-legacy"], Clock: c.clock, Wire: c.wire, Timeout: c.flags.timeout, Idle: c.flags.idleTimeout,
	}
	if err := config.Validate(); err != nil {
		return bench{}, usageError{err}
	}
	t, err := exolegacy.Dial(ctx, config)
	if err != nil {
		return bench{}, err
	}
	b := bench{Bench: run.Bench{Engine: t.Info(), Target: t}}
	b.Memory, b.Engine.PID, b.notices = listenerMemory(ctx, b.Engine.URL)
	b.notices = append(b.notices, "exo 0.0.x takes no length and no seed, and never unloads a model: answers end where the model ends them, and memory before the load is that of the first model's turn")
	b.resolve = func(ctx context.Context, name string) (exobench.Model, error) {
		known, _ := c.find(name)
		m, err := t.Resolve(name, known.IDs["exo-legacy"])
		if err != nil {
			return m, usageError{err}
		}
		return m, nil
	}
	return b, nil
}
