package summary

import (
	"math"
	"time"

	"exobench"
	"exobench/metric"
)

// The bounds beyond which a cell is in doubt.
const (
	// errorLimit is the share of what is measured that may be the harness's own
	// error.
	errorLimit = 0.05
	// lateLimit is the share of requests with a late first event from which on
	// the 99th percentile of TTFT is the harness's.
	lateLimit = 0.01
	// stealLimit and foreignLimit are shares of all cores.
	stealLimit   = 0.02
	foreignLimit = 0.05
	// stallLimit is a share of the shortest thing that was measured.
	stallLimit = 0.05
	// harnessLimit is a share of the CPU time that the engine, other processes
	// and the host left to the harness.
	harnessLimit = 0.5
	// leastHarness is the share of all cores below which the harness is no limit,
	// however little was left to it: others may have given way to it.
	leastHarness = 0.05
)

// sharesNeed is how long a cell must last for its shares of CPU time to mean
// anything: the system counts it in ticks of 10 ms.
const sharesNeed = time.Second

// doubtHarness says where the harness may have made the figures of a cell.
func doubtHarness(c *Cell) []Figures {
	var doubts []Figures
	if calibration := c.Calibration; calibration != nil {
		for _, check := range []struct {
			metric string
			off    time.Duration
		}{
			{metric.TTFT, calibration.TTFTP50},
			{metric.InterChunkP50, calibration.InterChunkP50},
		} {
			s, known := c.Metrics[check.metric]
			if off := math.Abs(check.off.Seconds()); known && off > errorLimit*s.Median {
				doubts = append(doubts, HarnessError{check.metric, check.off, errorLimit})
			}
		}
	}
	if c.Delay != nil && c.Delay.FirstLate > lateLimit {
		doubts = append(doubts, FirstEventsLate{c.Delay.FirstLate, lateLimit})
	}
	return doubts
}

// doubtMachine says where what else the machine did may have made the figures.
// What is absent raises no doubt. ours is the share of all cores that control
// groups leave to exobench and to what it starts.
func doubtMachine(c *Cell, ours float64) []Figures {
	if c.Machine == nil {
		return nil
	}
	var doubts []Figures
	m := *c.Machine
	if m.Wall < sharesNeed {
		m.Steal, m.Foreign, m.HarnessCPU = nil, nil, nil
	}
	if over(m.Steal, stealLimit) {
		doubts = append(doubts, TimeStolen{*m.Steal, stealLimit})
	}
	if over(m.Foreign, foreignLimit) {
		doubts = append(doubts, OthersBusy{*m.Foreign, foreignLimit, m.EngineCPU != nil})
	}
	shortest := c.median(metric.Latency)
	if s, bends := stall(m.LongestWait(), shortest); bends {
		doubts = append(doubts, Hiccup{s})
	}
	if s, bends := stall(m.GCPauseMax, shortest); bends {
		doubts = append(doubts, GarbagePause{s})
	}
	if s, bends := stall(m.SchedulerP99, c.stamped()); bends {
		doubts = append(doubts, CoreWait{s})
	}
	// Note: a share of one core for each stream would not do: 64 streams on two
	// cores never reach it, however late they are read.
	if m.HarnessCPU == nil {
		return doubts
	}
	left := 1 - known(m.EngineCPU) - known(m.Foreign) - known(m.Steal)
	if engine := known(m.EngineCPU); ours < 1 && engine < ours {
		left = min(left, ours-engine) // it takes from the same quota
	} else if ours < 1 {
		left = min(left, ours) // it cannot be in the same group
	}
	if *m.HarnessCPU > max(leastHarness*ours, harnessLimit*left) {
		doubts = append(doubts, HarnessBusy{*m.HarnessCPU, max(0, left)})
	}
	return doubts
}

// ours returns which share of the machine's cores control groups leave to the
// session that blocks ran in; 1 where that is all, or unknown.
func (f *Fold) ours(blocks []*block) float64 {
	if len(blocks) == 0 || f.steps[blocks[0].Step] == nil {
		return 1
	}
	h := f.sessions[f.steps[blocks[0].Step].Session].Host
	if all := max(h.Cores, h.CoresOnline); all > 0 {
		return h.Usable() / float64(all)
	}
	return 1
}

// stamped returns the shortest thing that a late stamp of the harness would
// bend. Without kernel stamps, whatever delays a read is in what it measures.
func (c *Cell) stamped() time.Duration {
	shortest := c.median(metric.Latency)
	if c.Delay != nil {
		return shortest
	}
	for _, name := range []string{metric.TTFT, metric.InterChunkP50} {
		if m := c.median(name); m > 0 {
			shortest = min(shortest, m)
		}
	}
	return shortest
}

// stall reports whether a time in which something did not go on is more than it
// may be of what was measured; 0 of that is unknown.
func stall(span *time.Duration, of time.Duration) (Stall, bool) {
	if span == nil || of <= 0 {
		return Stall{}, false
	}
	s := Stall{*span, of, float64(*span) / float64(of), stallLimit}
	return s, float64(s.Span) > stallLimit*float64(of)
}

func over(share *float64, bound float64) bool { return share != nil && *share > bound }

func known(share *float64) float64 {
	if share == nil {
		return 0
	}
	return *share
}

// median returns that of a metric in seconds; 0 where no request gives it.
func (c *Cell) median(name string) time.Duration {
	return time.Duration(c.Metrics[name].Median * float64(time.Second))
}

// calibrationOf returns the calibration that speaks for a cell: of those of the
// sessions in which it ran, or of all where they have none.
func (f *Fold) calibrationOf(c *Cell, blocks []*block) *exobench.Calibration {
	under := c.Traffic.Concurrency
	if c.Traffic.Open() {
		d, ok := c.Value(metric.Delivered)
		if !ok {
			return nil
		}
		under = int(math.Ceil(d))
	}
	var own []exobench.Calibration
	for _, calibration := range f.calibrations {
		for _, b := range blocks {
			if f.steps[b.Step].Session == calibration.Session {
				own = append(own, calibration)
				break
			}
		}
	}
	if len(own) == 0 {
		own = f.calibrations
	}
	return nearest(own, under)
}

// nearest returns the calibration with that many streams, or the next that has
// more, or else the largest.
func nearest(all []exobench.Calibration, under int) *exobench.Calibration {
	var best *exobench.Calibration
	for i := range all {
		c := &all[i]
		switch {
		case best == nil,
			c.Streams >= under && (best.Streams < under || c.Streams < best.Streams),
			best.Streams < under && c.Streams > best.Streams:
			best = c
		}
	}
	if best == nil {
		return nil
	}
	return new(*best)
}
