package load

import (
	"math/rand/v2"
	"time"

	"exobench"
)

// Source says what is sent next, and when. It tells no time and never waits, so
// that a table can test it. Run calls its methods one at a time.
type Source interface {
	// Next returns the next request and when it is due; 0 is as soon as a worker
	// is free. It is asked at that moment: when the request before is handed
	// over if that one had a time, else when a worker is free. A reason that is
	// not empty says that there is no next one, and why.
	Next(at exobench.Instant) (r exobench.Request, due exobench.Instant, end exobench.BlockEndReason)
	// Ended is told of every request that has ended, before the next is asked
	// for in its place. The record is valid during the call.
	Ended(r *exobench.Record)
}

// Loop is the source of a plain loop, closed or open, which ends with whichever
// of Count and Duration is set and comes first. It is used once.
type Loop struct {
	// Request makes the next request. It is not called for one that would be
	// beyond the end.
	Request func() exobench.Request
	// Schedule says when requests are due; nil is a closed loop, in which each
	// is due as soon as a worker is free.
	Schedule Schedule
	// Count is the number of requests; 0 is no bound.
	Count int
	// Duration is the time in which requests are due; 0 is no bound.
	Duration time.Duration

	made int
	// start is when the time begins.
	start exobench.Instant
}

// lead is the time before the first request of an open loop, so that it is on
// time too.
const lead = 5 * time.Millisecond

// Next returns the next request, or why there is none.
func (l *Loop) Next(at exobench.Instant) (r exobench.Request, due exobench.Instant, end exobench.BlockEndReason) {
	if l.made == 0 {
		l.start = at
		if l.Schedule != nil {
			l.start = at.Add(lead)
		}
	}
	if l.Count > 0 && l.made == l.Count {
		return r, 0, exobench.BlockDone
	}
	if l.Schedule != nil {
		due = l.start.Add(l.Schedule.Next())
		at = due
	}
	if l.Duration > 0 && at.Sub(l.start) >= l.Duration {
		return r, 0, exobench.BlockTime
	}
	l.made++
	return l.Request(), due, ""
}

// Ended does nothing: a plain loop takes no notice of how requests end.
func (l *Loop) Ended(*exobench.Record) {}

// Until is the source of a loop that goes on, repeat by repeat, until enough is known.
// It ends between repeats alone, so that each prompt is sent equally often. It is used
// once.
type Until struct {
	// Loop makes the requests. Its Count is the most of them, and its Duration 0.
	*Loop
	// Size is the number of requests in a repeat, Least how many repeats there are at
	// least.
	Size, Least int
	// Time is after which time no repeat begins any more; 0 is no bound.
	Time time.Duration
	// Rule knows when enough is known.
	Rule Rule
}

// Rule knows whether the requests so far tell enough.
type Rule interface {
	// Saw is told of every request that has ended. The record is valid during the
	// call.
	Saw(r *exobench.Record)
	// Enough is asked before each repeat, with those requests under way that a loop
	// has under way.
	Enough() bool
}

// Next returns the next request, or why there is none.
func (u *Until) Next(at exobench.Instant) (r exobench.Request, due exobench.Instant, end exobench.BlockEndReason) {
	if u.made%u.Size == 0 && u.made >= u.Least*u.Size && u.made > 0 {
		switch {
		case u.Rule.Enough():
			return r, 0, exobench.BlockPrecise
		case u.made == u.Count:
		case u.Time > 0 && at.Sub(u.start) >= u.Time:
			return r, 0, exobench.BlockTime
		}
	}
	return u.Loop.Next(at)
}

// Ended tells the rule of a request that has ended.
func (u *Until) Ended(r *exobench.Record) { u.Rule.Saw(r) }

// Repeats is how many repeats were begun.
func (u *Until) Repeats() int { return (u.made + u.Size - 1) / u.Size }

// GiveUp lowers the bound to the requests that are owed where no answers come any
// more: those of the least repeats and of the one that was begun.
func (u *Until) GiveUp() { u.Count = max(u.Least, u.Repeats()) * u.Size }

// Schedule says when requests of an open loop are due: the time from the start
// to each, in order.
type Schedule interface {
	// Next returns the time of the next request.
	Next() time.Duration
}

// Constant sends at even steps.
type Constant struct {
	// Rate is in requests per second.
	Rate float64
	n    int
}

// Next returns n / rate, for n from 0.
func (c *Constant) Next() time.Duration {
	at := time.Duration(float64(c.n) / c.Rate * float64(time.Second))
	c.n++
	return at
}

// Poisson sends as independent users would: the steps are exponential.
type Poisson struct {
	// Rate is the mean rate in requests per second.
	Rate float64
	// Rand is where the steps are drawn from.
	Rand *rand.Rand
	at   float64 // seconds
}

// Next returns the time before, and an exponential step of mean 1 / rate.
func (p *Poisson) Next() time.Duration {
	p.at += p.Rand.ExpFloat64() / p.Rate
	return time.Duration(p.at * float64(time.Second))
}
