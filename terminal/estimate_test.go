package terminal

import (
	"testing"
	"time"

	"exobench"
)

func TestTimeLeft(t *testing.T) {
	s := newScript(exobench.Plan{}, engines(1, "a", "b", "c"))
	s.stage(10, 1, exobench.StageEvent{Stage: exobench.StageLoad})
	s.measure(14, 1, 1, 2)
	s.endStep(22, 1, exobench.StepReleased, "")
	s.stage(22, 2, exobench.StageEvent{Stage: exobench.StageLoad})
	s.measure(30, 2, 2, 2)
	s.endStep(38, 2, exobench.StepReleased, "")
	s.stage(38, 3, exobench.StageEvent{Stage: exobench.StageLoad})
	s.begin(70, 3, 3)
	for _, test := range []struct {
		why  string
		at   float64
		want time.Duration
	}{
		{"nothing has run", 11, -1},
		// 3 requests of 2 s, and two models like this one: 4 s to load, 4 × 2 s.
		{"after one request", 16, (6 + 2*12) * time.Second},
		{"it goes down between requests", 17, (5 + 2*12) * time.Second},
		// The first took 4 s to load and 8 s; so will the second, which began 3 s
		// ago.
		{"while the second loads", 25, (1 + 8 + 12) * time.Second},
		{"loading takes longer than that of the first did", 29.5, (8 + 12) * time.Second},
		// The second took 8 s to load: the mean is 6 s.
		{"in the second", 34, (4 + 6 + 8) * time.Second},
		{"in the last", 40, (4 + 8) * time.Second},
		{"in the last, which takes longer", 60, 8 * time.Second},
		{"it has no request yet", 71, 7 * time.Second},
		{"which takes longer than any", 90, -1},
	} {
		left := s.frameAt(test.at).left
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

func TestTimeLeftOfEachTrafficIsItsOwn(t *testing.T) {
	s := newScript(exobench.Plan{Traffic: closed(1, 4)}, engines(1, "a", "b"))
	s.stage(1, 1, exobench.StageEvent{Stage: exobench.StageLoad})
	s.measure(2, 1, 1, 2)  // 8 s
	s.measure(10, 1, 2, 1) // 4 s
	s.endStep(14, 1, exobench.StepReleased, "")
	s.stage(14, 2, exobench.StageEvent{Stage: exobench.StageLoad})
	s.begin(15, 2, 3)
	s.request(18, 3, exobench.OK)
	// Three requests of 3 s; then the other traffic, which took 4 s before.
	if left := s.frameAt(18).left; left == nil || *left != 13*time.Second {
		t.Errorf("%v left, want 13s", left)
	}
}

func TestTimeLeftOfACellBoundInTime(t *testing.T) {
	s := newScript(exobench.Plan{
		Traffic: closed(1, 4), Stop: exobench.Stop{Duration: exobench.Duration(20 * time.Second)},
	}, engines(1, "a"))
	s.begin(5, 1, 1)
	if left := s.frameAt(10).left; left == nil || *left != 35*time.Second {
		t.Errorf("%v left, want 15 s of this cell and 20 s of the next", left)
	}
}

func TestTimeLeftGrowsWithTheSteps(t *testing.T) {
	s := newScript(exobench.Plan{AllPlacements: true}, engines(1, "a", "b"))
	s.spread(10, 1, ring, jaccl, "third")
	s.stage(10, 1, exobench.StageEvent{Stage: exobench.StageLoad})
	s.measure(12, 1, 1, 1)
	s.endStep(16, 1, exobench.StepReleased, "")
	// The first took 6 s; three are to come.
	if left := s.frameAt(16).left; left == nil || *left != 18*time.Second {
		t.Errorf("%v left, want 18s", left)
	}
}

func TestNoTimeIsLeftAfterAnInterrupt(t *testing.T) {
	if left := twoPlacements().frameAt(15).left; left == nil {
		t.Error("no time left before it")
	}
	for _, at := range []float64{16.5, 18, 20} {
		if left := twoPlacements().frameAt(at).left; left != nil {
			t.Errorf("%v left at %v s", *left, at)
		}
	}
}

func TestTimeLeftPassesOverStepsThatFailed(t *testing.T) {
	s := newScript(exobench.Plan{}, engines(1, "a", "b", "c"))
	s.stage(1, 1, exobench.StageEvent{Stage: exobench.StageLoad})
	s.endStep(2, 1, exobench.StepFailed, "no room")
	s.stage(2, 2, exobench.StageEvent{Stage: exobench.StageLoad})
	if left := s.frameAt(3).left; left != nil {
		t.Errorf("%v left on the basis of a model that failed in 1 s", *left)
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
	if got := m.idle(); got != 14*200*time.Millisecond {
		t.Errorf("idle for %v after 14 ticks without an event", got)
	}
	if len(m.points) > 12 {
		t.Errorf("%d points are kept", len(m.points))
	}
}
