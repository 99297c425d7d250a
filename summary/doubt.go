package summary

import (
	"fmt"
	"time"

	"exobench"
)

// The bounds beyond which a cell is in doubt.
const (
	// doubtfulSteal and doubtfulForeign are shares of all cores.
	doubtfulSteal   = 0.02
	doubtfulForeign = 0.05
	// doubtfulHiccup is a share of the shortest thing that was measured.
	doubtfulHiccup = 0.05
	// doubtfulHarness is a share of the CPU time that the engine, other
	// processes and the host left to the harness.
	doubtfulHarness = 0.5
	// leastHarness is the share of all cores below which the harness is no limit,
	// however little was left to it: others may have given way to it.
	leastHarness = 0.05
)

// sharesNeed is how long a cell must last for its shares of CPU time to mean
// anything: the system counts it in ticks of 10 ms.
const sharesNeed = time.Second

// doubts says why the figures of a cell may not be trusted, each reason in one
// sentence that ends with what to do; none where nothing stood in the way. Figures
// that are absent raise no doubt.
//
// Shortest is the shortest thing that is reported of the cell, such as its median
// gap between chunks; 0 leaves hiccups out.
//
// Stamped is the shortest thing that a late stamp of the harness would bend: where
// the kernel stamps events it is Shortest again.
//
// The harness may itself be the limit where it used more than half of the CPU time
// that was left to it. Note: a share of one core for each stream would not do: 64
// streams on two cores never reach it, however late they are read.
func doubts(d exobench.Disturbance, shortest, stamped time.Duration) []string {
	var texts []string
	add := func(format string, args ...any) { texts = append(texts, fmt.Sprintf(format, args...)) }
	if d.Wall < sharesNeed {
		d.Steal, d.Foreign, d.HarnessCPU = nil, nil, nil
	}
	if over(d.Steal, doubtfulSteal) {
		add("The host of this virtual machine took away %s of its CPU time (more than %s): repeat the run when the host is quieter, or on a machine of its own.",
			percent(*d.Steal), percent(doubtfulSteal))
	}
	if over(d.Foreign, doubtfulForeign) {
		whose := "Other processes"
		if d.EngineCPU == nil {
			whose = "Other processes (the engine among them, if it runs on this machine: its process was not seen)"
		}
		add("%s used %s of the machine's CPU time (more than %s): end them and repeat the run.",
			whose, percent(*d.Foreign), percent(doubtfulForeign))
	}
	if shortest > 0 && float64(d.HiccupMax) > doubtfulHiccup*float64(shortest) {
		add("A thread of exobench was kept from running for up to %v, which is %s of the shortest thing measured (%v; more than %s): do not trust single long values, and repeat the run on a quieter machine or measure something longer.",
			round(d.HiccupMax), percent(float64(d.HiccupMax)/float64(shortest)), round(shortest), percent(doubtfulHiccup))
	}
	if pause := d.GCPauseMax; shortest > 0 && float64(pause) > doubtfulHiccup*float64(shortest) {
		add("client-bound: collecting its garbage stopped exobench for up to %v, which is %s of the shortest thing measured (%v; more than %s): lower the concurrency or leave exobench more memory and CPU.",
			round(pause), percent(float64(pause)/float64(shortest)), round(shortest), percent(doubtfulHiccup))
	}
	if wait := d.SchedulerP99; stamped > 0 && float64(wait) > doubtfulHiccup*float64(stamped) {
		add("client-bound: what exobench had ready to run waited up to %v for a core (99th percentile), which is %s of the shortest thing that this bends (%v; more than %s): lower the concurrency, or run exobench on another machine than the engine.",
			round(wait), percent(float64(wait)/float64(stamped)), round(stamped), percent(doubtfulHiccup))
	}
	if d.HarnessCPU == nil {
		return texts
	}
	if left := 1 - known(d.EngineCPU) - known(d.Foreign) - known(d.Steal); *d.HarnessCPU > max(leastHarness, doubtfulHarness*left) {
		add("exobench used %s of the machine's CPU time, more than half of the %s that was left to it, and may itself be the limit: run it on another machine than the engine, or with a lower concurrency.",
			percent(*d.HarnessCPU), percent(max(0, left)))
	}
	return texts
}

func over(share *float64, bound float64) bool { return share != nil && *share > bound }

func known(share *float64) float64 {
	if share == nil {
		return 0
	}
	return *share
}

// percent writes a share with as many digits as matter.
func percent(share float64) string {
	if share >= 0.0995 {
		return fmt.Sprintf("%.0f %%", 100*share)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}

// round cuts a span to what can be read at a glance.
func round(d time.Duration) time.Duration {
	if d >= 10*time.Millisecond {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}
