package resource

import (
	"context"
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
// ones, and looks only now and then for processes that are new.
type Processes struct {
	find func() (pid int, err error)
	// These are replaced in tests.
	list func(context.Context, Tree) ([]int, error)
	read func(context.Context, Tree) (exobench.Values, error)
	// during is the tree as it was listed last for a reading during requests.
	during Tree
	listed time.Time
}

// listEvery is how long processes that the engine starts during requests may go
// unseen. Listing them takes some files for each thread of the engine.
const listEvery = time.Second

// NewProcesses returns a sensor of the process that find returns and of its
// descendants. find is asked at each reading; a process of 0 is an engine that
// has not been started, whose memory is 0.
func NewProcesses(find func() (pid int, err error)) *Processes {
	return &Processes{find: find, list: listTree, read: func(ctx context.Context, t Tree) (exobench.Values, error) { return t.Read(ctx) }}
}

// Name returns "processes".
func (*Processes) Name() string { return "processes" }

// Every returns 50 ms: the system's figures are always up to date, and 20 Hz
// shows what memory a request takes.
func (*Processes) Every() time.Duration { return 50 * time.Millisecond }

// Read returns one sample.
func (p *Processes) Read(ctx context.Context, m exobench.Moment) ([]exobench.Sample, error) {
	pid, err := p.find()
	if err != nil {
		return nil, err
	}
	values := nothing()
	if pid != 0 {
		if values, err = p.measure(ctx, pid, m); err != nil {
			return nil, err
		}
	}
	return []exobench.Sample{{Sensor: p.Name(), Values: values}}, nil
}

func (p *Processes) measure(ctx context.Context, pid int, m exobench.Moment) (exobench.Values, error) {
	if m != exobench.During {
		return p.read(ctx, Tree{PID: pid})
	}
	if pid != p.during.PID || time.Since(p.listed) >= listEvery {
		members, err := p.list(ctx, Tree{PID: pid})
		if err != nil {
			return nil, fmt.Errorf("list the processes under %d: %w", pid, err)
		}
		p.during, p.listed = Tree{PID: pid, Resident: true, members: members}, time.Now()
	}
	return p.read(ctx, p.during)
}

// nothing is the memory of no process, of the kind that the system's readings
// are.
func nothing() exobench.Values {
	var m memory
	if runtime.GOOS == "linux" {
		m.pss = new(exobench.Bytes)
	}
	return m.values()
}
