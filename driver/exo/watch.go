package exo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"exobench"
	"exobench/driver/api"
)

// watch follows one instance from its creation until it answers. Nothing in
// exo announces a failure in one place, so four things are looked at: the
// instance, its runners, the downloads and the nodes.
type watch struct {
	engine *Engine
	inst   instance
	say    *reporter

	began time.Time
	seen  bool // the instance has been in exo's state
	heard time.Time
	// moved is when something last changed, and trace what it was then.
	moved time.Time
	trace string

	// again is set when exo was asked for the instance a second time, and lost is
	// since when a runner that had been there is gone.
	again bool
	lost  time.Time

	totals  map[string]int    // layers by runner
	listed  map[string]bool   // runners that exo has listed
	stale   map[string]string // download failures from before, by node
	excuses bool              // one of them was reported
	fetched downloads
	fetches bool // a download was reported
	here    bool // every node has all files
	slowly  time.Time
}

func (e *Engine) newWatch(inst instance, say *reporter) *watch {
	totals := make(map[string]int)
	for id, layers := range inst.layers {
		totals[id] = layers
	}
	return &watch{engine: e, inst: inst, say: say, totals: totals, listed: make(map[string]bool), stale: make(map[string]string)}
}

// rememberFailures notes the downloads of the model that failed before it was
// asked for. exo starts them again only after its next scan, and until then
// their failure looks like one of ours.
func (w *watch) rememberFailures(ctx context.Context) {
	for _, node := range w.inst.nodes {
		if state, err := w.engine.download(ctx, node, w.inst.model); err == nil && state.failed() {
			w.stale[node] = state.message
		}
	}
}

// untilReady returns once every runner of the instance answers.
func (w *watch) untilReady(ctx context.Context) error {
	now := time.Now()
	w.began, w.heard, w.moved = now, now, now
	ticker := time.NewTicker(w.engine.config.pace.poll)
	defer ticker.Stop()
	for {
		ready, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			w.heard = time.Now()
		case !api.Passing(err):
			return err
		case time.Since(w.heard) > w.engine.config.pace.silence:
			return fmt.Errorf("exo has not answered for %v: %w", w.engine.config.pace.silence, err)
		}
		if ready {
			return nil
		}
		if err := w.stalled(); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look takes one look at everything. Errors of exo's answers may pass; all
// others are final.
func (w *watch) look(ctx context.Context) (ready bool, err error) {
	if present, err := w.present(ctx); err != nil || !present {
		return false, err
	}
	states, err := w.runners(ctx)
	if err != nil {
		return false, err
	}
	event, loading := loadEvent(states, w.totals)
	if loading && !w.here {
		if err := w.fetchedAll(ctx); err != nil {
			return false, err
		}
	}
	if time.Since(w.slowly) >= w.engine.config.pace.slowPoll {
		w.slowly = time.Now()
		if err := w.lookSlowly(ctx); err != nil {
			return false, err
		}
	}
	if event.Stage != "" && (loading || !w.fetches) {
		w.say.event(event)
	}
	w.note(states)
	return event.Stage == exobench.StageReady, nil
}

// present reports whether exo has the instance, and fails when it had it.
func (w *watch) present(ctx context.Context) (bool, error) {
	_, err := w.engine.instance(ctx, w.inst.id)
	switch {
	case err == nil:
		w.seen = true
		return true, nil
	case !api.Missing(err):
		return false, err
	case w.seen:
		return false, w.vanished(ctx)
	case time.Since(w.began) > w.engine.config.pace.appear:
		return false, fmt.Errorf("exo took the command, but no instance showed up within %v", w.engine.config.pace.appear)
	case !w.again && time.Since(w.began) > w.engine.config.pace.appear/2:
		// A master that is being elected loses commands. Asking for the same
		// instance again does nothing where it was not lost.
		w.again = true
		w.say.event(exobench.StageEvent{Stage: exobench.StagePlace, Detail: "exo took the command and made no instance: asking again"})
		if err := w.engine.create(ctx, w.inst); err != nil && !api.Passing(err) {
			return false, err
		}
	}
	return false, nil
}

// vanished finds out why exo took the instance away.
func (w *watch) vanished(ctx context.Context) error {
	if err := w.nodes(ctx); err != nil && !api.Passing(err) {
		return err
	}
	if _, err := w.runners(ctx); err != nil && !api.Passing(err) {
		return err
	}
	return errors.New("its instance vanished: another client deleted it, or exo gave up on a runner that kept failing")
}

// runners returns the runners' states by id, and fails when one has failed:
// exo would try again five times, with the same end or with a run that says
// nothing of a healthy engine.
func (w *watch) runners(ctx context.Context) (map[string]runnerState, error) {
	states := make(map[string]runnerState)
	missing := ""
	for _, id := range w.inst.runners {
		state, err := w.engine.runner(ctx, id)
		if err != nil {
			return nil, err
		}
		if state.failed() {
			return nil, state.failure()
		}
		if state.tag == "" {
			missing = id
		}
		w.listed[id] = w.listed[id] || state.tag != ""
		states[id] = state
	}
	return states, w.missed(missing)
}

// missed fails when a runner that was there has been gone for long, while its
// instance stays.
func (w *watch) missed(runner string) error {
	switch gone := w.engine.config.pace.gone; {
	case runner == "" || !w.listed[runner]:
		w.lost = time.Time{}
	case w.lost.IsZero():
		w.lost = time.Now()
	case time.Since(w.lost) > gone:
		return fmt.Errorf("its runner %s has been gone for %v, and its instance stays", runner, gone)
	}
	return nil
}

// lookSlowly looks at what is large or changes seldom.
func (w *watch) lookSlowly(ctx context.Context) error {
	if err := w.nodes(ctx); err != nil {
		return err
	}
	if w.here {
		return nil
	}
	return w.downloads(ctx)
}

// nodes fails when a node of the instance has left. The topology tells: exo
// keeps the identities of nodes that are gone.
func (w *watch) nodes(ctx context.Context) error {
	var topology struct {
		Nodes []string `json:"nodes"`
	}
	if err := w.engine.api.Get(ctx, "/state/topology", &topology); err != nil && !api.Missing(err) {
		return err
	}
	for _, node := range w.inst.nodes {
		if len(topology.Nodes) > 0 && !slices.Contains(topology.Nodes, node) {
			return fmt.Errorf("node %s left the cluster", w.engine.nodeName(node))
		}
	}
	return nil
}

// downloads fails on the first failed one: exo leaves its runner idle forever.
func (w *watch) downloads(ctx context.Context) error {
	var sum downloads
	for _, node := range w.inst.nodes {
		state, err := w.engine.download(ctx, node, w.inst.model)
		if err != nil {
			return err
		}
		if state.failed() && !w.excused(node, state) {
			w.say.stage = exobench.StageDownload
			return fmt.Errorf("the download failed on node %s: %s", w.engine.nodeName(node), api.Line(state.message))
		}
		if !state.failed() {
			delete(w.stale, node)
		}
		sum.add(state)
	}
	w.fetched = sum
	w.here = sum.complete == len(w.inst.nodes)
	// A model whose files were there all along has no download stage.
	if sum.ongoing > 0 || w.fetches {
		w.fetches = true
		w.say.event(sum.event())
	}
	return nil
}

// fetchedAll closes the download stage: exo loads only where all files are
// there. One more look gives the final count, which a glance a second misses.
func (w *watch) fetchedAll(ctx context.Context) error {
	if w.fetches {
		if err := w.downloads(ctx); err != nil {
			return err
		}
	}
	w.here = true
	return nil
}

// excused reports whether a failure is one from before our time that exo has
// yet to try again.
func (w *watch) excused(node string, state download) bool {
	message, known := w.stale[node]
	if !known || message != state.message || time.Since(w.began) > w.engine.config.pace.staleFail {
		return false
	}
	if !w.excuses {
		w.excuses = true
		w.say.event(exobench.StageEvent{
			Stage:  exobench.StagePlace,
			Detail: "an earlier download failed; exo tries again within a minute: " + api.Line(message),
		})
	}
	return true
}

// note takes down whether anything moved.
func (w *watch) note(states map[string]runnerState) {
	trace := fmt.Sprint(w.fetched.complete, w.fetched.done)
	for _, id := range w.inst.runners {
		trace += fmt.Sprint(" ", states[id].tag, states[id].Layers)
	}
	if trace != w.trace {
		w.trace, w.moved = trace, time.Now()
	}
}

// stalled fails when nothing has moved for too long.
func (w *watch) stalled() error {
	still := time.Since(w.moved)
	config := w.engine.config
	if w.here && still > config.pace.load {
		return fmt.Errorf("nothing has moved for %v", config.pace.load)
	}
	if !w.here && still > config.pace.download {
		w.say.stage = exobench.StageDownload
		return fmt.Errorf("no new byte for %v: %s", config.pace.download, w.fetched.progress())
	}
	return nil
}
