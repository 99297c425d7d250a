package main

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"exobench"
	"exobench/run"
	"exobench/target/exo"
	"exobench/wire"
)

func (c connector) exo(ctx context.Context) (bench, error) {
	url := strings.TrimRight(cmp.Or(c.urls["exo"], exo.Default.URL), "/")
	t, err := exo.Dial(ctx, c.exoConfig(url))
	if err != nil {
		return bench{}, err
	}
	info := exobench.Engine{
		Name: "exo", Version: "v1", URL: url, LifeCycle: true,
		// /bench has no prefix cache and bans the end of sequence; the model
		// stops by itself on /v1, which always has the cache.
		CacheSwitch: !c.flags.naturalStop, IgnoresEOS: !c.flags.naturalStop,
	}
	b := c.exoBench(t, info)
	b.Memory, b.Engine.PID, b.notices = exoMemory(ctx, t, url)
	return b, nil
}

func (c connector) exoConfig(url string) exo.Config {
	return exo.Config{
		URL: url, Clock: c.clock, Sharding: c.flags.sharding, InstanceMeta: c.flags.instanceMeta,
		MinNodes: c.flags.minNodes, MaxNodes: c.flags.maxNodes, Reuse: c.flags.reuse, Replace: c.flags.replace,
	}
}

// exoBench is a bench on exo's API, real or embedded.
func (c connector) exoBench(t *exo.Target, info exobench.Engine) bench {
	return bench{
		Bench: run.Bench{
			Engine: info,
			Target: exoTarget{Target: t, wire: c.wire, timeout: c.flags.timeout, idle: c.flags.idleTimeout},
			Nodes:  t,
		},
		resolve: func(ctx context.Context, name string) (exobench.Model, error) {
			known, inCatalogue := c.find(name)
			id := name
			if inCatalogue && strings.EqualFold(known.Name, name) {
				id = known.Name
			}
			m, err := t.Resolve(ctx, id, known.IDs["exo"])
			var unknown *exo.UnknownModelError
			if errors.As(err, &unknown) {
				return m, c.unknown(name, unknown.Nearest)
			}
			if err == nil && inCatalogue {
				m.Name = known.Name
			}
			return m, err
		},
	}
}

// exoTarget sends requests to exo's models.
type exoTarget struct {
	*exo.Target
	wire          *wire.Client
	timeout, idle time.Duration
}

// cancelTime bounds the call that tells exo to stop a request.
const cancelTime = 2 * time.Second

func (t exoTarget) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	call := wire.Call{URL: t.ChatURL(r), Body: t.ChatBody(d.Model, r), At: r.Scheduled, Timeout: t.timeout, Idle: t.idle}
	if r.IgnoreEOS {
		call.Exact = r.MaxTokens
	}
	record := t.wire.Do(ctx, call)
	switch record.Outcome {
	case exobench.Canceled, exobench.Timeout, exobench.IdleTimeout:
		// Closing the connection stops exo's runner; a proxy between would hold
		// it open, so exo is told as well.
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
		defer stop()
		if record.ServerID != "" {
			_ = t.Cancel(ctx, record.ServerID)
		}
	}
	return record
}
