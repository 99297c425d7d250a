package terminal

import (
	"fmt"
	"time"

	"exobench"
)

// Progress is worth a line after so much of the whole, though not more often
// than once in shortPause, or after longPause.
const (
	worthPercent = 10
	shortPause   = time.Second
	longPause    = 10 * time.Second
)

// narrator decides which news are worth a line in a log, and words them. It
// remembers what it told.
type narrator struct {
	// number is that of the step told of last; 0 before the first.
	number              int
	ready, warm, ending bool
	// loading is when its weights were first said to be read.
	loading exobench.Instant
	told    told
}

// told is the last progress that was told.
type told struct {
	of      string
	percent int
	at      exobench.Instant
}

// tell returns the lines that p is worth, s being the state with p applied.
func (n *narrator) tell(s *state, p exobench.Progress) []string {
	var lines []string
	if note := noteOf(s, p); note != "" {
		lines = append(lines, "note: "+note)
	}
	if p.Step < 1 {
		return lines
	}
	t := &s.steps[s.current]
	if p.Step != n.number {
		lines = append(lines, n.end(s)...)
		*n = narrator{number: p.Step, told: told{at: s.at}}
		what := "model"
		if s.several() || t.placement != "" {
			what = "step"
		}
		lines = append(lines, fmt.Sprintf("%s: %s %d of %d", s.label(t), what, p.Step, s.count))
	}
	if line := n.progress(s, t, p); line != "" {
		lines = append(lines, s.label(t)+": "+line)
	}
	if t.over.Reached() {
		lines = append(lines, n.end(s)...)
	}
	return lines
}

// end tells how the turn of the step told of last ended, once.
func (n *narrator) end(s *state) []string {
	if n.number == 0 || n.ending {
		return nil
	}
	n.ending = true
	for i := range s.steps {
		if t := &s.steps[i]; t.number == n.number {
			return []string{s.label(t) + ": " + ending(t, s.share)}
		}
	}
	return nil
}

// progress words what happens in the step at work; "" if that is nothing new.
func (n *narrator) progress(s *state, t *step, p exobench.Progress) string {
	switch {
	case t.over.Reached():
		return ""
	case p.Phase == exobench.Warmup:
		n.warm = true
		return ""
	case p.Phase == exobench.Measured && n.warm:
		n.warm = false
		return "warm-up done"
	case p.Last != nil && p.Phase == exobench.Measured:
		if s.share > 0 && n.due("requests", percent(t.requests, s.share), s.at) {
			return fmt.Sprintf("%d/%d requests", t.requests, s.share) + medians(t)
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
		return fmt.Sprintf("ready after %.1f s", s.at.Sub(t.began).Seconds())
	}
	return ""
}

// due reports whether progress in something is worth a line.
func (n *narrator) due(of string, percent int, at exobench.Instant) bool {
	if of != n.told.of {
		n.told.of, n.told.percent = of, 0
	}
	since := at.Sub(n.told.at)
	if percent/worthPercent == n.told.percent/worthPercent && since < longPause || since < shortPause {
		return false
	}
	n.told = told{of: of, percent: percent, at: at}
	return true
}

// label names a step in a line of its own.
func (s *state) label(t *step) string {
	name := t.name
	if s.several() {
		name = oneLine(t.engine) + " " + name
	}
	if t.spread {
		name += " · " + t.placement
	}
	return name
}

// ending words how a step's turn ended.
func ending(t *step, share int) string {
	requests := count(t.requests, "request")
	if t.wrong > 0 {
		requests += fmt.Sprintf(", %d failed", t.wrong)
	}
	switch t.status {
	case failed:
		return "failed: " + t.reason
	case done:
		return "done, " + requests + medians(t)
	}
	if t.requests == 0 {
		return "interrupted"
	}
	if share > 0 {
		return fmt.Sprintf("interrupted after %d of ", t.requests) + count(share, "request") + medians(t)
	}
	return "interrupted after " + requests + medians(t)
}

// medians are those of a step so far; it says where there is nothing to take
// them of.
func medians(t *step) string {
	if t.unanswered() {
		return ", none OK"
	}
	words := ""
	if v, ok := t.speed.value(); ok {
		words += fmt.Sprintf(", median %.1f tok/s", v)
	}
	if v, ok := t.latency.value(); ok {
		words += ", median latency " + seconds(v)
	}
	return words
}
