package resource

import (
	"sync"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// lookEvery is the time between two looks at what the kernel counts of our
// threads.
const lookEvery = time.Second

// threadRun is what the kernel counts of one thread: how long it ran, how long it
// waited for a core while it could have run, and how often it got one.
type threadRun struct {
	ran, waited time.Duration
	times       uint64
}

// threads are those of this process, by their ids.
type threads map[int]threadRun

// runDelays sums how long the threads of this process waited for a core. The
// kernel counts that anyhow, so it is read at both ends of the span and once a
// second between; a thread that looks for gaps by itself, as [probe] does, would
// take more from the engine than all of the reading.
type runDelays struct {
	read func() threads
	last threads

	ran, waited time.Duration
	longest     time.Duration
}

// look adds what came since the last look. A thread that is new, or that has the
// number of one that ended, began in between; what one that ended waited for since
// the last look is lost.
func (d *runDelays) look() {
	now := d.read()
	for id, t := range now {
		then := d.last[id]
		if t.times < then.times {
			then = threadRun{}
		}
		times := t.times - then.times
		if times == 0 {
			continue
		}
		d.ran += t.ran - then.ran
		waited := t.waited - then.waited
		d.waited += waited
		d.longest = max(d.longest, waited/time.Duration(times))
	}
	d.last = now
}

// values returns the sums; nothing where no thread ran.
func (d *runDelays) values() exobench.Values {
	wanted := d.ran + d.waited
	if wanted <= 0 {
		return nil
	}
	return exobench.Values{
		{Quantity: exobench.RunDelayShare, Value: d.waited.Seconds() / wanted.Seconds()},
		{Quantity: exobench.RunDelayMax, Value: float64(d.longest)},
	}
}

// watchDelays begins to watch what keeps our threads from running. stop ends it
// and returns what was seen: run delays where the kernel counts them, else the
// gaps of a probe.
func watchDelays() (stop func() exobench.Values) {
	before := ownThreads()
	if len(before) == 0 {
		probe := startProbe()
		return func() exobench.Values { return probe.stop().values() }
	}
	return watchRunDelays(&runDelays{read: ownThreads, last: before})
}

func watchRunDelays(d *runDelays) (stop func() exobench.Values) {
	halt := make(chan struct{})
	var under sync.WaitGroup
	under.Go(panics.Caught(func() {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for {
			select {
			case <-halt:
				return
			case <-ticker.C:
				d.look()
			}
		}
	}))
	return func() exobench.Values {
		close(halt)
		under.Wait()
		d.look()
		return d.values()
	}
}
