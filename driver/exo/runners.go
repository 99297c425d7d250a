package exo

import (
	"slices"
	"strings"
	"sync"
	"time"

	"exobench"
)

// watched is the instance that is measured, and when its runners did not serve.
type watched struct {
	mu   sync.Mutex
	inst instance // without an id where none is watched
	// others are the states of the runners of other instances at the last look; nil
	// before the first. ours are the runners of instances that were measured before,
	// whose entries exo keeps.
	others map[string]string
	ours   map[string]bool
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
	for _, id := range w.inst.runners {
		if w.ours == nil {
			w.ours = map[string]bool{}
		}
		w.ours[id] = true
	}
	w.inst, w.looks, w.last, w.outages, w.lives = inst, 0, 0, nil, lives{}
	if inst.id == "" || !made {
		w.others = nil
		return
	}
	w.lives.most = len(inst.runners) + 1
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

// sight is what one look shows.
type sight struct {
	// outage says what is wrong, of the first look at which it is.
	outage string
	// atWork is how many runners of other instances did something since the look
	// before, which was span ago; 0 at the first.
	atWork int
	at     exobench.Instant
	span   time.Duration
	looks  int // with this one
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
	s := sight{at: at, atWork: w.atWork(states)}
	if w.last.Reached() {
		s.span = at.Sub(w.last)
	}
	w.last = at
	w.looks++
	s.looks = w.looks
	if began {
		s.outage = w.outages[len(w.outages)-1].what
	}
	return s
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
