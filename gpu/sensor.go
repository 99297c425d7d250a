package gpu

import (
	"context"
	"fmt"
	"slices"
	"time"

	"exobench"
)

// Sensor gives what the GPUs do and what an engine's processes hold on them: a
// sample of each GPU. Read must not be called concurrently.
type Sensor struct {
	source  *Source
	members func(context.Context) ([]int, error)
	// listed is when pids were asked for last.
	pids   []int
	err    error
	listed time.Time
	// told is the instant of the sample of each GPU that was returned last.
	told map[string]exobench.Instant
	// files are those of DRM devices that the processes had open.
	files openFiles
}

// Sensor returns a sensor of the memory of the processes that members returns, and
// of all that the GPUs do. It is asked at each reading, but during requests once a
// second; no processes are an engine that has not been started.
func (s *Source) Sensor(members func(context.Context) ([]int, error)) *Sensor {
	return &Sensor{source: s, members: members, told: map[string]exobench.Instant{}}
}

// Name returns "gpu".
func (*Sensor) Name() string { return "gpu" }

// Every returns the time between two lines of nvidia-smi.
func (*Sensor) Every() time.Duration { return period }

// listEvery is how long processes that the engine starts during requests may go
// unseen.
const listEvery = time.Second

// Read returns the latest sample of each GPU, each with its own instant. It waits
// for what is about to come, but never while requests are under way; then it leaves
// out what it returned before.
func (s *Sensor) Read(ctx context.Context, m exobench.Moment) ([]exobench.Sample, error) {
	listed := m != exobench.During || time.Since(s.listed) >= listEvery
	if listed {
		s.pids, s.err = s.members(ctx)
		s.listed = time.Now()
	}
	var samples []exobench.Sample
	var err error
	if n := s.source.nvidia; n != nil {
		if m != exobench.During {
			n.await(ctx)
		}
		samples, err = s.nvidia(n, m), n.failed()
	}
	return append(samples, s.cards(listed)...), err
}

// failed says why nothing is read of devices, where nvidia-smi does not run.
func (n *nvidia) failed() error {
	ids, _ := n.devices.now(n.clock.Now())
	if s := n.streams[0].state(); len(ids) == 0 && s.began == 0 && s.reason != "" {
		return fmt.Errorf("nvidia-smi: %s", s.reason)
	}
	return nil
}

// cards reads the GPUs of AMD and Intel; listed is set where the processes were
// listed anew.
func (s *Sensor) cards(listed bool) []exobench.Sample {
	if len(s.source.cards) == 0 {
		return nil
	}
	if listed {
		s.files.find(s.source.config.Proc, s.pids)
	}
	clients := s.files.read()
	var samples []exobench.Sample
	for i := range s.source.cards {
		c := &s.source.cards[i]
		now := s.source.config.Clock.Now()
		values := c.read()
		if size, known := held(clients, c.ID, c.Unified); known && s.err == nil && !s.files.hidden {
			values = append(values, exobench.Value{Quantity: exobench.GPUEngine, Value: size})
		}
		if len(values) == 0 {
			continue
		}
		if c.Unified {
			values = append(values, exobench.Value{Quantity: exobench.GPUUnified, Value: 1})
		}
		samples = append(samples, exobench.Sample{At: now, Sensor: s.Name(), Of: c.ID, Values: values})
	}
	return samples
}

func (s *Sensor) nvidia(n *nvidia, m exobench.Moment) []exobench.Sample {
	now := s.source.config.Clock.Now()
	ids, all := n.devices.now(now)
	_, held, listed := n.list(now)
	var samples []exobench.Sample
	for i, id := range ids {
		if m == exobench.During && s.told[id] == all[i].at {
			continue
		}
		s.told[id] = all[i].at
		values := slices.Clone(all[i].values)
		if s.source.names[id].Unified {
			values = append(values, exobench.Value{Quantity: exobench.GPUUnified, Value: 1})
		}
		if listed && s.err == nil {
			if size, known := n.of(held, id, s.pids); known {
				values = append(values, exobench.Value{Quantity: exobench.GPUEngine, Value: size})
			}
		}
		samples = append(samples, exobench.Sample{At: all[i].at, Sensor: s.Name(), Of: id, Values: values})
	}
	return samples
}

// of returns the memory that processes hold on a device. It is not known where the
// driver hides that of one of them, nor, where the driver may number processes
// otherwise than the system does here, where it lists none of them.
func (n *nvidia) of(all []holding, uuid string, pids []int) (float64, bool) {
	sum, ours := 0.0, false
	for _, h := range all {
		ours = ours || slices.Contains(pids, h.pid)
		switch {
		case h.uuid == "":
			return 0, false
		case h.uuid != uuid:
		case h.pid == 0:
			return 0, false
		case !slices.Contains(pids, h.pid):
		case h.bytes < 0:
			return 0, false
		default:
			sum += h.bytes
		}
	}
	return sum, ours || len(pids) == 0 || !n.apart
}

// list returns the list of processes as it is now; see holders.now. Where no process
// is listed nothing is written, so that the lines of devices tell that nvidia-smi
// works.
func (n *nvidia) list(now exobench.Instant) (at exobench.Instant, all []holding, there bool) {
	devices, processes := n.streams[0].state(), n.streams[1].state()
	if devices.first == 0 || processes.began == 0 {
		return 0, nil, false
	}
	return n.holders.now(now, max(devices.first, processes.began))
}

// awaitTime bounds the wait for what nvidia-smi says first: without persistence
// mode it loads the driver before.
const awaitTime = 10 * time.Second

// await waits until both have told something that is of later than the call, or
// cannot.
func (n *nvidia) await(ctx context.Context) {
	timer, tick := time.NewTimer(awaitTime), time.NewTicker(10*time.Millisecond)
	defer timer.Stop()
	defer tick.Stop()
	for since := n.clock.Now(); !n.told(since); {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-tick.C:
		}
	}
}

// told reports whether both have told something that is of later than an instant,
// or cannot.
func (n *nvidia) told(since exobench.Instant) bool {
	now := n.clock.Now()
	devices, processes := n.streams[0].state(), n.streams[1].state()
	_, all := n.devices.now(now)
	told := slices.ContainsFunc(all, func(r reading) bool { return r.at > since })
	if !told && (devices.began != 0 || devices.reason == "") {
		return false
	}
	if processes.began == 0 && processes.reason != "" {
		return true
	}
	at, held, there := n.list(now)
	// The next list may be the first that is not empty.
	return there && at > since && (len(held) > 0 || now.Sub(since) > period*3/2)
}
