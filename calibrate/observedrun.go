package calibrate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"exobench"
	"exobench/driver"
	"exobench/journal"
	"exobench/resource"
	"exobench/run"
)

// runRound does the work as exobench run does.
func (o *Observer) runRound(ctx context.Context, d exobench.Deployment, round int) (seen, error) {
	entry := o.Engine.Info()
	entry.Models = []exobench.Model{o.Model}
	plan := o.plan(entry, round)
	header := &exobench.Header{RunID: fmt.Sprintf("observer-%d", round), Plan: plan, Engines: []exobench.Engine{entry}}
	file, err := journal.Create(filepath.Join(o.Folder, fmt.Sprintf("observer-%d.jsonl", round)), header, journal.Options{})
	if err != nil {
		return seen{}, err
	}
	kept := &keeper{journal: file}
	config := run.Config{
		Plan: plan, Session: 1, PromptSeed: run.PromptSeed(plan), Recorder: kept, Clock: o.Clock,
		Engines: []run.Engine{{Engine: placed{o.Engine, d}, Entry: entry}},
		Machine: func(pid func() int) run.Machine { return resource.NewMachine(pid) },
	}
	if o.Sensors != nil {
		defer o.Sensors(&config)()
	}
	used := cpuTime()
	reason, err := run.Execute(ctx, config)
	used = cpuTime() - used
	if err = errors.Join(err, file.Close()); err != nil {
		return seen{}, err
	}
	saw, err := kept.seen()
	saw.CPU = used
	if err == nil && reason != exobench.EndFinished {
		err = fmt.Errorf("the run %s", reason)
	}
	return saw, err
}

// plan is that of one round.
func (o *Observer) plan(engine exobench.Engine, round int) exobench.Plan {
	return exobench.Plan{
		Engines: []exobench.EngineSpec{{Name: engine.Name}},
		Models:  []string{o.Model.Name},
		Workload: exobench.Workload{
			Prompts:   []exobench.Prompt{{ID: "observer", Text: promptText}},
			MaxTokens: o.Tokens, Cache: exobench.ColdCache,
		},
		Traffic:    []exobench.Traffic{{Concurrency: o.Streams}},
		Stop:       exobench.Stop{Requests: o.Requests},
		KeepLoaded: true,
		Seeds:      exobench.Seeds{Prompts: uint64(round)},
	}
}

// placed is an engine whose model is up already.
type placed struct {
	driver.Engine
	deployment exobench.Deployment
}

func (p placed) Prepare(context.Context, exobench.Model, string, func(exobench.StageEvent)) (exobench.Deployment, error) {
	return p.deployment, nil
}

func (placed) Release(context.Context, exobench.Deployment, func(exobench.StageEvent)) error {
	return nil
}

// keeper is a recorder that looks at the requests' records on their way to the
// journal.
type keeper struct {
	journal *journal.Writer

	mu     sync.Mutex // of what follows
	n      int
	saw    seen
	untold bool
	first  exobench.Instant
	last   exobench.Instant
	failed error
}

func (k *keeper) Append(e exobench.Entry) error {
	if r, ok := e.(*exobench.Record); ok {
		k.keep(r)
	}
	return k.journal.Append(e)
}

func (k *keeper) keep(r *exobench.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.Outcome != exobench.OK {
		if k.failed == nil {
			k.failed = fmt.Errorf("request %d: %s: %s", r.Seq, r.Outcome, r.Error)
		}
		return
	}
	if k.n == 0 || r.Sent < k.first {
		k.first = r.Sent
	}
	k.n++
	k.last = max(k.last, r.Ended)
	k.saw.Events += len(r.Chunks)
	if r.OutputTokens != nil {
		k.saw.Tokens += int(*r.OutputTokens)
	}
	if r.Server == nil || r.Server.DecodeTPS == nil {
		k.untold = true
		return
	}
	k.saw.Told += *r.Server.DecodeTPS
}

// seen returns the round.
func (k *keeper) seen() (seen, error) {
	if k.failed != nil {
		return seen{}, k.failed
	}
	if k.n == 0 || k.saw.Tokens == 0 {
		return seen{}, errors.New("the run brought no tokens")
	}
	saw := k.saw
	saw.Wall = k.last.Sub(k.first)
	saw.Told /= float64(k.n)
	if k.untold {
		saw.Told = 0
	}
	return saw, nil
}
