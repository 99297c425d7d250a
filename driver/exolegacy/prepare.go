package exolegacy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"exobench"
	"exobench/driver/api"
	"exobench/internal/panics"
	"exobench/wire"
)

// firstPrompt is what makes exo load a model: its answer should be short, since
// exo cannot be told a length and does not stop when its request is given up.
const firstPrompt = "Answer with the one word OK."

// Prepare sends the model a first short prompt, which makes exo download and
// load it. The load lasts from StageLoad to the first token, at StageReady.
func (e *engine) Prepare(ctx context.Context, m exobench.Model, _ string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	l := &loading{engine: e, id: m.ID, report: report}
	l.event(exobench.StageEvent{Stage: exobench.StageResolve})
	if !slices.Contains(e.usable, m.ID) {
		return exobench.Deployment{}, fmt.Errorf("exo 0.0.x does not run %s, and would answer with its default model", m.ID)
	}
	held := e.hold(m.ID)
	l.look(ctx)
	record, err := l.answer(ctx)
	if err != nil {
		return exobench.Deployment{}, fmt.Errorf("load: %w", err)
	}
	l.ready(record)
	return exobench.Deployment{Model: m, Created: true, Held: held, PID: e.seen.PID()}, nil
}

// hold remembers the model that exo keeps from now on, and returns what it had kept
// until then, as far as this run knows.
func (e *engine) hold(id string) exobench.Held {
	before := e.held
	e.held = id
	switch before {
	case "":
		return ""
	case id:
		return exobench.HeldModel
	}
	return exobench.HeldOthers
}

// loading is one model on its way.
type loading struct {
	engine *engine
	id     string
	report func(exobench.StageEvent)

	last    exobench.Instant // of the latest event
	files   fetched
	under   bool      // a download is under way
	waited  bool      // the current request has waited for a download
	loads   bool      // StageLoad has been reported
	changed time.Time // when there was news, the start included
}

func (l *loading) event(e exobench.StageEvent) {
	if !e.At.Reached() {
		e.At = l.engine.env.Clock.Now()
	}
	e.At = max(e.At, l.last)
	l.last = e.At
	l.report(e)
}

// look finds out whether the model's files are there before it is asked for.
func (l *loading) look(ctx context.Context) {
	files, told := l.engine.stored(ctx, l.id)
	l.event(exobench.StageEvent{Stage: exobench.StagePlace, Detail: "a first short prompt makes exo load it"})
	switch {
	case told && files.done < files.total:
		l.files = files
		l.event(files.event())
	case told:
		l.load(0)
	}
}

// load reports that all files are there. Where exo did not tell, that is known
// only when a download has ended, or the answer has come without one. A download
// ends whole: exo drops it from what it tells, so the last look saw only part.
func (l *loading) load(at exobench.Instant) {
	if !l.loads {
		l.loads = true
		if l.files.done < l.files.total {
			l.files.done, l.files.rate = l.files.total, 0
			l.event(l.files.event())
		}
		l.event(exobench.StageEvent{Stage: exobench.StageLoad, At: at})
	}
}

// answer sends the first prompt and waits for the end of the answer: an engine
// still busy with it must not be measured. Where exo gives a request up that
// waited for a download, the prompt is sent again after the download.
func (l *loading) answer(ctx context.Context) (exobench.Record, error) {
	for {
		record, err := l.attempt(ctx)
		if err != nil {
			return record, err
		}
		if record.HTTPStatus != http.StatusRequestTimeout {
			return record, verdict(record)
		}
		if err := l.downloaded(ctx); err != nil {
			return record, err
		}
		if !l.waited {
			return record, verdict(record)
		}
	}
}

// verdict says why an answer does not show that the model is loaded.
func verdict(r exobench.Record) error {
	switch {
	case r.Outcome == exobench.OK, r.Outcome == exobench.Empty && r.FinishReason != "":
		return nil
	case r.HTTPStatus == http.StatusRequestTimeout:
		return fmt.Errorf("exo gave it up (%s): its --chatgpt-api-response-timeout can be raised", r.Error)
	}
	return errors.New(r.Error)
}

// attempt sends the prompt once and watches downloads meanwhile.
func (l *loading) attempt(ctx context.Context) (exobench.Record, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan exobench.Record, 1)
	go panics.Caught(func() {
		defer close(done)
		done <- l.engine.chat(ctx, l.id, firstPrompt, wire.Call{})
	})()
	l.waited, l.changed = false, time.Now()
	for {
		select {
		case record := <-done:
			return record, context.Cause(ctx)
		case <-time.After(l.engine.pace.poll):
		}
		if err := l.poll(ctx); err != nil {
			cancel()
			<-done
			return exobench.Record{}, err
		}
	}
}

// downloaded waits for the end of a download, if there is one.
func (l *loading) downloaded(ctx context.Context) error {
	for {
		if err := l.poll(ctx); err != nil || !l.under {
			return err
		}
		if err := api.Pause(ctx, l.engine.pace.poll); err != nil {
			return err
		}
	}
}

// poll looks at the download once and reports what is new; it is an error when
// nothing was for too long. A look that got no answer says nothing.
func (l *loading) poll(ctx context.Context) error {
	files, under, err := l.engine.downloading(ctx, l.id)
	switch {
	case err != nil:
	case under:
		if files.done != l.files.done || !l.under {
			l.changed = time.Now()
		}
		l.files, l.under, l.waited = files, true, true
		l.event(files.event())
	case l.under:
		l.under, l.changed = false, time.Now()
		l.load(0)
	}
	limit, what := l.engine.pace.load, "exo did not answer a first prompt"
	if l.under {
		limit, what = l.engine.pace.download, "nothing new of its download"
	}
	if time.Since(l.changed) > limit {
		return fmt.Errorf("%s for %v", what, limit)
	}
	return nil
}

// ready reports the first token of the answer as the end of the load.
func (l *loading) ready(r exobench.Record) {
	l.load(r.Sent)
	at := r.FirstToken
	if !at.Reached() {
		at = r.FirstChunk
	}
	detail := "the load has a short prompt in it; exo does not tell whether it was loaded before"
	if caveat := l.engine.inference.caveat(l.id); caveat != "" {
		detail += "; " + caveat
	}
	l.event(exobench.StageEvent{Stage: exobench.StageReady, At: at, Detail: detail})
}

// Release has nothing to do, and says so the first time: exo 0.0.x keeps a
// model until another is asked for.
func (e *engine) Release(_ context.Context, _ exobench.Deployment, report func(exobench.StageEvent)) error {
	e.kept.Do(func() {
		report(exobench.StageEvent{Stage: exobench.StageRelease, Detail: "exo 0.0.x cannot unload: it stays in memory until another model is asked for"})
	})
	return nil
}
