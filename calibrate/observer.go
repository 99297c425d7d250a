package calibrate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/run"
	"exobench/stat"
)

// Observer measures what exobench costs the engine that it measures. It has the
// engine carry out the same work for a bare client and for a run of exobench in
// turn: the client, the sensors and a journal, in this process.
type Observer struct {
	// Engine is open, and Model its.
	Engine driver.Engine
	Model  exobench.Model
	// Clock is that of the engine's client.
	Clock exobench.Clock
	// Endpoint is the URL of the engine's chat completions, which the bare client
	// asks with Header and, beside what every chat has, the members of Body.
	Endpoint string
	Header   http.Header
	Body     map[string]any
	// Bare returns a command that runs [Bare].
	Bare func(context.Context) *exec.Cmd
	// Sensors, where set, opens those of the host for one run, which end closes.
	Sensors func(*run.Config) (end func())
	// Folder takes the runs' journals; they are left there.
	Folder string
	// Pairs of rounds are measured, each with Requests of Tokens, Streams at a
	// time.
	Pairs, Streams, Requests int
	Tokens                   exobench.Tokens
	// Progress, where set, is told of each pair.
	Progress func(pair int, ratio float64)
}

// Validate reports everything that is wrong with it.
func (o *Observer) Validate() error {
	var errs []error
	for _, n := range []struct {
		what  string
		value int
	}{{"pairs", o.Pairs}, {"streams", o.Streams}, {"requests", o.Requests}, {"tokens", int(o.Tokens)}} {
		if n.value < 1 {
			errs = append(errs, fmt.Errorf("%d %s: there must be at least 1", n.value, n.what))
		}
	}
	if o.Requests < o.Streams {
		errs = append(errs, fmt.Errorf("%d requests are fewer than the %d streams", o.Requests, o.Streams))
	}
	return errors.Join(errs...)
}

// Measure brings the model up, runs a round of each kind that does not count and
// then the pairs, and takes the model away again. Which client goes first changes
// from pair to pair.
func (o *Observer) Measure(ctx context.Context) (exobench.Observation, error) {
	fail := func(err error) (exobench.Observation, error) {
		return exobench.Observation{}, fmt.Errorf("observe the observer: %w", err)
	}
	if err := o.Validate(); err != nil {
		return fail(err)
	}
	ignore := func(exobench.StageEvent) {}
	deployment, err := o.Engine.Prepare(ctx, o.Model, "", ignore)
	if err != nil {
		return fail(err)
	}
	pairs, err := o.pairs(ctx, deployment)
	if deployment.Created {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
		defer cancel()
		err = errors.Join(err, o.Engine.Release(ctx, deployment, ignore))
	}
	if err != nil {
		return fail(err)
	}
	return o.conclude(pairs), nil
}

// releaseTime bounds the taking away of the model, after an interrupt too.
const releaseTime = 90 * time.Second

// pair is one round of each kind.
type pair struct{ bare, run seen }

func (o *Observer) pairs(ctx context.Context, d exobench.Deployment) ([]pair, error) {
	var all []pair
	round := 0
	for i := range o.Pairs + 1 {
		var p pair
		bare := func() (err error) { p.bare, err = o.bareRound(ctx, d, round); return err }
		harness := func() (err error) { p.run, err = o.runRound(ctx, d, round); return err }
		order := []func() error{bare, harness}
		if i%2 == 1 {
			order = []func() error{harness, bare}
		}
		for _, do := range order {
			round++
			if err := cmp.Or(do(), context.Cause(ctx)); err != nil {
				return nil, fmt.Errorf("round %d: %w", round, err)
			}
		}
		if i == 0 {
			continue // it warmed up
		}
		all = append(all, p)
		if o.Progress != nil {
			o.Progress(i, p.ratio(p.told()))
		}
	}
	return all, nil
}

// told reports whether the engine told its speed to both clients.
func (p pair) told() bool { return p.bare.Told > 0 && p.run.Told > 0 }

func (p pair) ratio(told bool) float64 { return p.run.rate(told) / p.bare.rate(told) }

// rate returns the engine's tokens per second.
func (s seen) rate(told bool) float64 {
	if told {
		return s.Told
	}
	return float64(s.Tokens) / s.Wall.Seconds()
}

func (s seen) perThousand() float64 { return float64(s.CPU) * 1000 / float64(max(1, s.Events)) }

// conclude makes one result of the pairs.
func (o *Observer) conclude(pairs []pair) exobench.Observation {
	told := true
	for _, p := range pairs {
		told = told && p.told()
	}
	of := func(value func(pair) float64) (all []float64) {
		for _, p := range pairs {
			all = append(all, value(p))
		}
		return all
	}
	median := func(value func(pair) float64) float64 {
		m, _ := stat.NewSample(of(value)).Median()
		return m
	}
	ratio := func(p pair) float64 { return p.ratio(told) }
	result := exobench.Observation{
		When: time.Now().UTC(), Engine: o.Engine.Info().Driver, Model: o.Model.Name, Cores: runtime.NumCPU(),
		Streams: o.Streams, Requests: o.Requests, Tokens: o.Tokens,
		Ratios: of(ratio), Ratio: median(ratio), Told: told,
		BareRate: median(func(p pair) float64 { return p.bare.rate(told) }),
		Rate:     median(func(p pair) float64 { return p.run.rate(told) }),
		BareCPU:  time.Duration(median(func(p pair) float64 { return p.bare.perThousand() })),
		CPU:      time.Duration(median(func(p pair) float64 { return p.run.perThousand() })),
	}
	if interval, ok, _ := stat.NewSample(result.Ratios).MedianInterval(stat.Confidence); ok {
		result.Low, result.High = interval.Lo, interval.Hi
	}
	return result
}

// promptText is long enough for a prompt phase and short against any context.
const promptText = "Explain in your own words why the sky is blue, and what that has to do with the colour of the setting sun."

// bareRound has the bare client do the work.
func (o *Observer) bareRound(ctx context.Context, d exobench.Deployment, round int) (seen, error) {
	work := bareWork{URL: o.Endpoint, Header: o.Header, Streams: o.Streams}
	for i := range o.Requests {
		body := map[string]any{
			"model": d.Model.ID, "stream": true, "max_tokens": o.Tokens, "temperature": 0,
			"stream_options": map[string]any{"include_usage": true},
			// As cold as those of a run: it differs from its first character on.
			"messages": []map[string]string{{"role": "user", "content": fmt.Sprintf("%08x %s", round<<16|i, promptText)}},
		}
		maps.Copy(body, o.Body)
		text, err := json.Marshal(body)
		if err != nil {
			return seen{}, err
		}
		work.Requests = append(work.Requests, text)
	}
	text, err := json.Marshal(work)
	if err != nil {
		return seen{}, err
	}
	command := o.Bare(ctx)
	var out, errText bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(text), &out, &errText
	if err := command.Run(); err != nil {
		return seen{}, fmt.Errorf("the bare client: %w: %s", err, strings.TrimSpace(errText.String()))
	}
	var saw seen
	if err := json.Unmarshal(out.Bytes(), &saw); err != nil {
		return seen{}, fmt.Errorf("the bare client's answer: %w", err)
	}
	if saw.Tokens == 0 {
		return seen{}, errors.New("the bare client saw no tokens")
	}
	return saw, nil
}
