package resource

import (
	"math/bits"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// heartbeat is how long the probe asks to sleep.
const heartbeat = time.Millisecond

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
}

func startProbe() *probe {
	p := &probe{done: make(chan struct{})}
	go func() {
		defer close(p.done)
		// Never unlocked: the thread, whose wake-ups are costly, ends with the
		// goroutine.
		runtime.LockOSThread()
		sharpen()
		began := time.Now()
		p.run(func() { sleepThread(heartbeat) }, func() time.Duration { return time.Since(began) })
	}()
	return p
}

// stop ends the probe and returns what it noted.
func (p *probe) stop() *gaps {
	p.halt.Store(true)
	<-p.done
	return &p.gaps
}

func (p *probe) run(sleep func(), now func() time.Duration) {
	for asleep := now(); !p.halt.Load(); {
		sleep()
		awake := now()
		p.gaps.note(awake - asleep - heartbeat)
		asleep = awake
	}
}

// gaps is a histogram of fixed size. Its buckets are 1/16 of their power of two
// wide, so a quantile is at most 6.25 % too high, never too low.
type gaps struct {
	counts [64 * gapSteps]uint32
	n      int
	max    time.Duration
	// wakes is how often the thread ran.
	wakes int
}

const gapSteps = 16

// note adds a gap, and for a gap of several heartbeats the shorter ones that
// wake-ups during it would have met: else a stall of a second would weigh as
// much as a millisecond that went well. This is the correction of
// HdrHistogram for coordinated omission (recordValueWithExpectedInterval).
func (g *gaps) note(gap time.Duration) {
	gap = max(gap, 0)
	g.wakes++
	g.max = max(g.max, gap)
	for ; ; gap -= heartbeat {
		g.counts[gapBucket(gap)]++
		g.n++
		if gap <= heartbeat {
			return
		}
	}
}

// quantile returns the least bound that p of the gaps do not exceed; 0 where there
// are none.
func (g *gaps) quantile(p float64) time.Duration {
	seen := 0
	for i, count := range &g.counts {
		seen += int(count)
		if seen > 0 && float64(seen) >= p*float64(g.n) {
			return min(gapBound(i), g.max)
		}
	}
	return g.max
}

func gapBucket(gap time.Duration) int {
	if gap < gapSteps {
		return int(gap)
	}
	power := bits.Len64(uint64(gap)) - 5
	return (power+1)*gapSteps + int(gap>>power) - gapSteps
}

// gapBound is the longest gap of a bucket.
func gapBound(bucket int) time.Duration {
	if bucket < gapSteps {
		return time.Duration(bucket)
	}
	power := bucket/gapSteps - 1
	return time.Duration(bucket%gapSteps+gapSteps+1)<<power - 1
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
