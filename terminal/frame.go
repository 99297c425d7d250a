package terminal

import (
	"fmt"
	"slices"
	"time"

	"exobench"
	"exobench/summary"
)

// frame is what one picture shows; it shares nothing with the state that
// changes.
type frame struct {
	engines []exobench.Engine
	rows    []row
	// current is the index of the row at work, -1 before the first.
	current int
	// part of all requests has been sent, from 0 to 1. Of requests, which have
	// ended, wrong were not OK; planned of them there are to be, or 0 where
	// nobody knows.
	part                     float64
	requests, wrong, planned int
	elapsed                  time.Duration
	// left is how long the run takes yet; nil while there is no basis.
	left    *time.Duration
	remarks []string
	failure string
	// measuring is set while requests are under way, single where no more than
	// one at once, open where there may be none.
	measuring, single, open bool
	// silent is how long ago a request ended, or the first was sent.
	silent time.Duration
	// speed is output events a second just now, nil while unknown; idle is how
	// long ago the latest came.
	speed *float64
	idle  time.Duration
	// calibrating is set while the harness measures its own error.
	calibrating bool
}

// row is one step.
type row struct {
	engine, name string
	// placement is empty where it is left to the engine.
	placement string
	state     summary.State
	// never is set where it is planned and will not run.
	never  bool
	reason string
	stage  exobench.StageEvent
	// inStage is how long the step has been in its stage.
	inStage time.Duration
	// warmingUp is set while warm-ups are under way, warmups of which ended, of
	// so many planned.
	warmingUp              bool
	warmups, warmupsWanted int
	cells                  []cellRow
	// measuring is the index of the cell at work, -1 where none is.
	measuring int
}

// cellRow is one cell of a step.
type cellRow struct {
	traffic                  exobench.Traffic
	state                    summary.State
	requests, wrong, planned int
	// left is how long requests are still sent; nil where there is no such
	// bound.
	left *time.Duration
	peek summary.Peek
}

// several reports whether rows must say on which engine they are.
func (f *frame) several() bool { return len(f.engines) > 1 }

// frame takes a picture of the state at the instant now.
func (s *state) frame(now exobench.Instant) frame {
	f := frame{
		engines: s.header.Engines, current: -1, elapsed: time.Duration(now),
		remarks: slices.Clone(s.remarks), failure: s.failure,
		measuring: s.block.ID != 0, silent: now.Sub(s.answered),
		calibrating: s.header.Plan.Calibrate && s.current == nil && !s.over,
	}
	f.single = s.block.Warmup()
	if c := s.cellOf(s.block); c != nil {
		f.single, f.open = c.Traffic.Concurrency == 1, c.Traffic.Open()
	}
	for i, t := range s.steps {
		f.rows = append(f.rows, s.row(t, now))
		if t == s.current {
			f.current = i
		}
	}
	s.sumUp(&f, now)
	if left, ok := s.left(now); ok {
		f.left = &left
	}
	return f
}

func (s *state) row(t *step, now exobench.Instant) row {
	r := row{
		engine: t.Engine, name: s.nameOf(t), placement: oneLine(t.Placement),
		state: t.state, never: s.over && t.state == summary.Planned, reason: t.reason,
		stage: t.stage, inStage: now.Sub(max(t.began, t.reached)),
		warmups: t.warmups, warmupsWanted: s.header.Plan.Warmups(),
		warmingUp: s.block.Step == t.ID && s.block.Warmup(), measuring: -1,
	}
	for i, c := range s.cellsOf(t) {
		r.cells = append(r.cells, s.cellRow(c, now))
		if s.block.Step == t.ID && s.block.Cell == c.ID {
			r.measuring = i
		}
	}
	return r
}

// nameOf names the model of a step, with which load of it that is where there are
// several.
func (s *state) nameOf(t *step) string {
	name := oneLine(t.Model.Name)
	if n := s.header.Plan.LoadCount(); n > 1 {
		name += fmt.Sprintf(" %d/%d", t.load(), n)
	}
	return name
}

func (s *state) cellRow(c *cell, now exobench.Instant) cellRow {
	r := cellRow{
		traffic: c.Traffic, state: c.state,
		requests: c.requests, wrong: c.wrong, planned: s.planned(c), peek: s.peek(c, now),
	}
	if c.state == summary.Measuring && c.Stop.Duration > 0 {
		r.left = new(max(0, time.Duration(c.Stop.Duration)-c.spent-now.Sub(c.began)))
	}
	return r
}

// sumUp counts the requests of all cells. Those that a failed step will never
// send are planned no more; those that somebody cut short are.
func (s *state) sumUp(f *frame, now exobench.Instant) {
	settled := map[*cell]bool{}
	for _, t := range s.steps {
		if t.state.Ended() && t.state != summary.Interrupted {
			for _, c := range s.cellsOf(t) {
				settled[c] = true
			}
		}
	}
	known := true
	for _, c := range s.cells {
		f.requests += c.requests
		f.wrong += c.wrong
		planned := s.planned(c)
		known = known && (planned > 0 || settled[c])
		if settled[c] || c.state == summary.Done {
			f.planned += c.requests
			f.part += 1 / float64(len(s.cells))
			continue
		}
		f.planned += planned
		f.part += s.part(c, now) / float64(len(s.cells))
	}
	if !known {
		f.planned = 0
	}
}

// part returns how much of a cell has been sent, from 0 to 1.
func (s *state) part(c *cell, now exobench.Instant) float64 {
	part := 0.0
	if planned := s.planned(c); planned > 0 {
		part = float64(c.requests) / float64(planned)
	}
	if c.Stop.Duration > 0 {
		spent := c.spent
		if c.state == summary.Measuring {
			spent += now.Sub(c.began)
		}
		part = max(part, spent.Seconds()/time.Duration(c.Stop.Duration).Seconds())
	}
	return min(1, part)
}
