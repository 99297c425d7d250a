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
	// Cells stand in the plan's order of models, then by placement and
	// concurrency.
	Cells []Cell
	// Loads are the loads that exobench drove, in order of time.
	Loads []Load
	// Failures are the models whose last load failed, in order of time.
	Failures []Failure
	Notes    []exobench.Note
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

	// Nodes is what engines told of their machines, in order of name and time.
	Nodes []NodeUse

	memory map[Subject]*timeline
}

// Row is one measured request, whatever its outcome.
type Row struct {
	// Record is valid during the call that hands the row over.
	Record *exobench.Record
	Memory RequestMemory
}

// counts reports whether a request enters the results. It is the one place
// where warm-ups are left out.
func counts(r *exobench.Record) bool { return r.Phase == exobench.Measured }

// Build summarises a journal. It reads the entries once.
func Build(entries iter.Seq[exobench.Entry]) (*Run, error) {
	b := builder{
		run:     &Run{memory: map[Subject]*timeline{}},
		metrics: metric.PerRequest(),
		cells:   map[Key]*accumulator{},
		loads:   map[Subject][]*exobench.LoadEvent{},
		nodes:   map[nodeKey]*nodeReadings{},
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
	nodes   map[nodeKey]*nodeReadings
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
		subject := Subject{e.Engine, e.Model}
		b.loads[subject] = append(b.loads[subject], &event)
	case *exobench.Reading:
		subject := Subject{e.Engine, e.Model}
		if b.run.memory[subject] == nil {
			b.run.memory[subject] = &timeline{}
		}
		b.run.memory[subject].add(e)
	case *exobench.NodeReading:
		b.addNode(e)
	case *exobench.Disturbance, *exobench.Calibration:
		// Not summarised yet.
	case *exobench.Record:
		b.addRecord(e)
	case *exobench.Note:
		b.run.Notes = append(b.run.Notes, *e)
	case *exobench.End:
		end := *e
		b.run.End = &end
	default:
		return fmt.Errorf("summary of an entry of type %T", entry)
	}
	return nil
}

func (b *builder) addRecord(r *exobench.Record) {
	if !counts(r) {
		b.run.Warmups++
		return
	}
	b.run.Requests++
	key := Key{r.Engine, r.Model, r.ModelID, r.Placement, r.Concurrency}
	if b.cells[key] == nil {
		b.cells[key] = newAccumulator()
	}
	b.cells[key].add(r, b.metrics)
}

func (b *builder) finish() {
	run := b.run
	for _, t := range run.memory {
		t.settle()
	}
	for key, acc := range b.cells {
		run.Cells = append(run.Cells, acc.cell(key, run, b.metrics))
	}
	slices.SortFunc(run.Cells, run.compareCells)
	for _, events := range b.loads {
		b.addLoads(events)
	}
	slices.SortFunc(run.Loads, func(a, b Load) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Engine, b.Engine), cmp.Compare(a.Model, b.Model))
	})
	slices.SortFunc(run.Failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Engine, b.Engine), cmp.Compare(a.Model, b.Model))
	})
	run.Nodes = b.nodeUses()
	slices.SortFunc(run.Notes, func(a, b exobench.Note) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Engine, b.Engine), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Text, b.Text))
	})
	run.Incomplete = run.End == nil
	run.Interrupted = run.End != nil && run.End.Reason == exobench.EndInterrupted
}

func (b *builder) addLoads(events []*exobench.LoadEvent) {
	attempts := attempts(events)
	for _, a := range attempts {
		load, ok := a.load()
		if engine, _ := b.run.Header.Engine(load.Engine); ok && engine.LifeCycle {
			b.run.Loads = append(b.run.Loads, load)
		}
	}
	if failure, ok := attempts[len(attempts)-1].failure(); ok {
		b.run.Failures = append(b.run.Failures, failure)
	}
}

// Rows calls emit for each measured request in the order of the entries, which
// must be those that the run was built from. It stops at the first error.
func (r *Run) Rows(entries iter.Seq[exobench.Entry], emit func(Row) error) error {
	for entry := range entries {
		record, ok := entry.(*exobench.Record)
		if !ok || !counts(record) {
			continue
		}
		row := Row{Record: record, Memory: r.memory[Subject{record.Engine, record.Model}].during(record.Sent, record.Ended)}
		if err := emit(row); err != nil {
			return err
		}
	}
	return nil
}
