package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"exobench"
)

const (
	// startPoll and findPoll are how often a server is asked whether its model
	// is loaded; startPoll is the error of a load time.
	startPoll = 20 * time.Millisecond
	findPoll  = 250 * time.Millisecond
	// tellEvery is how often a load without other news is reported.
	tellEvery = time.Second
	// loadTime bounds the wait for a model to be loaded.
	loadTime = 30 * time.Minute
)

// Prepare starts the server and waits until its model is loaded. Of a server
// that runs already it only makes sure that it is ready.
func (t *Target) Prepare(ctx context.Context, m exobench.Model, report func(exobench.LoadEvent)) (exobench.Deployment, error) {
	if t.config.starts() {
		return t.start(ctx, m, report)
	}
	server, err := t.find(ctx, func() {
		report(exobench.LoadEvent{Stage: exobench.StageLoad, Detail: "the server is loading its model"})
	})
	if err != nil {
		return exobench.Deployment{}, err
	}
	report(exobench.LoadEvent{Stage: exobench.StageReady, Detail: server.String()})
	return exobench.Deployment{Model: m}, nil
}

// find waits for a server that runs already and asks what it is. It calls
// loading once if the server is not ready.
func (t *Target) find(ctx context.Context, loading func()) (Server, error) {
	a := t.api()
	for began := time.Now(); ; loading = func() {} {
		busy, err := a.loading(ctx)
		if err != nil {
			return Server{}, err
		}
		if !busy {
			return a.describe(ctx)
		}
		loading()
		if time.Since(began) > loadTime {
			return Server{}, fmt.Errorf("the server at %s is still loading its model after %v", a.base, loadTime)
		}
		if err := wait(ctx, findPoll); err != nil {
			return Server{}, err
		}
	}
}

func (t *Target) start(ctx context.Context, m exobench.Model, report func(exobench.LoadEvent)) (exobench.Deployment, error) {
	if err := t.Close(); err != nil {
		return exobench.Deployment{}, err
	}
	port, err := t.port()
	if err != nil {
		return exobench.Deployment{}, err
	}
	args := t.config.arguments(port)
	report(exobench.LoadEvent{Stage: exobench.StageLoad, Detail: "llama-server " + strings.Join(args, " ")})
	began := time.Now()
	p, err := startProcess(t.program, args, t.config.environment())
	if err != nil {
		return exobench.Deployment{}, err
	}
	l := loading{process: p, api: t.api(), model: t.config.ModelPath, began: began, report: report}
	server, ready, err := l.await(ctx)
	if err != nil {
		return exobench.Deployment{}, errors.Join(err, p.kill())
	}
	t.mu.Lock()
	t.server, t.session = server, newSession(l.api, p)
	t.mu.Unlock()
	report(exobench.LoadEvent{Stage: exobench.StageReady, Detail: fmt.Sprintf("loaded in %v: %s", ready.Round(10*time.Millisecond), server)})
	return exobench.Deployment{Model: m, Created: true}, nil
}

// port returns the port of the target's URL, or another if something listens
// there by now.
func (t *Target) port() (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u, err := url.Parse(t.url)
	if err != nil {
		return 0, err
	}
	if l, err := net.Listen("tcp", u.Host); err == nil {
		l.Close()
		return strconv.Atoi(u.Port())
	}
	port, err := freePort()
	t.url = localURL(port)
	return port, err
}

// loading is a server that was started and is not ready.
type loading struct {
	process *process
	api     api
	model   string
	began   time.Time
	report  func(exobench.LoadEvent)

	stage exobench.Stage
	said  string
	told  time.Time
}

// await waits until the server is ready, which it was after so long.
func (l *loading) await(ctx context.Context) (s Server, ready time.Duration, err error) {
	for {
		busy, err := l.api.loading(ctx)
		ready = time.Since(l.began)
		if !l.process.running() {
			return s, ready, l.process.endError()
		}
		if err == nil && !busy {
			s, err = l.api.describe(ctx)
			if err == nil && filepath.Base(s.ModelPath) != filepath.Base(l.model) {
				err = fmt.Errorf("another server has taken %s, which was free", l.api.base)
			}
			return s, ready, err
		}
		if ready > loadTime {
			return s, ready, fmt.Errorf("llama-server has not loaded its model after %v: %s", loadTime, l.process.tail.telling())
		}
		l.tell()
		if err := wait(ctx, startPoll); err != nil {
			return s, ready, err
		}
	}
}

// tell reports how far the load is, when there is news.
func (l *loading) tell() {
	event := exobench.LoadEvent{Stage: exobench.StageLoad}
	text, known := l.process.tail.loaded()
	switch {
	case l.process.tail.warming():
		event.Stage = exobench.StageWarm
	case known:
		event.Detail = text
	}
	news := event.Stage != l.stage || event.Detail != l.said
	if !news && time.Since(l.told) < tellEvery {
		return
	}
	l.stage, l.said, l.told = event.Stage, event.Detail, time.Now()
	waited := time.Since(l.began).Round(100 * time.Millisecond).String()
	event.Detail = strings.TrimPrefix(event.Detail+", "+waited, ", ")
	l.report(event)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
