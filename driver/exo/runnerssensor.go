package exo

import (
	"context"
	"fmt"
	"time"

	"exobench"
	"exobench/driver/api"
)

// runnersSensor looks at the runners of the instance that is measured, and at
// what else exo does, once a second. Its samples are of what exo does for others;
// what it sees of the runners goes to the requests that were under way, and to the
// notes.
//
// Note: each call makes exo write its whole state out once, which takes some 20 ms
// of its API's process on a slow core. The sensor of the nodes, which would
// otherwise ask for power that exo on Linux never has, gives up as much, and tasks
// are asked for at each tasksEvery-th look only.
type runnersSensor struct{ engine *Engine }

// Name returns "runners".
func (runnersSensor) Name() string { return "runners" }

// Every returns one second. exo takes longer than that to notice that a runner
// has died and to start it again.
func (runnersSensor) Every() time.Duration { return time.Second }

// How many looks at runners there are to one at instances, and to one at tasks.
const (
	instancesEvery = 10
	tasksEvery     = 3
)

// Read takes one look and returns a sample of what exo did for others.
func (s runnersSensor) Read(ctx context.Context, moment exobench.Moment) ([]exobench.Sample, error) {
	e := s.engine
	inst := e.watched.instance()
	if inst.id == "" {
		return nil, nil
	}
	var states map[string]tagged
	if err := e.api.Get(ctx, "/state/runners", &states); err != nil && !api.Missing(err) {
		return nil, fmt.Errorf("look at exo's runners: %w", err)
	}
	now, err := s.current(ctx, inst)
	if err != nil {
		return nil, err
	}
	lost := e.lookAtProcesses(ctx)
	seen := e.watched.take(e.config.env.Clock.Now(), now, states)
	if lost && seen.outage == "" {
		seen.outage = endedText
	}
	if seen.outage != "" {
		e.observeOutage(seen.outage)
	}
	sample, err := s.others(ctx, moment, now, seen)
	if err != nil {
		return nil, err
	}
	if moment != exobench.During || seen.looks%instancesEvery == 0 || seen.atWork > 0 || now.id == "" {
		err = e.observeInstances(ctx, inst)
	}
	return []exobench.Sample{sample}, err
}

// others returns what a look shows that exo did for others.
func (s runnersSensor) others(ctx context.Context, moment exobench.Moment, measured instance, seen sight) (exobench.Sample, error) {
	sample := exobench.Sample{At: seen.at, Span: seen.span}
	atWork := seen.atWork
	if moment != exobench.During || seen.looks%tasksEvery == 0 {
		requests, instances, err := s.engine.othersTasks(ctx, measured)
		if err != nil {
			return sample, fmt.Errorf("look at exo's tasks: %w", err)
		}
		atWork = max(atWork, instances)
		sample.Values = append(sample.Values, exobench.Value{Quantity: exobench.OthersRequests, Value: float64(requests)})
	}
	sample.Values = append(sample.Values, exobench.Value{Quantity: exobench.OthersAtWork, Value: float64(atWork)})
	return sample, nil
}

// current returns the instance as it is now; without an id where it is gone.
func (s runnersSensor) current(ctx context.Context, inst instance) (instance, error) {
	raw, err := s.engine.instance(ctx, inst.id)
	switch {
	case api.Missing(err):
		return instance{}, nil
	case err != nil:
		return instance{}, fmt.Errorf("look at exo's instance: %w", err)
	}
	now, err := parseInstance(raw)
	if err != nil {
		return inst, nil // of another shape than it was: nothing is known
	}
	return now, nil
}
