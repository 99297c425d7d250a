package terminal

import (
	"fmt"
	"slices"

	"exobench"
	"exobench/metric"
)

// status says how far a step is.
type status int

const (
	waiting status = iota
	working
	done
	failed
	interrupted
)

// state is all that a run told so far, folded.
type state struct {
	engines []exobench.Engine
	// steps are those known in advance and those that the run told of, in the
	// order of the run.
	steps []step
	// current is the index of the step at work, -1 before the first.
	current int

	at          exobench.Instant
	load        exobench.LoadEvent
	phase       exobench.Phase
	concurrency int
	// number of count steps is at work.
	number, count int
	// share is how many requests each step has, 0 where that is unknown.
	share int
	// ended of total requests of the run; wrong of them were not OK, without
	// those that an interrupt canceled.
	ended, total, wrong, canceled int
	notes                         []string
}

// step is what is known of one model on one engine in one placement.
type step struct {
	// number is the run's, 0 before its turn.
	number int
	engine string
	name   string
	// placement is the one that is wanted, spread whether there are others.
	placement string
	spread    bool
	status    status
	reason    string
	// began is when its turn came, asked when its first request phase began,
	// answered when its latest request ended, over when its turn ended.
	began, asked, answered, over exobench.Instant
	// requests have ended by themselves, wrong of which were not OK; measured is
	// how many of them count, succeeded how many of those were OK. Those cut
	// short by an interrupt are canceled, and none of these.
	requests, wrong, measured, succeeded, canceled int
	lastError                                      string
	speed, latency                                 median
}

func newState(engines []exobench.Engine) state {
	s := state{engines: slices.Clone(engines), current: -1}
	for _, e := range engines {
		for _, m := range e.Models {
			s.steps = append(s.steps, step{engine: e.Name, name: oneLine(m.Name)})
		}
	}
	return s
}

// several reports whether what is shown must say on which engine it happened.
func (s *state) several() bool { return len(s.engines) > 1 }

// apply folds in what a run tells.
func (s *state) apply(p exobench.Progress) {
	s.at = max(s.at, p.At)
	s.ended, s.total = p.Done, p.Total
	s.number, s.count, s.share = p.Step, max(p.Steps, p.Step), p.StepTotal
	if note := noteOf(s, p); note != "" {
		s.notes = append(s.notes, note)
	}
	if p.Step < 1 {
		return
	}
	t := s.enter(p)
	s.phase, s.concurrency = p.Phase, p.Concurrency
	s.load = exobench.LoadEvent{}
	if ofStep(p) {
		s.load = p.Load
	}
	if p.Phase != "" && !t.asked.Reached() {
		t.asked = s.at
		if p.Last != nil && p.Last.Sent.Reached() {
			t.asked = p.Last.Sent
		}
	}
	if p.Last != nil {
		t.answered = s.at
		t.add(p.Last)
		if p.Last.Outcome == exobench.Canceled {
			s.canceled++
		}
	}
	s.wrong = max(0, p.Failed-s.canceled)
	switch {
	case t.over.Reached():
	case s.load.Stage == exobench.StageFailed:
		t.fail(s.at, oneLine(s.load.Error))
	case s.load.Stage == exobench.StageRelease, s.load.Stage == exobench.StageReleased,
		s.share > 0 && p.Done >= p.Step*s.share:
		t.finish(s.at, s.share)
	}
}

// enter makes the step that p tells of the current one.
func (s *state) enter(p exobench.Progress) *step {
	if s.current >= 0 && s.steps[s.current].number == p.Step {
		return &s.steps[s.current]
	}
	if s.current >= 0 && !s.steps[s.current].over.Reached() {
		s.steps[s.current].finish(s.at, s.share)
	}
	s.current = s.place(p)
	t := &s.steps[s.current]
	if t.status == waiting {
		t.status, t.began = working, s.at
	}
	return t
}

// place returns where the step that p tells of stands. One that was not known
// in advance, such as a further placement of a model, comes after the one
// before it.
func (s *state) place(p exobench.Progress) int {
	if i := slices.IndexFunc(s.steps, func(t step) bool { return t.number == p.Step }); i >= 0 {
		return i
	}
	name := oneLine(p.Model.Name)
	i := slices.IndexFunc(s.steps, func(t step) bool {
		return t.number == 0 && t.engine == p.Engine && t.name == name
	})
	if i < 0 {
		i = s.current + 1
		s.steps = slices.Insert(s.steps, i, step{engine: p.Engine, name: name})
		s.know(p.Engine)
	}
	t := &s.steps[i]
	t.number, t.placement = p.Step, oneLine(p.Model.Placement)
	if t.placement == "" {
		return i
	}
	// More steps are to come than those that are known: placements of this
	// model, as the run counts those of the others when their turn comes.
	t.spread = s.count-p.Step > len(s.steps)-1-i
	for j := i - 1; j >= 0 && s.steps[j].engine == t.engine && s.steps[j].name == t.name; j-- {
		s.steps[j].spread, t.spread = true, true
	}
	return i
}

// know adds an engine that was not known in advance.
func (s *state) know(name string) {
	known := slices.ContainsFunc(s.engines, func(e exobench.Engine) bool { return e.Name == name })
	if name != "" && !known {
		s.engines = append(s.engines, exobench.Engine{Name: name})
	}
}

// stop ends the turn of the step at work, if there is one: nothing more will be
// told of it.
func (s *state) stop() {
	if s.current >= 0 && !s.steps[s.current].over.Reached() {
		s.steps[s.current].status, s.steps[s.current].over = interrupted, s.at
	}
}

// ofStep reports whether the load event is of the step at work and not left
// over from the one before.
func ofStep(p exobench.Progress) bool {
	return (p.Load.Model == "" || p.Load.Model == p.Model.Name || p.Load.Model == p.Model.ID) &&
		(p.Load.Engine == "" || p.Load.Engine == p.Engine)
}

// add counts a request that ended. What enters the medians is what enters the
// results: measured requests that are OK.
func (t *step) add(r *exobench.Record) {
	if r.Outcome == exobench.Canceled {
		t.canceled++
		return
	}
	t.requests++
	if r.Phase == exobench.Measured {
		t.measured++
	}
	if r.Outcome != exobench.OK {
		t.wrong++
		t.lastError = oneLine(string(r.Outcome) + ": " + r.Error)
		if r.Error == "" {
			t.lastError = string(r.Outcome)
		}
		return
	}
	if r.Phase != exobench.Measured {
		return
	}
	t.succeeded++
	if v, ok := speedOf(r); ok {
		t.speed.add(v)
	}
	if v, ok := latencyOf(r); ok {
		t.latency.add(v)
	}
}

// finish ends the step's turn. It is done only if it had its share of requests.
func (t *step) finish(at exobench.Instant, share int) {
	t.status, t.over = done, at
	switch {
	case t.canceled > 0 || t.requests < share:
		t.status = interrupted
	case t.succeeded == 0 && t.wrong > 0:
		t.status, t.reason = failed, "no request succeeded: "+t.lastError
	}
}

// fail ends the step's turn as its model cannot be measured, or no more.
func (t *step) fail(at exobench.Instant, reason string) {
	t.status, t.reason, t.over = failed, reason, at
	if t.requests > 0 {
		t.reason = fmt.Sprintf("after %s: %s", count(t.requests, "request"), reason)
	}
}

var (
	speedOf   = valueOf(metric.TokenRate)
	latencyOf = valueOf(metric.Latency)
)

func valueOf(name string) func(*exobench.Record) (float64, bool) {
	m, ok := metric.ByName(name)
	if !ok || m.Value == nil {
		panic("no metric of a request is named " + name)
	}
	return m.Value
}
