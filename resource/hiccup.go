package resource

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"exobench/internal/histogram"
)

// The probe asks to sleep for a heartbeat. Where waking up is so costly that this
// would take more than 1/frugality of one core it asks for longer, up to
// slowestBeat: on bare metal a wake-up costs some 3 µs, in a virtual machine 15
// to 35 µs. The Go runtime's own thread that looks after threads in system calls
// (sysmon) costs as much again.
const (
	heartbeat   = time.Millisecond
	slowestBeat = 10 * time.Millisecond
	frugality   = 200
	// weighing is after how many wake-ups their cost is looked at.
	weighing = 16
)

// probe is a thread that sleeps for a heartbeat again and again and notes how much
// later than asked it ran.
//
// A gap is what a thread of ours, such as one that reads from a socket, suffers
// at that moment: the host took the core away, another process had it, or, where
// all of our Go runtime's processors are in use, it waited for one of those.
type probe struct {
	halt atomic.Bool
	done chan struct{}
	gaps gaps
	// These are replaced in tests.
	sleep func(time.Duration)
	now   func() time.Duration
	busy  func() time.Duration
}

func startProbe() *probe {
	began := time.Now()
	p := &probe{
		done: make(chan struct{}), sleep: sleepThread, busy: threadTime,
		now: func() time.Duration { return time.Since(began) },
	}
	go func() {
		defer close(p.done)
		// Never unlocked: the thread, whose wake-ups are made exact, ends with the
		// goroutine.
		runtime.LockOSThread()
		sharpen()
		p.run()
	}()
	return p
}

// stop ends the probe and returns what it noted.
func (p *probe) stop() *gaps {
	p.halt.Store(true)
	<-p.done
	return &p.gaps
}

func (p *probe) run() {
	beat, asleep, spent := heartbeat, p.now(), p.busy()
	for !p.halt.Load() {
		p.sleep(beat)
		awake := p.now()
		p.gaps.note(awake-asleep-beat, beat)
		asleep = awake
		if p.gaps.wakes%weighing == 0 {
			cost := p.busy() - spent
			spent += cost
			beat = min(max(heartbeat, cost/weighing*frugality), slowestBeat)
			asleep = p.now()
		}
	}
}

// gaps are how much later than asked a thread ran.
type gaps struct {
	histogram.Histogram
	// wakes is how often the thread ran.
	wakes int
}

// note adds a gap, and for a gap of several heartbeats the shorter ones that
// wake-ups during it would have met: else a stall of a second would weigh as
// much as a millisecond that went well. This is the correction of
// HdrHistogram for coordinated omission (recordValueWithExpectedInterval).
func (g *gaps) note(gap, beat time.Duration) {
	g.wakes++
	g.Record(gap)
	for gap -= beat; gap > 0; gap -= beat {
		g.Record(gap)
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
