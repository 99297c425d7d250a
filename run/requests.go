package run

import (
	"context"
	"fmt"
	"math/rand/v2"

	"exobench"
	"exobench/load"
)

// requests sends the warm-ups and then the requests of each cell.
func (x *execution) requests(ctx context.Context, d exobench.Deployment) {
	breaker := &breaker{}
	doer := load.DoerFunc(func(ctx context.Context, r exobench.Request) exobench.Record {
		return x.do(ctx, d, r, breaker)
	})
	x.drive(ctx, doer, exobench.Warmup, exobench.Load{Concurrency: 1}, x.warmups())
	for cell, l := range x.config.Plan.Loads() {
		stop := x.watchMachine(d, l)
		x.drive(ctx, doer, exobench.Measured, l, x.cell(cell, l))
		stop()
	}
	if breaker.open() {
		x.note(fmt.Sprintf("%s: %d requests in a row got no answer, so the rest were not sent", d.Model.Name, breakAfter))
	}
}

// watchMachine records what else the machine does until the function that it
// returns is called.
func (x *execution) watchMachine(d exobench.Deployment, l exobench.Load) (stop func()) {
	if x.config.Machine == nil {
		return func() {}
	}
	pid := x.bench.Engine.PID
	if x.bench.PID != nil {
		pid = x.bench.PID()
	}
	end := x.config.Machine(pid)
	return func() {
		seen := end()
		seen.At = x.config.Clock.Now()
		seen.Engine, seen.Model, seen.Placement = x.bench.Engine.Name, d.Model.Name, d.Placement
		seen.Concurrency, seen.Rate = l.Concurrency, l.Rate
		x.append(&seen)
	}
}

func (x *execution) drive(ctx context.Context, doer load.Doer, phase exobench.Phase, l exobench.Load, requests []exobench.Request) {
	if len(requests) == 0 || ctx.Err() != nil {
		return
	}
	x.tell(func(p *exobench.Progress) { p.Phase, p.Concurrency, p.Rate = phase, l.Concurrency, l.Rate })
	record := func(r exobench.Record) error {
		x.append(&r)
		x.tell(func(p *exobench.Progress) {
			p.Done++
			if r.Outcome != exobench.OK {
				p.Failed++
			}
			p.Last = &r
		})
		return x.failed()
	}
	var err error
	if l.Rate > 0 {
		err = load.Open(ctx, doer, x.config.Clock, requests, x.schedule(l), record)
	} else {
		err = load.Closed(ctx, doer, requests, l.Concurrency, record)
	}
	if err != nil {
		x.fail(err)
	}
}

func (x *execution) schedule(l exobench.Load) load.Schedule {
	if x.config.Plan.Arrival == "poisson" {
		return load.NewPoisson(l.Rate, x.config.Plan.Seeds.Arrivals)
	}
	return &load.Constant{Rate: l.Rate}
}

// do sends one request and fills in what was asked.
func (x *execution) do(ctx context.Context, d exobench.Deployment, r exobench.Request, b *breaker) exobench.Record {
	var record exobench.Record
	if b.open() {
		record = exobench.Record{Outcome: exobench.Dropped, Error: "not sent: the engine stopped answering", Ended: x.config.Clock.Now()}
	} else {
		record = x.bench.Target.Do(ctx, d, r)
		b.saw(record.Outcome)
	}
	record.Seq, record.Phase, record.Repeat = r.Seq, r.Phase, r.Repeat
	record.PromptID, record.MaxTokens = r.Prompt.ID, r.MaxTokens
	record.Concurrency, record.Rate = r.Load.Concurrency, r.Load.Rate
	record.Engine, record.Placement = x.bench.Engine.Name, d.Placement
	record.Model, record.ModelID = d.Model.Name, d.Model.ID
	return record
}

func (x *execution) warmups() []exobench.Request {
	p := x.config.Plan
	requests := make([]exobench.Request, p.Warmup)
	for i := range requests {
		requests[i] = x.request(exobench.Warmup, 0, exobench.Load{Concurrency: 1}, p.Prompts[i%len(p.Prompts)])
	}
	return requests
}

// cell returns the measured requests of one cell: every prompt once in each
// repeat, in an order of its own, so that a drift of the machine does not fall
// on one prompt.
func (x *execution) cell(cell int, l exobench.Load) []exobench.Request {
	p := x.config.Plan
	rng := rand.New(rand.NewPCG(p.Seeds.Order, uint64(x.progress.Step)<<32|uint64(cell)))
	n := p.CellRequests()
	requests := make([]exobench.Request, 0, n)
	for repeat := 1; len(requests) < n; repeat++ {
		for _, i := range rng.Perm(len(p.Prompts)) {
			if len(requests) < n {
				requests = append(requests, x.request(exobench.Measured, repeat, l, p.Prompts[i]))
			}
		}
	}
	return requests
}

func (x *execution) request(phase exobench.Phase, repeat int, l exobench.Load, prompt exobench.Prompt) exobench.Request {
	p := x.config.Plan
	x.seq++
	if p.Cache == "cold" && !x.bench.Engine.CacheSwitch {
		prompt.Text = coldPrefix(p.Seeds.Prompts, x.seq) + prompt.Text
	}
	return exobench.Request{
		Seq: x.seq, Phase: phase, Repeat: repeat, Load: l,
		Prompt: prompt, MaxTokens: p.MaxTokens, Seed: p.Seeds.Sampling,
		IgnoreEOS: !p.NaturalStop, WarmCache: p.Cache == "warm",
	}
}

// coldPrefix makes a prompt differ from its first character on, so that no
// cache of earlier prompts can serve it.
func coldPrefix(seed uint64, seq int) string {
	rng := rand.New(rand.NewPCG(seed, uint64(seq)))
	return fmt.Sprintf("%08x ", rng.Uint32())
}
