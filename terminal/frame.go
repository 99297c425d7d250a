package terminal

import (
	"slices"
	"time"

	"exobench"
)

// frame is what one picture shows; it shares nothing with the state.
type frame struct {
	engines []exobench.Engine
	rows    []row
	current int

	load        exobench.LoadEvent
	phase       exobench.Phase
	concurrency int
	// share is how many requests each row has, 0 where that is unknown.
	share               int
	ended, total, wrong int
	elapsed             time.Duration
	notes               []string
	// left is how long the run takes yet; absent while there is no basis.
	left *time.Duration
	// speed is output events a second just now; absent while unknown.
	speed *float64
}

// row is one step.
type row struct {
	engine string
	name   string
	// placement is empty where the model has no other.
	placement       string
	status          status
	reason          string
	requests, wrong int
	unanswered      bool
	// speed is the median tokens/s, latency the median in seconds.
	speed, latency *float64
}

// several reports whether rows must say on which engine they are.
func (f *frame) several() bool { return len(f.engines) > 1 }

// frame takes a picture of the state at the instant now.
func (s *state) frame(now exobench.Instant) frame {
	f := frame{
		engines: slices.Clone(s.engines), current: s.current, load: s.load, phase: s.phase, concurrency: s.concurrency,
		share: s.share, ended: s.ended, total: s.total, wrong: s.wrong, elapsed: time.Duration(now),
		notes: slices.Clone(s.notes),
	}
	for i := range s.steps {
		f.rows = append(f.rows, s.steps[i].row())
	}
	if left, ok := s.left(now); ok {
		f.left = &left
	}
	return f
}

func (t *step) row() row {
	r := row{
		engine: t.engine, name: t.name, status: t.status, reason: t.reason,
		requests: t.requests, wrong: t.wrong, unanswered: t.unanswered(),
	}
	if t.spread {
		r.placement = t.placement
	}
	if v, ok := t.speed.value(); ok {
		r.speed = &v
	}
	if v, ok := t.latency.value(); ok {
		r.latency = &v
	}
	return r
}

// unanswered reports whether requests were measured and none of them was OK.
func (t *step) unanswered() bool { return t.measured > 0 && t.succeeded == 0 }

// left estimates how long the run takes yet: what remains of the step at work
// by the time that each of its requests took, and for each step to come the
// mean over the steps so far, the one at work counted with what it will take
// in all. Steps that failed are no basis. It returns false where there is no
// basis or nothing to do, and after an interrupt.
func (s *state) left(now exobench.Instant) (time.Duration, bool) {
	var spent, rest time.Duration
	known, ahead := 0, s.count-s.number
	for i := range s.steps {
		switch t := &s.steps[i]; t.status {
		case interrupted:
			return 0, false
		case done:
			spent += t.over.Sub(t.began)
			known++
		}
	}
	if s.current >= 0 && s.steps[s.current].status == working {
		t := &s.steps[s.current]
		mine, ok := t.left(now, s.share)
		switch {
		case ok:
			spent += now.Sub(t.began) + mine
			known++
		case known > 0:
			mine = max(0, spent/time.Duration(known)-now.Sub(t.began))
		}
		rest = mine
	} else if ahead == 0 {
		return 0, false
	}
	if known == 0 {
		return 0, false
	}
	return rest + time.Duration(ahead)*(spent/time.Duration(known)), true
}

// left estimates how long the step's own requests take yet.
func (t *step) left(now exobench.Instant, share int) (time.Duration, bool) {
	if share == 0 || t.requests == 0 || !t.answered.Reached() {
		return 0, false
	}
	each := t.answered.Sub(t.asked) / time.Duration(t.requests)
	return max(0, each*time.Duration(share-t.requests)-now.Sub(t.answered)), true
}
