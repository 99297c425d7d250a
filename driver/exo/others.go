package exo

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"exobench"
	"exobench/driver/api"
)

// atWork counts the runners of other instances that have done something since the
// look before. That one stands there says nothing: exo keeps the entries of
// runners that are gone. One that is new as such is none that was at work.
func (w *watched) atWork(states map[string]tagged) (n int) {
	others := map[string]string{}
	for id, state := range states {
		if slices.Contains(w.inst.runners, id) || w.ours[id] {
			continue
		}
		others[id] = state.tag
		before, known := w.others[id]
		over := state.tag == "RunnerShuttingDown" || state.tag == "RunnerShutdown"
		if w.others != nil && before != state.tag && (known || !over) {
			n++
		}
	}
	for id := range w.others {
		if _, there := states[id]; !there {
			n++
		}
	}
	w.others = others
	return n
}

// noteRunners takes note of what runners there are before exo is asked for an
// instance: whatever they do from then on is for others.
func (e *Engine) noteRunners(ctx context.Context) {
	var states map[string]tagged
	if err := e.api.Get(ctx, "/state/runners", &states); err != nil && !api.Missing(err) {
		return // the first look will do
	}
	w := &e.watched
	w.mu.Lock()
	defer w.mu.Unlock()
	w.others = nil
	w.atWork(states)
}

// task is something that exo does or has done, as far as it matters here.
type task struct {
	Instance string `json:"instanceId"`
	Command  string `json:"commandId"`
	Status   string `json:"taskStatus"`
}

// othersTasks counts the requests of others that the measured instance works on,
// and the other instances that work on requests. exo lists a request from when it
// is dispatched until it has ended.
func (e *Engine) othersTasks(ctx context.Context, measured instance) (requests, instances int, err error) {
	before := e.asked.now()
	var tasks map[string]tagged
	if err := e.api.Get(ctx, "/state/tasks", &tasks); err != nil && !api.Missing(err) {
		return 0, 0, err
	}
	var commands []string
	busy := map[string]bool{}
	for _, one := range tasks {
		var t task
		if json.Unmarshal(one.body, &t) != nil || t.Command == "" || t.Status != "Pending" && t.Status != "Running" {
			continue
		}
		if t.Instance == measured.id {
			commands = append(commands, t.Command)
		} else {
			busy[t.Instance] = true
		}
	}
	return e.asked.foreign(commands, before, e.config.env.Clock.Now()), len(busy), nil
}

// asked are our own requests, to tell those of others from them. exo's own id of a
// request is known once its answer began.
type asked struct {
	mu sync.Mutex
	count
	ended    []string           // the ids of those that ended last
	nameless []exobench.Instant // when those ended that exo had told no id of
}

// count is how many requests are under way, and how many were ever begun.
type count struct{ underWay, begun int }

// How many ended requests are remembered, and how long one without an id may stay
// among exo's tasks.
const (
	remembered = 512
	mayLinger  = 30 * time.Second
)

func (a *asked) now() count {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count
}

func (a *asked) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.underWay++
	a.begun++
}

func (a *asked) end(id string, at exobench.Instant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.underWay--
	if id == "" {
		a.nameless = append(a.nameless, at)
	} else if a.ended = append(a.ended, id); len(a.ended) > remembered {
		a.ended = slices.Delete(a.ended, 0, remembered/2)
	}
}

// foreign returns how many of the commands that exo worked on cannot be ours: all
// but those that have ended since, and as many as were under way.
func (a *asked) foreign(commands []string, before count, at exobench.Instant) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nameless = slices.DeleteFunc(a.nameless, func(ended exobench.Instant) bool { return at.Sub(ended) > mayLinger })
	n := -(before.underWay + a.begun - before.begun + len(a.nameless))
	for _, id := range commands {
		if !slices.Contains(a.ended, id) {
			n++
		}
	}
	return max(0, n)
}
