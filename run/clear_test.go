package run

import (
	"context"
	"errors"
	"testing"
	"time"

	"exobench"
)

// cleared is a double that has things in the way of a model, and sees things.
type cleared struct {
	*double
	fails   error
	fetches bool // files, while it loads
	seen    []string
}

func (c *cleared) Clear(_ context.Context, m exobench.Model, placement string, report func(exobench.StageEvent)) error {
	c.call("clear %s%s", m.Name, placement)
	report(exobench.StageEvent{Stage: exobench.StageDownload})
	c.seen = append(c.seen, "somebody else is here")
	return c.fails
}

func (c *cleared) Prepare(ctx context.Context, m exobench.Model, placement string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	if c.fetches {
		report(exobench.StageEvent{Stage: exobench.StageDownload})
	}
	return c.double.Prepare(ctx, m, placement, report)
}

func (c *cleared) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	c.seen = append(c.seen, "it was restarted")
	return c.double.Do(ctx, d, r)
}

func (c *cleared) Observed() []string {
	seen := c.seen
	c.seen = nil
	return seen
}

func TestTheWayIsClearBeforeMemoryIsRead(t *testing.T) {
	for _, row := range []struct {
		why     string
		fails   error
		fetches bool
		want    string
	}{
		{"it is cleared", nil, false, `step 1 e a
			cell 1 e a 1
			stage 1 download
			sample 1 gauge before 0
			stage 1 load
			stage 1 ready
			note 1 e somebody else is here
			sample 1 gauge loaded 0
			block 1 step 1 cell 1
			request 1 block 1 ok
			sample 1 gauge after 1
			block_end 1 done
			note 1 e it was restarted
			stage 1 released
			sample 1 gauge released 0
			step_end 1 released
			end 3 finished`},
		{"it cannot be", errors.New("no room"), false, `step 1 e a
			cell 1 e a 1
			stage 1 download
			note 1 e somebody else is here
			step_end 1 failed no room
			end 3 finished`},
		{"files are fetched afterwards all the same", nil, true, `step 1 e a
			cell 1 e a 1
			stage 1 download
			sample 1 gauge before 0
			stage 1 download
			stage 1 load
			stage 1 ready
			note 1 e somebody else is here
			note 1 e its files were fetched while it was loaded: its memory holds what the engine itself grew by in fetching them, and its load was under way meanwhile; run it again for the figures of the model alone
			sample 1 gauge loaded 0
			block 1 step 1 cell 1
			request 1 block 1 ok
			sample 1 gauge after 1
			block_end 1 done
			note 1 e it was restarted
			stage 1 released
			sample 1 gauge released 0
			step_end 1 released
			end 3 finished`},
	} {
		d := &double{}
		d.sensors = append(d.sensors, steady("gauge", 50*time.Millisecond))
		p := plan("a")
		p.Warmup, p.Stop.Repeat, p.Workload.Prompts = 0, 1, p.Workload.Prompts[:1]
		r := execute(t, d, p, 0, func(c *Config) {
			c.Engines[0].Engine = &cleared{double: d, fails: row.fails, fetches: row.fetches}
		})
		r.logged(t, row.want)
	}
}
