package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"exobench"
	"exobench/child"
	"exobench/driver"
	"exobench/driver/api"
)

const (
	// startPoll is how often a server that was started is asked whether its
	// model is loaded: the error of a load time.
	startPoll = 20 * time.Millisecond
	// tellEvery is how often a load without other news is reported.
	tellEvery = time.Second
)

// start starts a server for the model file and waits until it is loaded.
func (l launch) start(ctx context.Context, model string, env driver.Env, report func(exobench.StageEvent)) (*session, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	url := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	c, err := newClient(url, env.Header, env)
	if err != nil {
		return nil, err
	}
	args := l.arguments(model, port)
	report(exobench.StageEvent{Stage: exobench.StageLoad, Detail: "llama-server " + strings.Join(args, " ")})
	began := time.Now()
	p, err := child.Start(child.Command{What: "llama-server", Path: l.program, Args: args, Env: l.environment()})
	if err != nil {
		return nil, err
	}
	loading := loading{process: p, client: c, model: model, began: began, report: report}
	server, ready, err := loading.await(ctx)
	if err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	report(exobench.StageEvent{Stage: exobench.StageReady, Detail: fmt.Sprintf("loaded in %v: %s", ready.Round(10*time.Millisecond), server)})
	return newSession(c, env.Header, server, p, l.without), nil
}

// freePort returns a port of the loopback interface on which nothing listens.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// loading is a server that was started and is not ready.
type loading struct {
	process *child.Process
	client  *api.Client
	model   string
	began   time.Time
	report  func(exobench.StageEvent)

	stage exobench.Stage
	said  string
	told  time.Time
}

// await waits until the server is ready, which it was after so long.
func (l *loading) await(ctx context.Context) (s Server, ready time.Duration, err error) {
	for {
		busy, err := isLoading(ctx, l.client)
		ready = time.Since(l.began)
		if !l.process.Running() {
			return s, ready, endError(l.process)
		}
		if err == nil && !busy {
			s, err = describe(ctx, l.client)
			if err == nil && filepath.Base(s.ModelPath) != filepath.Base(l.model) {
				err = fmt.Errorf("another server has taken %s, which was free", l.client.Base())
			}
			return s, ready, err
		}
		if ready > loadTime {
			return s, ready, fmt.Errorf("llama-server has not loaded its model after %v: %s", loadTime, reason(l.process.Output()))
		}
		l.tell()
		if err := api.Pause(ctx, startPoll); err != nil {
			return s, ready, err
		}
	}
}

// tell reports how far the load is, when there is news.
func (l *loading) tell() {
	event := exobench.StageEvent{Stage: exobench.StageLoad}
	output := l.process.Output()
	if warming(output) {
		event.Stage = exobench.StageWarm
	} else if text, known := loaded(output); known {
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
