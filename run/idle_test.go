package run

import (
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestAnEngineThatWorksOnAfterATimeoutIsWaitedFor(t *testing.T) {
	for _, row := range []struct {
		why     string
		outcome exobench.Outcome
		// until is how long after the block the engine works on; gone is set where its
		// process has ended.
		until time.Duration
		gone  bool
		// more is how much longer the run takes than one without it, and note what is
		// told.
		more time.Duration
		note string
	}{
		{"it works on", exobench.Timeout, 10 * time.Second, false, 10500 * time.Millisecond, "worked on for 10s"},
		{"it is idle at once", exobench.IdleTimeout, 0, false, 500 * time.Millisecond, ""},
		{"it is gone", exobench.Timeout, time.Hour, true, 500 * time.Millisecond, ""},
		{"it never ends: waited for once", exobench.Timeout, time.Hour, false, time.Minute, "still works after 1m0s"},
		{"nothing was given up", exobench.HTTPError, time.Hour, false, 0, ""},
	} {
		run := func(watched bool) result {
			d := &double{outcome: func(r exobench.Request) exobench.Outcome {
				if r.Prompt.ID == "p1" {
					return row.outcome
				}
				return exobench.OK
			}}
			p := plan("a", "b")
			p.Warmup, p.Stop = 0, exobench.Stop{Repeat: 1}
			return execute(t, d, p, 0, func(c *Config) {
				if !watched {
					return
				}
				c.CPU = func(pid int) func() (time.Duration, bool) {
					if pid != 4711 {
						t.Errorf("asked of process %d", pid)
					}
					last := c.Clock.Now()
					until := last.Add(row.until)
					return func() (time.Duration, bool) {
						now := c.Clock.Now()
						used := max(0, min(now, until).Sub(last))
						last = now
						return used, !row.gone
					}
				}
			})
		}
		watched := run(true)
		if more := watched.took - run(false).took; more != row.more {
			t.Errorf("%s: the run takes %v more, want %v", row.why, more, row.more)
		}
		var notes []string
		for _, n := range of[*exobench.Note](watched.recorder) {
			notes = append(notes, n.Text)
		}
		if all := strings.Join(notes, "; "); !strings.Contains(all, row.note) || row.note == "" && len(notes) > 0 {
			t.Errorf("%s: notes %q, want %q", row.why, all, row.note)
		}
	}
}
