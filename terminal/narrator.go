package terminal

import (
	"fmt"
	"time"

	"exobench"
)

// A step of progress is worth a line after so much of the whole, though not
// more often than once in shortStep, or after longStep.
const (
	stepPercent = 10
	shortStep   = time.Second
	longStep    = 10 * time.Second
)

// narrator decides which news are worth a line in a log, and words them. It
// remembers what it told.
type narrator struct {
	// model is the number of the model told of last; 0 before the first.
	model               int
	ready, warm, ending bool
	// loading is when its weights were first said to be read.
	loading exobench.Instant
	step    step
}

// step is the last progress that was told.
type step struct {
	of      string
	percent int
	at      exobench.Instant
}

// tell returns the lines that p is worth, s being the state with p applied.
func (n *narrator) tell(s *state, p exobench.Progress) []string {
	var lines []string
	if note := oneLine(p.Note); note != "" {
		lines = append(lines, "note: "+note)
	}
	if p.ModelIndex < 1 {
		return lines
	}
	if p.ModelIndex != n.model {
		if n.model > 0 && !n.ending {
			lines = append(lines, ending(&s.models[n.model-1]))
		}
		*n = narrator{model: p.ModelIndex, step: step{at: s.at}}
		lines = append(lines, fmt.Sprintf("%s: model %d of %d", s.models[s.current].name, p.ModelIndex, len(s.models)))
	}
	m := &s.models[s.current]
	if line := n.progress(s, m, p); line != "" {
		lines = append(lines, m.name+": "+line)
	}
	if m.over.Reached() && !n.ending {
		n.ending = true
		lines = append(lines, ending(m))
	}
	return lines
}

// progress words a step in the life of the model at work; "" if there is none.
func (n *narrator) progress(s *state, m *model, p exobench.Progress) string {
	switch {
	case m.over.Reached():
		return ""
	case p.Phase == exobench.Warmup:
		n.warm = true
		return ""
	case p.Phase == exobench.Measured && n.warm:
		n.warm = false
		return "warm-up done"
	case p.Last != nil && p.Phase == exobench.Measured:
		if share := s.share(); share > 0 && n.due("requests", percent(m.requests, share), s.at) {
			return fmt.Sprintf("%d/%d requests", m.requests, share) + medians(m)
		}
	case s.load.Stage == exobench.StageDownload:
		if n.due("download", percent(s.load.Downloaded, s.load.DownloadTotal), s.at) {
			return activity(s.load, p.Phase, p.Concurrency)
		}
	case s.load.Stage == exobench.StageLoad:
		if !n.loading.Reached() {
			n.loading = s.at
		}
		if n.due("load", 0, s.at) {
			return activity(s.load, p.Phase, p.Concurrency)
		}
	case s.load.Stage == exobench.StageReady && !n.ready:
		n.ready = true
		if n.loading.Reached() {
			return fmt.Sprintf("loaded in %.1f s", s.at.Sub(n.loading).Seconds())
		}
		return fmt.Sprintf("ready after %.1f s", s.at.Sub(m.began).Seconds())
	}
	return ""
}

// due reports whether progress in something is worth a line.
func (n *narrator) due(of string, percent int, at exobench.Instant) bool {
	if of != n.step.of {
		n.step.of, n.step.percent = of, 0
	}
	since := at.Sub(n.step.at)
	if percent/stepPercent == n.step.percent/stepPercent && since < longStep || since < shortStep {
		return false
	}
	n.step = step{of: of, percent: percent, at: at}
	return true
}

// ending words how a model's turn ended.
func ending(m *model) string {
	if m.status == failed {
		return m.name + ": failed: " + m.reason
	}
	line := m.name + ": done, " + count(m.requests, "request")
	if m.wrong > 0 {
		line += fmt.Sprintf(", %d failed", m.wrong)
	}
	return line + medians(m)
}

func medians(m *model) string {
	words := ""
	if v, ok := m.speed.value(); ok {
		words += fmt.Sprintf(", median %.1f tok/s", v)
	}
	if v, ok := m.latency.value(); ok {
		words += ", median latency " + seconds(v)
	}
	return words
}
