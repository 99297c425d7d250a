package summary

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"

	"exobench"
	"exobench/metric"
)

// Run is everything that a report says of a run.
type Run struct {
	Header exobench.Header
	// Cells stand in the plan's order of models, then in the header's of engines,
	// then by placement and concurrency.
	Cells []Cell
	// Loads are the loads that exobench drove, in order of time.
	Loads []Load
	// Failures are the models whose last load on an engine, in a placement,
	// failed, in order of time.
	Failures []Failure
	// Nodes are the machines of the engines that tell of them, in the order of
	// the cells, then in order of time and by name.
	Nodes []Node
	Notes []exobench.Note
	// End is nil where the journal has none; the run is then Incomplete.
	End         *exobench.End
	Incomplete  bool
	Interrupted bool
	// Requests and Warmups count the journaled requests of either phase.
	Requests int
	Warmups  int
	// Damaged is how many lines of the journal could not be read; whoever reads
	// the journal sets it.
	Damaged int

	// Calibrations are the harness's own error before the run, Disturbances what
	// else the machine did during its cells, each in order of time.
	Calibrations []exobench.Calibration
	Disturbances []exobench.Disturbance

	models, engines []string // in order
	memory          map[Subject]*timeline
	nodes           map[Subject]*nodeline
}

// Row is one measured request, whatever its outcome.
type Row struct {
	// Record is valid during the call that hands the row over.
	Record *exobench.Record
	Memory RequestMemory
	// Energy is in joules; nil where unknown.
	Energy *float64
}

// counts reports whether a request enters the results. It is the one place
// where warm-ups are left out.
func counts(r *exobench.Record) bool { return r.Phase == exobench.Measured }

// Build summarises a journal. It reads the entries once and keeps none of them, so
// they may be used again.
func Build(entries iter.Seq[exobench.Entry]) (*Run, error) {
	b := builder{
		run:     &Run{memory: map[Subject]*timeline{}, nodes: map[Subject]*nodeline{}},
		metrics: metric.PerRequest(),
		cells:   map[Key]*accumulator{},
		loads:   map[Subject][]*exobench.LoadEvent{},
	}
	for entry := range entries {
		if err := b.add(entry); err != nil {
			return nil, err
		}
	}
	if !b.headed {
		return nil, errors.New("the journal has no header: it says nothing of what was run")
	}
	b.finish()
	return b.run, nil
}

// builder is a Run under construction.
type builder struct {
	run     *Run
	headed  bool
	metrics []metric.Metric
	cells   map[Key]*accumulator
	loads   map[Subject][]*exobench.LoadEvent
}

func (b *builder) add(entry exobench.Entry) error {
	switch e := entry.(type) {
	case *exobench.Header:
		if b.headed && e.RunID != b.run.Header.RunID {
			return fmt.Errorf("the journal holds two runs, %s and %s", b.run.Header.RunID, e.RunID)
		}
		b.run.Header, b.headed = *e, true
	case *exobench.LoadEvent:
		event := *e
		s := Subject{e.Engine, e.Model}
		b.loads[s] = append(b.loads[s], &event)
	case *exobench.Reading:
		entryOf(b.run.memory, Subject{e.Engine, e.Model}).add(e)
	case *exobench.NodeReading:
		entryOf(b.run.nodes, Subject{e.Engine, e.Model}).add(e)
	case *exobench.Record:
		b.addRecord(e)
	case *exobench.Note:
		b.run.Notes = append(b.run.Notes, *e)
	case *exobench.Disturbance:
		b.run.Disturbances = append(b.run.Disturbances, *e)
	case *exobench.Calibration:
		b.run.Calibrations = append(b.run.Calibrations, *e)
	case *exobench.End:
		end := *e
		b.run.End = &end
	default:
		return fmt.Errorf("summary of an entry of type %T", entry)
	}
	return nil
}

// entryOf returns the value of a subject, a new one where it has none.
func entryOf[T any](m map[Subject]*T, s Subject) *T {
	if m[s] == nil {
		m[s] = new(T)
	}
	return m[s]
}

func (b *builder) addRecord(r *exobench.Record) {
	if !counts(r) {
		b.run.Warmups++
		return
	}
	b.run.Requests++
	key := KeyOf(r)
	if b.cells[key] == nil {
		b.cells[key] = newAccumulator(b.metrics)
	}
	b.cells[key].add(r)
}

func (b *builder) finish() {
	run := b.run
	run.models, run.engines = modelOrder(run.Header), engineOrder(run.Header)
	slices.SortFunc(run.Calibrations, func(a, b exobench.Calibration) int { return cmp.Compare(a.At, b.At) })
	slices.SortFunc(run.Disturbances, func(a, b exobench.Disturbance) int { return cmp.Compare(a.At, b.At) })
	for _, t := range run.memory {
		t.settle()
	}
	for _, n := range run.nodes {
		n.settle()
	}
	space := new(space)
	for key, acc := range b.cells {
		run.Cells = append(run.Cells, acc.cell(key, run, space))
	}
	slices.SortFunc(run.Cells, run.compareCells)
	for s, events := range b.loads {
		b.addLoads(s, attempts(events))
	}
	slices.SortFunc(run.Loads, func(a, b Load) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), run.compareSubjects(a.Subject, b.Subject))
	})
	slices.SortFunc(run.Failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.At, b.At), run.compareSubjects(a.Subject, b.Subject))
	})
	for s, n := range run.nodes {
		run.Nodes = append(run.Nodes, n.nodes(s, b.loads[s], b.windows(s))...)
	}
	slices.SortStableFunc(run.Nodes, func(a, b Node) int { return run.compareSubjects(a.Subject, b.Subject) })
	slices.SortFunc(run.Notes, func(a, b exobench.Note) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Engine, b.Engine), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Text, b.Text))
	})
	run.Incomplete = run.End == nil
	run.Interrupted = run.End != nil && run.End.Reason == exobench.EndInterrupted
}

func (b *builder) addLoads(s Subject, attempts []attempt) {
	engine, _ := b.run.Header.Engine(s.Engine)
	for _, a := range attempts {
		if load, ok := a.load(); ok && engine.LifeCycle {
			b.run.Loads = append(b.run.Loads, load)
		}
	}
	b.run.Failures = append(b.run.Failures, failures(attempts)...)
}

// windows returns when the cells of a subject were measured.
func (b *builder) windows(s Subject) []window {
	var all []window
	for key, acc := range b.cells {
		if key.Subject == s {
			all = append(all, window{acc.start, acc.end})
		}
	}
	return all
}

// Rows calls emit for each measured request in the order of the entries, which
// must be those that the run was built from and may be used again. It stops at the first error.
func (r *Run) Rows(entries iter.Seq[exobench.Entry], emit func(Row) error) error {
	for entry := range entries {
		record, ok := entry.(*exobench.Record)
		if !ok || !counts(record) {
			continue
		}
		s := Subject{record.Engine, record.Model}
		row := Row{Record: record, Memory: r.memory[s].during(record.Sent, record.Ended)}
		if joules, ok := r.nodes[s].energy(record.Sent, record.Done); ok {
			row.Energy = &joules
		}
		if err := emit(row); err != nil {
			return err
		}
	}
	return nil
}
