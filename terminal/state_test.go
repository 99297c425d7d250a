package terminal

import (
	"slices"
	"testing"
	"time"

	"exobench"
)

func TestMediansCountMeasuredRequestsThatAreOK(t *testing.T) {
	s := aRun().stateAt(36)
	speed, _ := s.steps[0].speed.value()
	latency, _ := s.steps[0].latency.value()
	// 10 tokens after the first in 2 s and in 1 s; not those of the warm-up in
	// 4 s, nor of the request that failed.
	if speed != 7.5 || latency != 1.5 {
		t.Errorf("median speed %v and latency %v, want 7.5 and 1.5", speed, latency)
	}
}

func TestStepIsOver(t *testing.T) {
	check := func(why string, s *story, step int, want status, reason string) {
		t.Helper()
		m := s.stateAt(1000).steps[step]
		if m.status != want || m.reason != reason {
			t.Errorf("%s: status %d, reason %q; want %d, %q", why, m.status, m.reason, want, reason)
		}
	}
	check("with its last request", aRun(), 0, done, "")
	check("when it cannot be loaded", aRun(), 1, failed, "needs 14.2 GiB, 7.60 GiB are free")

	s := newStory(2, 7) // requests that cannot be shared out evenly
	s.model(1, 1, "a")
	s.phase(2, exobench.Measured)
	s.request(3, 1, exobench.OK)
	check("not yet", s, 0, working, "")
	s.model(4, 2, "b")
	check("when the next one's turn comes", s, 0, done, "")
	s.stage(5, exobench.StageRelease, nil)
	check("when it is released", s, 1, done, "")

	s = newStory(1, 2)
	s.model(1, 1, "a")
	s.phase(2, exobench.Measured)
	s.request(3, 1, exobench.HTTPError)
	s.request(4, 1, exobench.Timeout)
	check("no request was OK", s, 0, failed, "no request succeeded: timeout: busy")

	s = newStory(2, 2)
	s.model(1, 1, "a")
	s.stage(2, exobench.StageFailed, nil)
	s.tell(3, func(p *exobench.Progress) { p.Model, p.Step, p.Done = exobench.Model{Name: "b"}, 2, 1 })
	check("not for what happened to the one before", s, 1, working, "")

	s = newStory(1, 3)
	s.model(1, 1, "a")
	s.phase(2, exobench.Measured)
	s.request(3, 1, exobench.OK)
	s.request(4, 1, exobench.OK)
	s.stage(5, exobench.StageFailed, func(e *exobench.LoadEvent) { e.Error = "out of memory" })
	check("when it is lost on the way", s, 0, failed, "after 2 requests: out of memory")

	s = aRun()
	s.all = s.all[:len(s.all)-4] // the first model is released
	s.stage(39, exobench.StageFailed, nil)
	check("for good: it was measured before it was lost", s, 0, done, "")
}

func TestAStepThatIsCutShortIsNotDone(t *testing.T) {
	check := func(why string, s *story, requests int) {
		t.Helper()
		got := s.stateAt(1000, "a", "b").steps[0]
		if got.status != interrupted || got.requests != requests || !got.over.Reached() {
			t.Errorf("%s: status %d, %d requests, over at %v; want it interrupted after %d", why, got.status, got.requests, got.over, requests)
		}
	}
	begin := func() *story {
		s := newStory(2, 6)
		s.model(1, 1, "a")
		return s
	}
	s := begin()
	s.tell(2, func(p *exobench.Progress) { p.Note = "interrupted while a was being loaded" })
	s.finish(2)
	check("while it is loaded", s, 0)

	s = begin()
	s.phase(2, exobench.Measured)
	s.request(3, 1, exobench.OK)
	s.request(4, 1, exobench.Canceled)
	s.stage(5, exobench.StageRelease, nil)
	check("in the middle", s, 1)

	s = begin()
	s.phase(2, exobench.Measured)
	s.request(3, 1, exobench.HTTPError)
	s.finish(3)
	check("between requests, though none was OK", s, 1)

	s = begin()
	s.phase(2, exobench.Measured)
	s.request(3, 1, exobench.OK)
	s.request(4, 1, exobench.OK)
	s.request(4, 1, exobench.Canceled)
	check("in its last request", s, 2)

	s = newStory(2, 7) // nobody knows the share of each
	s.model(1, 1, "a")
	s.phase(2, exobench.Measured)
	s.request(3, 1, exobench.OK)
	s.request(4, 1, exobench.Canceled)
	s.stage(5, exobench.StageRelease, nil)
	check("of unknown length", s, 1)
}

func TestNothingIsAtWorkAfterClose(t *testing.T) {
	s := aRun()
	v := newView(Options{})
	v.state = *s.stateAt(30)
	v.Close()
	if got := v.frame().rows[0].status; got != interrupted {
		t.Errorf("status %d, want it interrupted", got)
	}
}

// names are the labels of all steps.
func names(s *state) []string {
	var names []string
	for i := range s.steps {
		names = append(names, s.label(&s.steps[i]))
	}
	return names
}

func TestStepsThatAreNotKnownInAdvance(t *testing.T) {
	check := func(why string, s *state, current int, want ...string) {
		t.Helper()
		if got := names(s); !slices.Equal(got, want) || s.current != current {
			t.Errorf("%s: step %d of %q is at work, want %d of %q", why, s.current, got, current, want)
		}
	}
	s := newStory(2, 4)
	s.model(1, 1, "a")
	check("a model has its row when its turn comes", s.stateOn(1, nil), 0, "a")
	s.model(2, 2, "b")
	check("and so has the next", s.stateOn(2, nil), 1, "a", "b")

	s = newStory(2, 4)
	s.model(1, 1, "a")
	s.p.Engine = "ollama"
	s.model(2, 2, "a")
	check("with its engine, once there are two", s.stateOn(2, nil), 1, "exo a", "ollama a")

	s = newStory(2, 4)
	s.placed(1, 1, 3, "a", "P1")
	s.placed(2, 2, 3, "a", "P2")
	s.placed(3, 3, 3, "b", "P1")
	check("a first placement is named as more are to come", s.stateAt(1, "a", "b"), 0, "a · P1", "b")
	check("a second comes before the next model", s.stateAt(2, "a", "b"), 1, "a · P1", "a · P2", "b")
	check("an only placement is not worth naming", s.stateAt(3, "a", "b"), 2, "a · P1", "a · P2", "b")

	s = newStory(1, 4)
	s.placed(1, 1, 1, "a", "P1")
	s.placed(2, 2, 2, "a", "P2")
	check("nobody said that more were to come", s.stateAt(1, "a"), 0, "a")
	check("then the first is named late", s.stateAt(2, "a"), 1, "a · P1", "a · P2")
}

func TestTheSameModelOnSeveralEnginesIsSeveralSteps(t *testing.T) {
	s := threeEngines().stateOn(1000, threeEnginesOf("llama-3.2-1b", "mistral-7b"))
	var got []status
	for _, step := range s.steps {
		got = append(got, step.status)
	}
	if want := []status{done, done, done, working, waiting, waiting}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}

	// exo offers no place for b, so that the run passes over it.
	story := newStory(4, 8)
	story.model(1, 1, "a")
	story.p.Engine, story.p.Steps = "ollama", 3
	story.model(2, 2, "a")
	story.model(3, 3, "b")
	s = story.stateOn(3, threeEnginesOf("a", "b")[:2])
	if s.current != 3 || s.steps[1].status != waiting {
		t.Errorf("step %d is at work, status of b on exo %d; want 3 and waiting", s.current, s.steps[1].status)
	}
}

func TestNoneOKIsOfMeasuredRequests(t *testing.T) {
	s := newStory(1, 4)
	s.model(1, 1, "a")
	s.phase(1, exobench.Warmup)
	s.request(2, 1, exobench.OK)
	s.phase(2, exobench.Measured)
	s.request(3, 1, exobench.Timeout)
	s.request(4, 1, exobench.OK)
	for at, want := range map[float64]bool{2: false, 3: true, 4: false} {
		if got := s.frameAt(at).rows[0].unanswered; got != want {
			t.Errorf("at %v s: none OK is %v, want %v", at, got, want)
		}
	}
}

func TestRequestsOfAStep(t *testing.T) {
	s := newStory(2, 4)
	s.model(1, 1, "a")
	s.phase(1, exobench.Measured)
	s.request(2, 1, exobench.OK)
	s.request(3, 1, exobench.OK)
	// The first that is told of the second model is a request of its own.
	s.p.Model, s.p.Step = exobench.Model{Name: "b"}, 2
	s.request(4, 1, exobench.OK)
	steps := s.stateAt(4).steps
	if steps[0].requests != 2 || steps[1].requests != 1 {
		t.Errorf("requests: %d and %d, want 2 and 1", steps[0].requests, steps[1].requests)
	}
}

func TestTimeLeft(t *testing.T) {
	s := newStory(3, 12) // four requests each
	s.model(10, 1, "a")
	s.phase(14, exobench.Measured)
	s.request(16, 2, exobench.OK)
	s.request(18, 2, exobench.OK)
	s.request(20, 2, exobench.OK)
	s.request(22, 2, exobench.OK)
	s.model(22, 2, "b")
	s.phase(30, exobench.Measured)
	s.request(32, 2, exobench.OK)
	s.request(34, 2, exobench.OK)
	s.request(36, 2, exobench.OK)
	s.request(38, 2, exobench.OK)
	s.model(38, 3, "c")
	for _, test := range []struct {
		why  string
		at   float64
		want time.Duration
	}{
		{"nothing has run", 15, -1},
		// 3 requests of 2 s, and two models like this one: 4 s to load, 4 × 2 s.
		{"after one request", 16, (6 + 2*12) * time.Second},
		{"it goes down between requests", 17, (5 + 2*12) * time.Second},
		// The first took 12 s; so will the second, which began 4 s ago.
		{"while the second loads", 26, (12 - 4 + 12) * time.Second},
		{"loading takes longer than all of the first did", 29.5, (12*1000 - 7500 + 12*1000) * time.Millisecond},
		// The second takes 8 s to load and 4 × 2 s: the mean is 14 s.
		{"in the second", 34, (4 + 14) * time.Second},
		{"in the last", 40, (14 - 2) * time.Second},
		{"in the last, which takes longer", 60, 0},
	} {
		left := s.frameAt(test.at, "a", "b", "c").left
		if test.want < 0 {
			if left != nil {
				t.Errorf("%s: %v left, want none to be shown", test.why, *left)
			}
			continue
		}
		if left == nil || (*left-test.want).Abs() > time.Microsecond {
			t.Errorf("%s: %v left, want %v", test.why, left, test.want)
		}
	}
}

func TestTimeLeftGrowsWithTheSteps(t *testing.T) {
	s := newStory(2, 4) // two requests each
	s.placed(10, 1, 2, "a", "P1")
	s.phase(12, exobench.Measured)
	s.request(13, 1, exobench.OK)
	s.request(14, 1, exobench.OK)
	s.tell(14, func(p *exobench.Progress) { p.Steps, p.Total = 5, 10 })
	// The first took 4 s; four are to come, one of which is known in advance.
	if left := s.frameAt(14, "a", "b").left; left == nil || *left != 16*time.Second {
		t.Errorf("%v left, want 16s", left)
	}
}

func TestNoTimeIsLeftAfterAnInterrupt(t *testing.T) {
	if left := twoPlacements().frameAt(15, "llama-3.2-1b", "mistral-7b").left; left == nil {
		t.Error("no time left before it")
	}
	if left := twoPlacements().frameAt(20, "llama-3.2-1b", "mistral-7b").left; left != nil {
		t.Errorf("%v left", *left)
	}
}

func TestTimeLeftPassesOverStepsThatFailed(t *testing.T) {
	s := newStory(3, 12)
	s.model(1, 1, "a")
	s.stage(2, exobench.StageFailed, nil)
	s.tell(2, func(p *exobench.Progress) { p.Done = 4 })
	s.model(2, 2, "b")
	if left := s.frameAt(3).left; left != nil {
		t.Errorf("%v left on the basis of a model that failed in 1 s", *left)
	}
}

func TestMedian(t *testing.T) {
	var m median
	if _, ok := m.value(); ok {
		t.Error("a median of nothing")
	}
	for _, step := range []struct{ add, want float64 }{{3, 3}, {1, 2}, {2, 2}, {10, 2.5}, {2, 2}} {
		m.add(step.add)
		if got, _ := m.value(); got != step.want {
			t.Errorf("after adding %v the median is %v, want %v", step.add, got, step.want)
		}
	}
}

func TestMeterLooksBackTwoSeconds(t *testing.T) {
	var m meter
	start := time.Unix(0, 0)
	// 100 events a second for 5 s, then none.
	for tick := range 40 {
		now := start.Add(time.Duration(tick) * 200 * time.Millisecond)
		speed := m.add(now, int64(min(tick, 25)*20))
		want := map[bool]float64{true: 100, false: 0}[tick <= 25]
		switch {
		case tick < 5 && speed != nil:
			t.Errorf("a speed %v after only %d ticks", *speed, tick)
		case tick >= 5 && (tick <= 25 || tick >= 35) && (speed == nil || *speed < want-0.01 || *speed > want+0.01):
			t.Errorf("speed at tick %d is %v, want %v", tick, speed, want)
		}
	}
	if len(m.points) > 12 {
		t.Errorf("%d points are kept", len(m.points))
	}
}
