package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
	"exobench/driver"
)

// double is an engine that does what it is told. A load and a request take a
// second each of virtual time.
type double struct {
	clock exobench.Clock

	mu sync.Mutex // of what follows
	// calls are what was asked of it, and requests those that reached it.
	calls    []string
	requests []exobench.Request

	// prepare and release, where set, are what these return, by model.
	prepare, release map[string]error
	// found makes it have the models loaded already.
	found bool
	// offered and unplaced are what Placements returns.
	offered  []string
	unplaced error
	// outcome, where set, decides how a request ends, service how long it takes.
	outcome func(exobench.Request) exobench.Outcome
	service func(exobench.Request) time.Duration
	// away are the times in which it takes no connections.
	away []span
	// sensors are what Sensors returns.
	sensors []driver.Sensor
	// notices are what Notices returns; prepared, where set, is called by each
	// Prepare, and may change them.
	notices  []string
	prepared func()
	// end ends the run's context; it is set when the run begins.
	end context.CancelCauseFunc
}

// span is a stretch of time since the epoch.
type span struct{ from, until time.Duration }

func (d *double) call(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, fmt.Sprintf(format, args...))
}

func (d *double) Info() exobench.Engine { return exobench.Engine{} }

func (d *double) Resolve(_ context.Context, name string) (exobench.Model, error) {
	return exobench.Model{Name: name}, nil
}

func (d *double) Prepare(ctx context.Context, m exobench.Model, placement string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	d.call("%s", strings.TrimSpace("prepare "+m.Name+" "+placement))
	if d.prepared != nil {
		d.prepared()
	}
	report(exobench.StageEvent{Stage: exobench.StageLoad})
	if err := d.prepare[m.Name]; err != nil {
		return exobench.Deployment{}, err
	}
	if !sleep(ctx, time.Second) {
		return exobench.Deployment{}, ctx.Err()
	}
	report(exobench.StageEvent{Stage: exobench.StageReady, Placement: "here"})
	return exobench.Deployment{Model: m, Placement: "here", Created: !d.found, PID: 4711}, nil
}

func (d *double) Do(ctx context.Context, _ exobench.Deployment, r exobench.Request) exobench.Record {
	if r.Scheduled.Reached() {
		time.Sleep(r.Scheduled.Sub(d.clock.Now()))
	}
	record := exobench.Record{Sent: d.clock.Now(), Outcome: exobench.OK}
	d.mu.Lock()
	d.requests = append(d.requests, r)
	d.mu.Unlock()
	service := time.Second
	if d.service != nil {
		service = d.service(r)
	}
	if d.outcome != nil {
		record.Outcome = d.outcome(r)
	}
	if d.Alive(ctx) != nil {
		record.Outcome, service = exobench.ConnectError, time.Millisecond
	}
	if !sleep(ctx, service) {
		record.Outcome = exobench.Canceled
	}
	record.Ended = d.clock.Now()
	if record.Outcome == exobench.OK {
		record.Done = record.Ended
	}
	return record
}

func (d *double) Alive(context.Context) error {
	now := time.Duration(d.clock.Now())
	for _, s := range d.away {
		if s.from <= now && now < s.until {
			return errors.New("connection refused")
		}
	}
	return nil
}

func (d *double) Release(ctx context.Context, deployment exobench.Deployment, report func(exobench.StageEvent)) error {
	d.call("release %s", deployment.Model.Name)
	if ctx.Err() != nil {
		return errors.New("released with a context that is done")
	}
	report(exobench.StageEvent{Stage: exobench.StageReleased})
	return d.release[deployment.Model.Name]
}

func (d *double) Sensors() []driver.Sensor { return d.sensors }
func (d *double) Notices() []string        { return d.notices }
func (d *double) Close() error             { return nil }

func (d *double) Placements(context.Context, exobench.Model) ([]string, error) {
	return d.offered, d.unplaced
}

// gauge is a sensor of one size.
type gauge struct {
	name  string
	every time.Duration
	read  func() (float64, error)
}

func (g gauge) Name() string         { return g.name }
func (g gauge) Every() time.Duration { return g.every }

func (g gauge) Read(context.Context, exobench.Moment) ([]exobench.Sample, error) {
	value, err := g.read()
	if err != nil {
		return nil, err
	}
	return []exobench.Sample{{Values: exobench.Values{{Quantity: exobench.RSS, Value: value}}}}, nil
}

// steady is a gauge of a size that does not change.
func steady(name string, every time.Duration) gauge {
	return gauge{name, every, func() (float64, error) { return 1 << 30, nil }}
}

// spans is a sensor of the time since it was read before.
type spans struct {
	clock  exobench.Clock
	pid    func() int
	last   exobench.Instant
	closed bool
}

func (s *spans) Name() string         { return "machine" }
func (s *spans) Every() time.Duration { return 0 }
func (s *spans) Close() error         { s.closed = true; return nil }

func (s *spans) Read(context.Context, exobench.Moment) ([]exobench.Sample, error) {
	last, now := s.last, s.clock.Now()
	s.last = now
	if !last.Reached() {
		return nil, nil
	}
	return []exobench.Sample{{Span: now.Sub(last), Values: exobench.Values{{Quantity: exobench.Steal, Value: float64(s.pid())}}}}, nil
}

// recorder keeps the entries.
type recorder struct {
	mu      sync.Mutex
	entries []exobench.Entry
	// full, where set, is after how many entries it takes no more; where single
	// is set it takes those after the one that it refused.
	full   int
	single bool
	tried  int
}

func (r *recorder) Append(e exobench.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried++
	if r.full > 0 && (r.tried == r.full+1 || r.tried > r.full && !r.single) {
		return errors.New("disk full")
	}
	r.entries = append(r.entries, e)
	return nil
}

// of returns the entries of one type.
func of[E exobench.Entry](r *recorder) []E {
	var all []E
	for _, e := range r.entries {
		if e, ok := e.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

// log writes the entries a line each, without the samples during requests, whose
// number depends on the sensor, and with one line for several samples in a row
// that differ in nothing but their values.
func (r *recorder) log() []string {
	var lines []string
	for _, e := range r.entries {
		if line := describe(e); line != "" && (len(lines) == 0 || !strings.HasPrefix(line, "sample") || lines[len(lines)-1] != line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func describe(e exobench.Entry) string {
	join := func(parts ...any) string {
		return strings.Join(strings.Fields(fmt.Sprintln(parts...)), " ")
	}
	switch e := e.(type) {
	case *exobench.Step:
		return join("step", e.ID, e.Engine, e.Model.Name, e.Placement)
	case *exobench.Cell:
		return join("cell", e.ID, e.Engine, e.Model.Name, e.Placement, e.Traffic)
	case *exobench.Block:
		return join("block", e.ID, "step", e.Step, "cell", e.Cell)
	case *exobench.StageEvent:
		return join("stage", e.Step, e.Stage)
	case *exobench.Record:
		return join("request", e.Seq, "block", e.Block, e.Outcome)
	case *exobench.Sample:
		if e.Moment == exobench.During && e.Span == 0 {
			return ""
		}
		return join("sample", e.Step, e.Sensor, e.Moment, e.Block)
	case *exobench.BlockEnd:
		return join("block_end", e.Block, e.Reason)
	case *exobench.StepEnd:
		return join("step_end", e.Step, e.Reason, e.Error)
	case *exobench.Calibration:
		return join("calibration", e.Session, e.Streams)
	case *exobench.Note:
		return join("note", e.Step, e.Engine, e.Text)
	case *exobench.End:
		return join("end", e.Session, e.Reason, e.Error)
	}
	return fmt.Sprintf("%T", e)
}

// plan is of three prompts, twice each, after one warm-up.
func plan(models ...string) exobench.Plan {
	return exobench.Plan{
		Models: models, Warmup: 1, Stop: exobench.Stop{Repeat: 2},
		Traffic: []exobench.Traffic{{Concurrency: 1}},
		Workload: exobench.Workload{
			MaxTokens: 8, Cache: exobench.ColdCache,
			Prompts: []exobench.Prompt{{ID: "p1", Text: "one"}, {ID: "p2", Text: "two"}, {ID: "p3", Text: "three"}},
		},
	}
}

// result is how a run went.
type result struct {
	*recorder
	reason exobench.EndReason
	err    error
	// took is how long.
	took time.Duration
}

// execute runs a plan on an engine named e in a bubble of virtual time, until it
// ends or is interrupted, if the time for that is not 0.
func execute(t *testing.T, d *double, p exobench.Plan, interrupt time.Duration, change func(*Config)) result {
	t.Helper()
	var r result
	synctest.Test(t, func(t *testing.T) {
		d.clock = exobench.NewClock()
		r.recorder = &recorder{}
		c := Config{Plan: p, Engines: []Engine{engineOf(d, "e", p)}, Session: 3, Recorder: r.recorder, Clock: d.clock}
		if change != nil {
			change(&c)
		}
		if own, ok := c.Recorder.(*recorder); ok {
			r.recorder = own
		}
		ctx, end := context.WithCancelCause(t.Context())
		defer end(nil)
		d.end = end
		if interrupt > 0 {
			short, cancel := context.WithTimeout(ctx, interrupt)
			defer cancel()
			ctx = short
		}
		r.reason, r.err = Execute(ctx, c)
		r.took = d.clock.Now().Sub(1)
	})
	return r
}

func engineOf(d *double, name string, p exobench.Plan) Engine {
	entry := exobench.Engine{Name: name}
	for _, model := range p.Models {
		entry.Models = append(entry.Models, exobench.Model{Name: model, ID: "org/" + model})
	}
	return Engine{Engine: d, Entry: entry}
}

// logged holds the log against the lines wanted.
func (r result) logged(t *testing.T, want string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if got := r.log(); !slices.Equal(got, lines) {
		t.Errorf("the entries are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}
