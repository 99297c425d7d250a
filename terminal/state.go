package terminal

import (
	"exobench"
	"exobench/metric"
)

// status says how far a model is.
type status int

const (
	waiting status = iota
	working
	done
	failed
)

// state is all that a run told so far, folded.
type state struct {
	engine exobench.Engine
	models []model
	// current is the index of the model at work, -1 before the first.
	current int

	at                  exobench.Instant
	load                exobench.LoadEvent
	phase               exobench.Phase
	concurrency         int
	ended, total, wrong int
	notes               []string
}

// model is what is known of one model.
type model struct {
	name   string
	status status
	reason string
	// began is when its turn came, asked when its first request phase began,
	// answered when its latest request ended, over when its turn ended.
	began, asked, answered, over exobench.Instant
	// before is how many requests of the run had ended when its turn came.
	before int
	// requests of its own have ended, wrong of which were not OK; succeeded
	// counts the measured ones that were.
	requests, wrong, succeeded int
	lastError                  string
	speed, latency             median
}

func newState(engine exobench.Engine, names []string) state {
	s := state{engine: engine, current: -1}
	for _, name := range names {
		s.models = append(s.models, model{name: oneLine(name)})
	}
	return s
}

// apply folds in what a run tells.
func (s *state) apply(p exobench.Progress) {
	s.at = max(s.at, p.At)
	s.ended, s.total, s.wrong = p.Done, p.Total, p.Failed
	if note := oneLine(p.Note); note != "" {
		s.notes = append(s.notes, note)
	}
	if p.ModelIndex < 1 {
		return
	}
	m := s.enter(p)
	s.phase, s.concurrency = p.Phase, p.Concurrency
	s.load = exobench.LoadEvent{}
	if ofModel(p) {
		s.load = p.Load
	}
	m.requests = p.Done - m.before
	if p.Phase != "" && !m.asked.Reached() {
		m.asked = s.at
		if p.Last != nil && p.Last.Sent.Reached() {
			m.asked = p.Last.Sent
		}
	}
	if p.Last != nil {
		m.answered = s.at
		m.add(p.Last)
	}
	switch {
	case m.over.Reached():
	case s.load.Stage == exobench.StageFailed:
		m.status, m.reason, m.over = failed, oneLine(s.load.Error), s.at
	case s.load.Stage == exobench.StageRelease, s.load.Stage == exobench.StageReleased,
		s.share() > 0 && m.requests >= s.share():
		m.finish(s.at)
	}
}

// enter makes the model that p tells of the current one.
func (s *state) enter(p exobench.Progress) *model {
	for len(s.models) < max(p.Models, p.ModelIndex) {
		s.models = append(s.models, model{})
	}
	i := p.ModelIndex - 1
	m := &s.models[i]
	if name := oneLine(p.Model.Name); name != "" {
		m.name = name
	}
	if i == s.current {
		return m
	}
	if s.current >= 0 && !s.models[s.current].over.Reached() {
		s.models[s.current].finish(s.at)
	}
	s.current = i
	if m.status == waiting {
		m.status, m.began, m.before = working, s.at, p.Done
		if p.Last != nil {
			m.before-- // it is the model's own
		}
	}
	return m
}

// ofModel reports whether the load event is of the model at work and not left
// over from the one before.
func ofModel(p exobench.Progress) bool {
	return p.Load.Model == "" || p.Load.Model == p.Model.Name || p.Load.Model == p.Model.ID
}

// share is how many requests each model has; 0 where that cannot be told.
func (s *state) share() int {
	if n := len(s.models); n > 0 && s.total%n == 0 {
		return s.total / n
	}
	return 0
}

// add counts a request that ended. What enters the medians is what enters the
// results: measured requests that are OK.
func (m *model) add(r *exobench.Record) {
	if r.Outcome != exobench.OK {
		m.wrong++
		m.lastError = oneLine(string(r.Outcome) + ": " + r.Error)
		if r.Error == "" {
			m.lastError = string(r.Outcome)
		}
		return
	}
	if r.Phase != exobench.Measured {
		return
	}
	m.succeeded++
	if v, ok := speedOf(r); ok {
		m.speed.add(v)
	}
	if v, ok := latencyOf(r); ok {
		m.latency.add(v)
	}
}

// finish ends the model's turn.
func (m *model) finish(at exobench.Instant) {
	m.status, m.over = done, at
	if m.succeeded == 0 && m.wrong > 0 {
		m.status, m.reason = failed, "no request succeeded: "+m.lastError
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
