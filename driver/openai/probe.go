package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"exobench"
	"exobench/driver/api"
	"exobench/internal/panics"
	"exobench/prompt"
)

const (
	// drainTime is how long an answer is listened to that has begun: a short one
	// ends in it by itself.
	drainTime = 5 * time.Second
	// mostWait bounds the time that a server is waited for that asks for it.
	mostWait = 2 * time.Minute
	// loadTime bounds the wait for a server that loads its model, and loadPoll is
	// the time between two tries.
	loadTime = 30 * time.Minute
	loadPoll = 2 * time.Second
	// mostPlain bounds what is kept of an answer that is no stream.
	mostPlain = 64 << 10
)

// probing is the search for the form of requests that the server takes for a
// model.
type probing struct {
	engine *engine
	model  exobench.Model
	report func(exobench.StageEvent)
	form   form
	// guesses are the fields that were left out without its being sure that the
	// server refuses them.
	guesses []string
	said    []string // by the server, when it refused
}

// probe sends requests with all that those of the run have, and leaves out what
// the server refuses, until it takes one. It returns the form that it takes.
func (p *probing) probe(ctx context.Context) error {
	for {
		refused, err := p.ask(ctx, p.form)
		if err != nil {
			return err
		}
		if refused == nil {
			return p.restore(ctx)
		}
		if !slices.Contains(p.said, refused.text) {
			p.said = append(p.said, refused.text)
		}
		field, sure := p.culprit(refused)
		if field == "" {
			return fmt.Errorf("the server rejects a plain chat request to %s: %s", p.model.ID, p.said[0])
		}
		p.form = p.form.without(field)
		if !sure {
			p.guesses = append(p.guesses, field)
		}
	}
}

// culprit returns the field to leave out next, empty where there is none, and
// whether that is sure to be one that the server refuses.
func (p *probing) culprit(r *refusal) (field string, sure bool) {
	sent := slices.DeleteFunc(slices.Clone(optional), func(field string) bool {
		return !p.form.sends(field) || field == api.IgnoreEOS && p.engine.env.Plan.Workload.NaturalStop
	})
	named := slices.DeleteFunc(slices.Clone(r.named), func(field string) bool { return !slices.Contains(sent, field) })
	switch {
	case len(named) > 0:
		return named[0], len(named) == 1
	case len(sent) == 0 || !r.open:
		return "", false // what it names is not sent, or it is the limit's value
	}
	return sent[0], false
}

// restore sends again what was left out by guess, but for what was left out
// last, with which it was refused.
func (p *probing) restore(ctx context.Context) error {
	if n := len(p.guesses); n > 0 && p.guesses[n-1] == p.form.refused[len(p.form.refused)-1] {
		p.guesses = p.guesses[:n-1]
	}
	for _, field := range p.guesses {
		fuller := p.form.with(field)
		refused, err := p.ask(ctx, fuller)
		if err != nil {
			return err
		}
		if refused == nil {
			p.form = fuller
		}
	}
	return nil
}

// ask sends one request and returns the server's refusal of its form, nil where
// it takes it. A server that asks to be waited for is.
func (p *probing) ask(ctx context.Context, f form) (refused *refusal, err error) {
	tell := func(text string) { p.report(exobench.StageEvent{Stage: exobench.StageResolve, Detail: text}) }
	err = patiently(ctx, tell, func() error {
		refused, err = p.send(ctx, f)
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("a first request to %s failed: %w", p.model.ID, err)
	}
	return refused, err
}

// patiently tries until that succeeds or fails for good. A server that asks to be
// waited for is, within bounds, and tell is told.
func patiently(ctx context.Context, tell func(string), try func() error) error {
	var waited time.Duration
	for said := false; ; said = true {
		err := try()
		wait, most, wanted := patience(err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !wanted:
			return err
		case waited+wait > most:
			return fmt.Errorf("%w; the server asks to wait %v, and %v is the longest", err, wait, most)
		}
		if !said || wait > loadPoll {
			tell(fmt.Sprintf("waiting %v, as the server asks: %v", wait, err))
		}
		if err := api.Pause(ctx, wait); err != nil {
			return err
		}
		waited += wait
	}
}

// patience returns how long the server asks to be waited for, and how long that
// may take in all; false where it does not ask.
func patience(err error) (wait, most time.Duration, wanted bool) {
	status, ok := errors.AsType[*api.StatusError](err)
	if !ok || status.Status != http.StatusTooManyRequests && status.Status != http.StatusServiceUnavailable {
		return 0, 0, false
	}
	if wait, ok := status.RetryAfter(); ok {
		return max(wait, 100*time.Millisecond), mostWait, true
	}
	// llama-server says so of itself while it loads.
	loads := status.Status == http.StatusServiceUnavailable && strings.Contains(strings.ToLower(status.Text), "loading")
	return loadPoll, loadTime, loads
}

// errDrained ends a request whose answer goes on for long.
var errDrained = errors.New("the answer has been listened to for long enough")

// send sends one request. Its prompt is one that the server has not seen: it
// must not find another run's in its cache.
func (p *probing) send(ctx context.Context, f form) (*refusal, error) {
	plan := p.engine.env.Plan
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if limit := time.Duration(plan.Timeout); limit > 0 {
		defer time.AfterFunc(limit, panics.Caught(func() { cancel(context.DeadlineExceeded) })).Stop()
	}
	silence := time.Duration(plan.IdleTimeout)
	if silence <= 0 {
		silence = 1 << 62
	}
	idle := time.AfterFunc(silence, panics.Caught(func() { cancel(context.DeadlineExceeded) }))
	defer idle.Stop()
	request := exobench.Request{
		Prompt: exobench.Prompt{Text: prompt.Fresh("Hello")}, MaxTokens: plan.Workload.MaxTokens,
		Seed: plan.Seeds.Sampling, Temperature: plan.Workload.Temperature, IgnoreEOS: !plan.Workload.NaturalStop,
	}
	begun := false
	var plain []byte // what is no event: an error that is no stream
	for line, err := range p.engine.client.Lines(ctx, http.MethodPost, p.engine.chatPath(), completion(p.model, request, f)) {
		if err != nil {
			return p.judge(ctx, err, begun)
		}
		if bytes.HasPrefix(line, []byte("data:")) {
			idle.Reset(silence) // a keep-alive is no sign of life
		}
		event, known := read(line)
		if event.fault != "" {
			return event.refusal(p.model.ID)
		}
		if !known && len(plain) < mostPlain {
			plain = append(append(plain, line...), '\n')
		}
		if event.begun && !begun {
			begun = true
			defer time.AfterFunc(drainTime, panics.Caught(func() { cancel(errDrained) })).Stop()
		}
	}
	if begun {
		return nil, nil
	}
	return readPlain(plain, p.model.ID).refusal(p.model.ID)
}

// judge says what an answer that failed means.
func (p *probing) judge(ctx context.Context, err error, begun bool) (*refusal, error) {
	switch cause := context.Cause(ctx); {
	case begun || cause == errDrained:
		return nil, nil // it took the request
	case cause != nil:
		return nil, &api.CallError{Call: "POST " + p.engine.client.Base() + p.engine.root() + "/chat/completions", Err: cause}
	}
	if status, ok := errors.AsType[*api.StatusError](err); ok {
		if r := refusalOf(status.Status, status.Body, p.model.ID); r != nil {
			return r, nil
		}
	}
	return nil, err
}
