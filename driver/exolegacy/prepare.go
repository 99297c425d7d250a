package exolegacy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"exobench"
	"exobench/wire"
)

// firstPrompt is what makes exo load a model: its answer should be short, since
// exo cannot be told a length and does not stop when its request is given up.
const firstPrompt = "Answer with the one word OK."

// Prepare sends the model a first short prompt, which makes exo download and
// load it. The load lasts from StageLoad to the first token, at StageReady.
func (t *Target) Prepare(ctx context.Context, m exobench.Model, report func(exobench.LoadEvent)) (exobench.Deployment, error) {
	l := &loading{target: t, id: m.ID, report: report}
	l.event(exobench.LoadEvent{Stage: exobench.StageResolve})
	if !slices.Contains(t.usable, m.ID) {
		return exobench.Deployment{}, fmt.Errorf("exo 0.0.x does not run %s, and would answer with its default model", m.ID)
	}
	l.look(ctx)
	record, err := l.answer(ctx)
	if err != nil {
		return exobench.Deployment{}, fmt.Errorf("load %s: %w", m.ID, err)
	}
	l.ready(record)
	return exobench.Deployment{Model: m, Created: true}, nil
}

// loading is one model on its way.
type loading struct {
	target *Target
	id     string
	report func(exobench.LoadEvent)

	last    exobench.Instant // of the latest event
	files   fetched
	under   bool      // a download is under way
	waited  bool      // the current request has waited for a download
	loads   bool      // StageLoad has been reported
	changed time.Time // when there was news, the start included
}

func (l *loading) event(e exobench.LoadEvent) {
	if !e.At.Reached() {
		e.At = l.target.config.Clock.Now()
	}
	e.At = max(e.At, l.last)
	l.last = e.At
	l.report(e)
}

// look finds out whether the model's files are there before it is asked for.
func (l *loading) look(ctx context.Context) {
	files, told := l.target.stored(ctx, l.id)
	l.event(exobench.LoadEvent{Stage: exobench.StagePlace, Detail: "a first short prompt makes exo load it"})
	switch {
	case told && files.done < files.total:
		l.files = files
		l.event(files.event())
	case told:
		l.load(0)
	}
}

// load reports that all files are there. Where exo did not tell, that is known
// only when a download has ended, or the answer has come without one.
func (l *loading) load(at exobench.Instant) {
	if !l.loads {
		l.loads = true
		l.event(exobench.LoadEvent{Stage: exobench.StageLoad, At: at})
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
	go func() { done <- l.target.chat(ctx, l.id, firstPrompt, wire.Call{}) }()
	l.waited, l.changed = false, time.Now()
	for {
		select {
		case record := <-done:
			return record, context.Cause(ctx)
		case <-time.After(l.target.config.PollInterval):
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
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(l.target.config.PollInterval):
		}
	}
}

// poll looks at the download once and reports what is new; it is an error when
// nothing was for too long. A look that got no answer says nothing.
func (l *loading) poll(ctx context.Context) error {
	files, under, err := l.target.downloading(ctx, l.id)
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
	limit, what := l.target.config.LoadTimeout, "exo did not answer a first prompt"
	if l.under {
		limit, what = l.target.config.DownloadTimeout, "nothing new of its download"
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
	if caveat := l.target.engine.caveat(l.id); caveat != "" {
		detail += "; " + caveat
	}
	l.event(exobench.LoadEvent{Stage: exobench.StageReady, At: at, Detail: detail})
}

// Release has nothing to do, and says so the first time: exo 0.0.x keeps a
// model until another is asked for.
func (t *Target) Release(_ context.Context, _ exobench.Deployment, report func(exobench.LoadEvent)) error {
	t.kept.Do(func() {
		report(exobench.LoadEvent{Stage: exobench.StageRelease, Detail: "exo 0.0.x cannot unload: it stays in memory until another model is asked for"})
	})
	return nil
}
