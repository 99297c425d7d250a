package exo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"exobench"
	"exobench/driver/api"
)

// watched is the instance that is measured, and when its runners did not serve.
type watched struct {
	mu   sync.Mutex
	inst instance // without an id where none is watched
	// others are the states of the runners of other instances at the last look.
	others map[string]string
	looks  int
	last   exobench.Instant // of the last look
	// outages are in order; the last may go on.
	outages []outage
	lives   lives
}

// outage is a time in which a runner was seen not to serve: from the first such
// look to the last.
type outage struct {
	from, to exobench.Instant
	what     string
	over     bool
}

// begin begins the watch over an instance. made is set where it was made by us, so
// that what exo has started since is its.
func (w *watched) begin(inst instance, made bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inst, w.others, w.looks, w.last, w.outages, w.lives = inst, nil, 0, 0, nil, lives{}
	if made && inst.id != "" {
		w.lives.most = len(inst.runners) + 1
	}
}

func (w *watched) instance() instance {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.inst
}

// judge marks a request during which a runner did not serve: its times hold the
// wait for it. Looks are a second apart, so the processes are looked at once more;
// lost is set where that shows that one has ended.
func (w *watched) judge(r *exobench.Record, started func(pid int) (uint64, bool)) (lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if lost = w.checkLives(r.Ended, started); w.lives.ended {
		w.outages[len(w.outages)-1].to = r.Ended
	}
	for _, o := range w.outages {
		if !r.Sent.Reached() || o.from > r.Ended || o.to < r.Sent {
			continue
		}
		if r.Outcome == exobench.OK {
			r.Outcome = exobench.Restarted
		}
		r.Error = strings.TrimPrefix(r.Error+"; "+o.what+" while it was under way", "; ")
		break
	}
	return lost
}

// saw takes in the state of the runners at an instant. down says what is wrong
// with them; it is empty where they serve.
func (w *watched) saw(at exobench.Instant, down string) (began bool) {
	open := len(w.outages) > 0 && !w.outages[len(w.outages)-1].over
	switch {
	case down != "" && open:
		w.outages[len(w.outages)-1].to = at
	case down != "":
		w.outages = append(w.outages, outage{from: at, to: at, what: down})
	case open:
		w.outages[len(w.outages)-1].over = true
	}
	return down != "" && !open
}

// runnersSensor looks at the runners of the instance that is measured, and at
// what else exo does, once a second. It has no samples: what it sees goes to the
// requests that were under way, and to the notes.
//
// Note: a look makes exo write its whole state out once, some milliseconds of its
// API's process. The sensor of the nodes, which would otherwise ask for power that
// exo on Linux never has, gives up as much.
type runnersSensor struct{ engine *Engine }

// Name returns "runners".
func (runnersSensor) Name() string { return "runners" }

// Every returns one second. exo takes longer than that to notice that a runner
// has died and to start it again.
func (runnersSensor) Every() time.Duration { return time.Second }

// instancesEvery is how many looks at runners there are to one at instances.
const instancesEvery = 10

// Read takes one look and returns no samples.
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
	if seen.foreign != "" {
		e.observe("exo worked for somebody else while this was measured (%s)", seen.foreign)
	}
	if moment == exobench.Loaded && busy(now.runners, states) {
		e.observe("somebody else sends requests to the instance that is measured: it was at work when nothing had been asked of it")
	}
	if moment != exobench.During || seen.looks%instancesEvery == 0 || seen.foreign != "" || now.id == "" {
		return nil, e.observeInstances(ctx, inst)
	}
	return nil, nil
}

// sight is what one look shows.
type sight struct {
	// outage says what is wrong, of the first look at which it is.
	outage string
	// foreign says what runners of other instances did since the look before.
	foreign string
	looks   int // with this one
}

// take takes in a look: the instance as it is now, without an id where it is
// gone, and the states of all runners.
func (w *watched) take(at exobench.Instant, now instance, states map[string]tagged) sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	down, exchanged := unfit(now.runners, states), !slices.Equal(now.runners, w.inst.runners)
	if down == "" && w.lives.ended {
		down = endedText
	}
	began := false
	switch {
	case now.id == "":
		began = w.saw(at, "exo no longer had the instance")
	case exchanged && w.last.Reached(): // between two looks
		w.outages = append(w.outages, outage{from: w.last, to: at, what: "the instance got other runners", over: down == ""})
		began = true
	default:
		began = w.saw(at, down)
	}
	if now.id != "" {
		w.inst = now
	}
	w.last = at
	w.looks++
	s := sight{foreign: w.foreign(states), looks: w.looks}
	if began {
		s.outage = w.outages[len(w.outages)-1].what
	}
	return s
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

// unfit says which runner does not serve; empty where all do. A state that no exo
// has had so far is taken for one that does.
func unfit(runners []string, states map[string]tagged) string {
	for _, id := range runners {
		switch tag := states[id].tag; {
		case tag == "":
			return "runner " + id + " was gone"
		case tag == "RunnerFailed" || tag == "RunnerShuttingDown" || tag == "RunnerShutdown",
			slices.Contains(runnerOrder[1:stepReady], tag):
			return "runner " + id + " was " + tag
		}
	}
	return ""
}

func busy(runners []string, states map[string]tagged) bool {
	return slices.ContainsFunc(runners, func(id string) bool { return states[id].tag == "RunnerRunning" })
}

// foreign says what runners of other instances have done since the last look;
// empty where that is nothing. That one stands there says nothing: exo keeps the
// entries of runners that are gone.
func (w *watched) foreign(states map[string]tagged) string {
	others, active := map[string]string{}, ""
	for id, state := range states {
		if slices.Contains(w.inst.runners, id) {
			continue
		}
		others[id] = state.tag
		before, known := w.others[id]
		if w.others != nil && (!known || before != state.tag) && state.tag != "RunnerShuttingDown" && state.tag != "RunnerShutdown" {
			active = "runner " + id + " of another instance was " + state.tag
		}
	}
	w.others = others
	return active
}
