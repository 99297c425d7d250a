package resource

import (
	"context"
	"runtime"
	"time"

	"exobench"
)

// Processes is a sensor of the memory of an engine's processes: that of a process
// and of everything it started. Read must not be called concurrently.
//
// It reads proportional set sizes where the system has them, except while
// requests are under way on an engine so large that reading them is dear: then
// it reads resident ones. What a reading costs is known from those taken before.
type Processes struct {
	find func() (pid int, err error)
	// read is replaced in tests.
	read func(context.Context, Tree) (exobench.Values, error)
	// known is the process of which cost, that of a full reading, is known.
	known int
	cost  time.Duration
}

// dear is what a reading of proportional sizes may cost to be taken during
// requests.
const dear = 5 * time.Millisecond

// NewProcesses returns a sensor of the process that find returns and of its
// descendants. find is asked at each reading; a process of 0 is an engine that
// has not been started, whose memory is 0.
func NewProcesses(find func() (pid int, err error)) *Processes {
	return &Processes{find: find, read: func(ctx context.Context, t Tree) (exobench.Values, error) { return t.Read(ctx) }}
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
	if m == exobench.During && pid == p.known {
		return p.read(ctx, Tree{PID: pid, Resident: p.cost > dear})
	}
	began := time.Now()
	values, err := p.read(ctx, Tree{PID: pid})
	if err == nil {
		p.known, p.cost = pid, time.Since(began)
	}
	return values, err
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
