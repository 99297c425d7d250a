package resource

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"exobench"
)

// Processes is a sensor of the memory of an engine's processes: that of a process
// and of everything it started. Read must not be called concurrently.
//
// It reads proportional set sizes where the system has them, except while
// requests are under way: for those the system walks the page tables, under the
// lock that the engine itself needs to take memory, so then it reads resident
// ones, and looks only once a second for processes that are new, and whether the
// engine is still the one that listens.
type Processes struct {
	find func(context.Context) (Engine, error)
	// These are replaced in tests.
	list func(context.Context, Tree) ([]int, error)
	read func(context.Context, Tree) (exobench.Values, error)
	// during is the tree as it was listed last for a reading during requests, of the
	// engine that it is.
	during Tree
	of     Engine
	listed time.Time
}

// listEvery is how long processes that the engine starts during requests may go
// unseen. Listing them takes a file for each of them, and the names of all of the
// host's.
const listEvery = time.Second

// NewProcesses returns a sensor of the process that find returns and of its
// descendants. find is asked at each reading, but while requests are under way once
// a second, and where the process has ended; a process of 0 is an engine that
// has not been started, whose memory is 0.
func NewProcesses(find func() (pid int, err error)) *Processes {
	return newProcessesOf(func(ctx context.Context) (Engine, error) {
		pid, err := find()
		if err != nil || pid == 0 {
			return Engine{}, err
		}
		started, _ := startOf(ctx, pid)
		return Engine{Tree: Tree{PID: pid}, Listeners: []ProcessID{{pid, started}}}, nil
	})
}

// Sensor returns a sensor of the memory of the engine that listens.
func (l *Listening) Sensor() *Processes { return newProcessesOf(l.Engine) }

func newProcessesOf(find func(context.Context) (Engine, error)) *Processes {
	c := newCensus()
	return &Processes{find: find, list: c.list, read: c.read}
}

// Name returns "processes".
func (*Processes) Name() string { return "processes" }

// Every returns 50 ms: the system's figures are always up to date, and 20 Hz
// shows what memory a request takes.
func (*Processes) Every() time.Duration { return 50 * time.Millisecond }

// Read returns one sample. Where the process could not be read it has no sizes and
// comes with the error: what was read of the process before is no longer true.
func (p *Processes) Read(ctx context.Context, m exobench.Moment) ([]exobench.Sample, error) {
	sample := func(values exobench.Values) []exobench.Sample {
		return []exobench.Sample{{Sensor: p.Name(), Values: values}}
	}
	engine, values, err := p.again(ctx, m)
	if errors.Is(err, ErrGone) {
		if engine, err = p.find(ctx); err == nil && engine.Tree.PID == 0 {
			return sample(nothing()), nil
		}
		if err == nil {
			values, err = p.measure(ctx, engine, m)
		}
	}
	if err != nil {
		return sample(exobench.Values{{Quantity: exobench.Processes}}), err
	}
	id := engine.Listeners[0]
	values = append(values, exobench.Value{Quantity: exobench.Process, Value: float64(id.PID)})
	if id.Started != 0 {
		values = append(values, exobench.Value{Quantity: exobench.ProcessStarted, Value: float64(id.Started)})
	}
	if m == exobench.During {
		return sample(values), nil
	}
	if trees := engine.beside(ctx); len(trees) > 0 {
		var beside exobench.Bytes
		for _, tree := range trees {
			beside += tree.resident(ctx)
		}
		values = append(values, exobench.Value{Quantity: exobench.Beside, Value: float64(beside)})
	}
	return sample(values), nil
}

// Members returns the engine's processes as they are now; none where it has not
// been started. It may be called while Read is.
func (p *Processes) Members(ctx context.Context) ([]int, error) {
	engine, err := p.find(ctx)
	if err != nil || engine.Tree.PID == 0 {
		return nil, err
	}
	return p.list(ctx, engine.Tree)
}

// again reads the processes that were read last, where they were found and listed
// lately for requests that are still under way. Else, and where the engine has ended,
// the error wraps [ErrGone].
func (p *Processes) again(ctx context.Context, m exobench.Moment) (Engine, exobench.Values, error) {
	if m != exobench.During || p.during.PID == 0 || time.Since(p.listed) >= listEvery {
		return Engine{}, nil, ErrGone
	}
	values, err := p.read(ctx, p.during)
	return p.of, values, err
}

func (p *Processes) measure(ctx context.Context, e Engine, m exobench.Moment) (exobench.Values, error) {
	if m != exobench.During {
		p.during = Tree{}
		return p.read(ctx, e.Tree)
	}
	members, err := p.list(ctx, e.Tree)
	if err != nil {
		return nil, fmt.Errorf("list the processes under %d: %w", e.Tree.PID, err)
	}
	p.during, p.of, p.listed = Tree{PID: e.Tree.PID, Resident: true, members: members}, e, time.Now()
	return p.read(ctx, p.during)
}

// nothing is the memory of no process, of the kind that the system's readings
// are.
func nothing() exobench.Values {
	var m memory
	switch runtime.GOOS {
	case "linux":
		m.pss = new(exobench.Bytes)
	case "darwin":
		m.footprint = new(exobench.Bytes)
	}
	return m.values()
}
