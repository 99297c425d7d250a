package terminal

import (
	"slices"
	"time"

	"exobench"
)

// frame is what one picture shows; it shares nothing with the state.
type frame struct {
	engine  exobench.Engine
	rows    []row
	current int

	load        exobench.LoadEvent
	phase       exobench.Phase
	concurrency int
	// share is how many requests each model has, 0 where that is unknown.
	share               int
	ended, total, wrong int
	elapsed             time.Duration
	notes               []string
	// left is how long the run takes yet; absent while there is no basis.
	left *time.Duration
	// speed is output events a second just now; absent while unknown.
	speed *float64
}

// row is one model.
type row struct {
	name            string
	status          status
	reason          string
	requests, wrong int
	// speed is the median tokens/s, latency the median in seconds.
	speed, latency *float64
}

// frame takes a picture of the state at the instant now.
func (s *state) frame(now exobench.Instant) frame {
	f := frame{
		engine: s.engine, current: s.current, load: s.load, phase: s.phase, concurrency: s.concurrency,
		share: s.share(), ended: s.ended, total: s.total, wrong: s.wrong, elapsed: time.Duration(now),
		notes: slices.Clone(s.notes),
	}
	for i := range s.models {
		m := &s.models[i]
		r := row{name: m.name, status: m.status, reason: m.reason, requests: m.requests, wrong: m.wrong}
		if v, ok := m.speed.value(); ok {
			r.speed = &v
		}
		if v, ok := m.latency.value(); ok {
			r.latency = &v
		}
		f.rows = append(f.rows, r)
	}
	if left, ok := s.left(now); ok {
		f.left = &left
	}
	return f
}

// left estimates how long the run takes yet: what remains of the model at work
// by the time that each of its requests took, and for each model to come the
// mean over the models so far, the one at work counted with what it will take
// in all. Models that failed are no basis. It returns false where there is no
// basis or nothing to do.
func (s *state) left(now exobench.Instant) (time.Duration, bool) {
	var spent, rest time.Duration
	known, ahead := 0, 0
	for i := range s.models {
		switch m := &s.models[i]; m.status {
		case waiting:
			ahead++
		case done:
			spent += m.over.Sub(m.began)
			known++
		}
	}
	if s.current >= 0 && s.models[s.current].status == working {
		m := &s.models[s.current]
		mine, ok := m.left(now, s.share())
		switch {
		case ok:
			spent += now.Sub(m.began) + mine
			known++
		case known > 0:
			mine = max(0, spent/time.Duration(known)-now.Sub(m.began))
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

// left estimates how long the model's own requests take yet.
func (m *model) left(now exobench.Instant, share int) (time.Duration, bool) {
	if share == 0 || m.requests == 0 || !m.answered.Reached() {
		return 0, false
	}
	each := m.answered.Sub(m.asked) / time.Duration(m.requests)
	return max(0, each*time.Duration(share-m.requests)-now.Sub(m.answered)), true
}
