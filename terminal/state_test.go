package terminal

import (
	"testing"
	"time"

	"exobench"
)

func TestMediansCountMeasuredRequestsThatAreOK(t *testing.T) {
	s := aRun().stateAt(36)
	speed, _ := s.models[0].speed.value()
	latency, _ := s.models[0].latency.value()
	// 10 tokens after the first in 2 s and in 1 s; not those of the warm-up in
	// 4 s, nor of the request that failed.
	if speed != 7.5 || latency != 1.5 {
		t.Errorf("median speed %v and latency %v, want 7.5 and 1.5", speed, latency)
	}
}

func TestModelIsOver(t *testing.T) {
	check := func(why string, s *story, model int, want status, reason string) {
		t.Helper()
		m := s.stateAt(1000).models[model]
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
	s.tell(3, func(p *exobench.Progress) { p.Model, p.ModelIndex, p.Done = exobench.Model{Name: "b"}, 2, 1 })
	check("not for what happened to the one before", s, 1, working, "")
}

func TestRequestsOfAModel(t *testing.T) {
	s := newStory(2, 4)
	s.model(1, 1, "a")
	s.phase(1, exobench.Measured)
	s.request(2, 1, exobench.OK)
	s.request(3, 1, exobench.OK)
	// The first that is told of the second model is a request of its own.
	s.p.Model, s.p.ModelIndex = exobench.Model{Name: "b"}, 2
	s.request(4, 1, exobench.OK)
	models := s.stateAt(4).models
	if models[0].requests != 2 || models[1].requests != 1 {
		t.Errorf("requests: %d and %d, want 2 and 1", models[0].requests, models[1].requests)
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

func TestTimeLeftPassesOverModelsThatFailed(t *testing.T) {
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
