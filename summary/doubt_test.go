package summary

import (
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestDoubts(t *testing.T) {
	calm := exobench.Disturbance{Wall: 10 * time.Second, Steal: new(0.02), Foreign: new(0.05), EngineCPU: new(0.5), HarnessCPU: new(0.1), HiccupMax: time.Millisecond}
	for _, row := range []struct {
		why    string
		change func(*exobench.Disturbance)
		says   []string // a piece of each sentence
	}{
		{"at the bounds", func(*exobench.Disturbance) {}, nil},
		{"a cell too short for shares", func(d *exobench.Disturbance) { d.Wall, d.Steal, d.Foreign = 500*time.Millisecond, new(0.5), new(0.5) }, nil},
		{"nothing is known", func(d *exobench.Disturbance) { *d = exobench.Disturbance{} }, nil},
		{"steal", func(d *exobench.Disturbance) { d.Steal = new(0.031) }, []string{"took away 3.1 %"}},
		{"foreign", func(d *exobench.Disturbance) { d.Foreign = new(0.06) }, []string{"Other processes used 6 %"}},
		{"foreign, with the engine unseen", func(d *exobench.Disturbance) { d.Foreign, d.EngineCPU = new(0.6), nil },
			[]string{"the engine among them"}},
		{"hiccups of a tenth", func(d *exobench.Disturbance) { d.HiccupMax = 2 * time.Millisecond }, []string{"up to 2ms, which is 10 % of the shortest thing measured (20ms"}},
		{"a pause for garbage", func(d *exobench.Disturbance) { d.GCPauseMax = 3 * time.Millisecond }, []string{"client-bound: collecting its garbage stopped exobench for up to 3ms, which is 15 %"}},
		{"waits for a core", func(d *exobench.Disturbance) { d.SchedulerP99 = 600 * time.Microsecond }, []string{"client-bound: what exobench had ready to run waited up to 600µs for a core (99th percentile), which is 6 % of the shortest thing that this bends (10ms"}},
		{"a wait at the bound", func(d *exobench.Disturbance) { d.SchedulerP99 = 500 * time.Microsecond }, nil},
		// The engine, steal and others leave 0.43.
		{"the harness took more than half of the rest", func(d *exobench.Disturbance) { d.HarnessCPU = new(0.22) }, []string{"exobench used 22 %"}},
		{"the harness took little, beside others that took the rest", func(d *exobench.Disturbance) { d.HarnessCPU, d.EngineCPU = new(0.05), new(0.92) }, nil},
		{"the harness alone on its machine", func(d *exobench.Disturbance) {
			*d = exobench.Disturbance{HarnessCPU: new(0.49)}
		}, nil},
		{"everything", func(d *exobench.Disturbance) {
			*d = exobench.Disturbance{Wall: 10 * time.Second, Steal: new(0.5), Foreign: new(0.4), EngineCPU: new(0.2), HarnessCPU: new(0.1), HiccupMax: time.Second}
		}, []string{"took away", "Other processes", "up to 1s", "of the 0 % that was left"}},
	} {
		d := calm
		row.change(&d)
		got := doubts(d, 20*time.Millisecond, 10*time.Millisecond)
		if len(got) != len(row.says) {
			t.Errorf("%s: %q, want %d", row.why, got, len(row.says))
			continue
		}
		for i, says := range row.says {
			if !strings.Contains(got[i], says) || strings.Count(got[i], ". ") > 0 || !strings.HasSuffix(got[i], ".") {
				t.Errorf("%s: %q is not one sentence with %q", row.why, got[i], says)
			}
		}
	}
	calm.HiccupMax = time.Hour
	if got := doubts(calm, 0, 0); got != nil {
		t.Errorf("nothing measured: %q", got)
	}
}
