package main

import (
	"context"

	"exobench"
	"exobench/run"
	"exobench/target/ollama"
)

func (c connector) ollama(ctx context.Context) (bench, error) {
	config := ollama.Config{
		URL: c.urls["ollama"], Wire: c.wire, Timeout: c.flags.timeout, Idle: c.flags.idleTimeout,
		Pull: c.flags.pull, Reuse: c.flags.reuse,
	}
	if err := config.Validate(); err != nil {
		return bench{}, usageError{err}
	}
	t, err := ollama.Dial(ctx, config)
	if err != nil {
		return bench{}, err
	}
	b := bench{Bench: run.Bench{Engine: t.Info(), Target: t}}
	b.Memory, b.Engine.PID, b.notices = listenerMemory(ctx, b.Engine.URL)
	b.resolve = func(_ context.Context, name string) (exobench.Model, error) {
		known, _ := c.find(name)
		m, err := t.Resolve(name, known.IDs["ollama"])
		if err != nil {
			return m, usageError{err}
		}
		return m, nil
	}
	return b, nil
}
