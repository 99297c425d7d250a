package terminal

import (
	"fmt"
	"time"

	"exobench"
	"exobench/summary"
)

// Progress is worth a line after so much of the whole, though not more often
// than once in shortPause, or after longPause.
const (
	worthPercent = 10
	shortPause   = time.Second
	longPause    = 10 * time.Second
)

// narrator decides which news are worth a line in a log, and words them. It
// remembers what it said.
type narrator struct {
	// step is the id of the one that it speaks of; 0 before the first.
	step int
	// placed is when a place for the step's model was first sought for its load,
	// loading when its weights were first said to be read; ready is set when it
	// was said that they are, concluded when its end was.
	placed, loading exobench.Instant
	// fetching is when the latest event said that files are fetched, 0 where it
	// said something else; fetched is how long that took since placed.
	fetching         exobench.Instant
	fetched          time.Duration
	ready, concluded bool
	// waiting is the last that was said of what the placement waits for.
	waiting string
	// Of the last progress: what it was of, how far, and when.
	of      string
	percent int
	at      exobench.Instant
}

// narrate returns the lines that an entry is worth, s being the state with it
// taken in.
func (n *narrator) narrate(s *state, entry exobench.Entry) []string {
	var lines []string
	if s.current != nil && s.current.ID != n.step {
		lines = append(n.conclude(s), n.enter(s))
	}
	line := ""
	switch e := entry.(type) {
	case *exobench.Header:
		line = title(e.Engines)
	case *exobench.Note:
		line = s.remarks[len(s.remarks)-1]
	case *exobench.StageEvent:
		line = n.stage(s, e)
	case *exobench.Record:
		line = n.request(s, e)
	case *exobench.BlockEnd:
		line = n.blockEnd(s, e)
	case *exobench.StepEnd:
		return append(lines, n.conclude(s)...)
	case *exobench.End:
		lines = append(lines, n.conclude(s)...)
		if s.failure != "" {
			line = "the run failed: " + s.failure
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// enter says that a step begins.
func (n *narrator) enter(s *state) string {
	t := s.current
	*n = narrator{step: t.ID, at: s.at}
	begun := 0
	for _, other := range s.steps {
		if other.state.Begun() {
			begun++
		}
	}
	what := "model"
	if len(s.header.Engines) > 1 || t.Placement != "" || s.header.Plan.LoadCount() > 1 {
		what = "step"
	}
	return fmt.Sprintf("%s: %s %d of %d", s.label(t), what, begun, len(s.steps))
}

// conclude says, once, how a step ended of which its cells do not tell.
func (n *narrator) conclude(s *state) []string {
	t := s.step(n.step)
	if t == nil || n.concluded {
		return nil
	}
	n.concluded = true
	r := s.row(t, s.at)
	switch t.state {
	case summary.Failed:
		return []string{s.label(t) + ": failed: " + r.failure().text}
	case summary.Interrupted:
		for _, c := range s.cellsOf(t) {
			if c.state == summary.Interrupted {
				return []string{s.labelOf(t, c) + ": " + s.ending(c)}
			}
		}
		return []string{s.label(t) + ": interrupted"}
	}
	return nil
}

// stage words what an event of the step says; "" if that is nothing new.
func (n *narrator) stage(s *state, e *exobench.StageEvent) string {
	t := s.step(e.Step)
	if t == nil {
		return ""
	}
	words := inStage(*e, e.At.Sub(t.reached))
	n.time(e)
	switch e.Stage {
	case exobench.StagePlace:
		// What the engine waits for is worth a line when it changes.
		if e.Detail == n.waiting && !n.due("place", 0, e.At) {
			return ""
		}
		n.waiting, n.at = e.Detail, e.At
	case exobench.StageDownload:
		if !n.due("download", percent(e.Downloaded, e.DownloadTotal), e.At) {
			return ""
		}
	case exobench.StageLoad:
		if !n.due("load", 0, e.At) {
			return ""
		}
	case exobench.StageReady:
		if n.ready {
			return ""
		}
		n.ready = true
		words = n.loaded(t, e.At)
	default:
		return ""
	}
	return s.label(t) + ": " + words
}

// time takes in what the parts of a load go by.
func (n *narrator) time(e *exobench.StageEvent) {
	fetching := e.Stage == exobench.StageDownload
	switch {
	case e.Stage == exobench.StageResolve:
		n.placed, n.fetched = 0, 0 // what came before cleared the way for the load
	case e.Stage == exobench.StagePlace && !n.placed.Reached():
		n.placed = e.At
	case e.Stage == exobench.StageLoad && !n.loading.Reached():
		n.loading = e.At
	}
	if n.fetching.Reached() && n.placed.Reached() {
		n.fetched += e.At.Sub(n.fetching)
	}
	if n.fetching = 0; fetching {
		n.fetching = e.At
	}
}

// loaded says how long a load took that ended at an instant, as reports do, and
// how much of that was for the weights.
func (n *narrator) loaded(t *step, at exobench.Instant) string {
	since := n.placed
	if !since.Reached() {
		since = t.began
	}
	all := at.Sub(since) - n.fetched
	if !n.loading.Reached() {
		return "ready after " + tenths(all)
	}
	total, weights := tenths(all), tenths(at.Sub(n.loading))
	if total == weights {
		return "loaded in " + total
	}
	return fmt.Sprintf("loaded in %s, %s of it for weights and warm-up", total, weights)
}

func tenths(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// request says how many requests of a cell have ended, now and then.
func (n *narrator) request(s *state, r *exobench.Record) string {
	b := s.blocks[r.Block]
	t, c := s.step(b.Step), s.cellOf(b)
	if t == nil || c == nil {
		return ""
	}
	planned := s.planned(c)
	if planned == c.requests || !n.due(fmt.Sprint("requests of ", c.ID), percent(c.requests, planned), s.at) {
		return ""
	}
	row := s.cellRow(c, s.at)
	return s.labelOf(t, c) + ": " + requestsOf(row.progress(), planned) + medians(&row)
}

// requestsOf says what the numbers of a progress count.
func requestsOf(progress string, planned int) string {
	if planned == 0 {
		return progress
	}
	return progress + " requests"
}

// blockEnd says how a cell went, and that the warm-ups are over.
func (n *narrator) blockEnd(s *state, e *exobench.BlockEnd) string {
	b := s.blocks[e.Block]
	t := s.step(b.Step)
	switch c := s.cellOf(b); {
	case t == nil:
		return ""
	case b.Warmup() && e.Reason == exobench.BlockDone:
		return s.label(t) + ": warm-up done"
	case c == nil || c.state == summary.Interrupted:
		return "" // the end of the step tells
	default:
		return s.labelOf(t, c) + ": " + s.ending(c)
	}
}

// due reports whether progress in something is worth a line.
func (n *narrator) due(of string, percent int, at exobench.Instant) bool {
	if of != n.of {
		n.of, n.percent = of, 0
	}
	since := at.Sub(n.at)
	if percent/worthPercent == n.percent/worthPercent && since < longPause || since < shortPause {
		return false
	}
	n.percent, n.at = percent, at
	return true
}

// label names a step in a line of its own.
func (s *state) label(t *step) string {
	name := oneLine(t.Model.Name)
	if len(s.header.Engines) > 1 {
		name = oneLine(t.Engine) + " " + name
	}
	if t.Placement != "" {
		name += " · " + oneLine(t.Placement)
	}
	if n := s.header.Plan.LoadCount(); n > 1 {
		name += fmt.Sprintf(" · load %d/%d", t.load(), n)
	}
	return name
}

// labelOf names a cell of a step, with its traffic where the step has several.
func (s *state) labelOf(t *step, c *cell) string {
	if len(s.cellsOf(t)) < 2 && !c.Traffic.Open() {
		return s.label(t)
	}
	return s.label(t) + " " + trafficOf(c.Traffic)
}

// ending words how a cell ended.
func (s *state) ending(c *cell) string {
	row := s.cellRow(c, s.at)
	requests := count(c.requests, "request")
	if c.wrong > 0 {
		requests += fmt.Sprintf(", %d failed", c.wrong)
	}
	switch {
	case c.state == summary.Failed:
		return "failed after " + requests + medians(&row)
	case c.state != summary.Interrupted:
		return "done, " + requests + medians(&row)
	case c.requests == 0:
		return "interrupted"
	case row.planned > 0:
		return fmt.Sprintf("interrupted after %d of ", c.requests) + count(row.planned, "request") + medians(&row)
	}
	return "interrupted after " + requests + medians(&row)
}

// medians are those of a cell so far; it says where there is nothing to take
// them of, and why.
func medians(c *cellRow) string {
	if c.requests > 0 && c.wrong == c.requests {
		return ", none OK: " + lastError([]cellRow{*c})
	}
	words := ""
	if v := c.peek.TokenRate; v != nil {
		words += fmt.Sprintf(", median %.1f tok/s", *v)
	}
	if v := c.peek.Latency; v != nil {
		words += ", median latency " + seconds(*v)
	}
	return words
}
