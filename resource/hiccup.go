package resource

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
	"exobench/internal/histogram"
	"exobench/internal/panics"
)

// heartbeat is how long the probe asks to sleep. A wake-up costs some 3 µs on
// bare metal and 15 to 35 µs in a virtual machine, and the Go runtime's own thread
// that looks after threads in system calls (sysmon) as much again: at most 1 % of
// a core in all.
const heartbeat = 10 * time.Millisecond

// probe is a thread that sleeps for a heartbeat again and again and notes how much
// later than asked it ran.
//
// A gap is what a thread of ours, such as one that reads from a socket, suffers
// at that moment: the host took the core away, another process had it, or, where
// all of our Go runtime's processors are in use, it waited for one of those. It
// is for systems that do not count that themselves; see [runDelays].
type probe struct {
	halt atomic.Bool
	done chan struct{}
	gaps gaps
	// These are replaced in tests.
	sleep func(time.Duration)
	now   func() time.Duration
}

func startProbe() *probe {
	began := time.Now()
	p := &probe{
		done: make(chan struct{}), sleep: sleepThread,
		now: func() time.Duration { return time.Since(began) },
	}
	go panics.Caught(func() {
		defer close(p.done)
		// Never unlocked: the thread, whose wake-ups are made exact, ends with the
		// goroutine.
		runtime.LockOSThread()
		sharpen()
		p.run()
	})()
	return p
}

// stop ends the probe and returns what it noted.
func (p *probe) stop() *gaps {
	p.halt.Store(true)
	<-p.done
	return &p.gaps
}

func (p *probe) run() {
	for asleep := p.now(); !p.halt.Load(); {
		p.sleep(heartbeat)
		awake := p.now()
		p.gaps.note(awake - asleep - heartbeat)
		asleep = awake
	}
}

// gaps are how much later than asked a thread ran.
type gaps struct{ histogram.Histogram }

// note adds a gap, and for a gap of several heartbeats the shorter ones that
// wake-ups during it would have met: else a stall of a second would weigh as
// much as a heartbeat that went well. This is the correction of HdrHistogram for
// coordinated omission (recordValueWithExpectedInterval).
func (g *gaps) note(gap time.Duration) {
	g.Record(gap)
	for gap -= heartbeat; gap > 0; gap -= heartbeat {
		g.Record(gap)
	}
}

func (g *gaps) values() exobench.Values {
	return exobench.Values{
		{Quantity: exobench.HiccupP99, Value: float64(g.Quantile(0.99))},
		{Quantity: exobench.HiccupMax, Value: float64(g.Max())},
	}
}

// ownTime is the CPU time that this process has used; nil where the system does
// not tell.
func ownTime() *time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return nil
	}
	return new(time.Duration(usage.Utime.Nano() + usage.Stime.Nano()))
}
