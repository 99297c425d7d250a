package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"exobench"
	"exobench/alarm"
)

// Schedule says when requests of an open loop go: the time from the start to
// each, in order.
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
	rate float64
	rng  *rand.Rand
	at   float64 // seconds
}

// NewPoisson returns a schedule of a mean rate in requests per second.
func NewPoisson(rate float64, seed uint64) *Poisson {
	return &Poisson{rate: rate, rng: rand.New(rand.NewPCG(seed, 0))}
}

// Next returns the time before, and an exponential step of mean 1 / rate.
func (p *Poisson) Next() time.Duration {
	p.at += p.rng.ExpFloat64() / p.rate
	return time.Duration(p.at * float64(time.Second))
}

// Open has each request sent at its time (Request.Scheduled) whatever has become of those before it,
// so the engine's slowness cannot slow the load down. A record's Scheduled is
// when its request was to go; how much later it went is Sent − Scheduled.
//
// done gets every record as it ends, one at a time. Open returns when all have
// ended, or when ctx is done and those under way have ended; what was not sent
// then has no record. An error of done stops the sending and is returned.
func Open(ctx context.Context, doer Doer, clock exobench.Clock, requests []exobench.Request, schedule Schedule, done func(exobench.Record) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bell, err := alarm.New()
	if err != nil {
		return fmt.Errorf("pace requests: %w", err)
	}
	defer bell.Close()
	o := opening{
		ctx: ctx, cancel: cancel, doer: doer, bell: bell, schedule: schedule, requests: requests, done: done,
		// The first request goes a little later, so that it is on time too.
		start: clock.Now().Add(lead), zero: exobench.Monotonic() + int64(lead),
	}
	o.next(0)
	o.under.Wait()
	return o.queue.err
}

// opening is an open loop under way.
type opening struct {
	ctx      context.Context
	cancel   context.CancelFunc
	doer     Doer
	bell     *alarm.Alarm
	schedule Schedule
	requests []exobench.Request
	done     func(exobench.Record) error
	// start and zero are when the schedule begins, on the run's clock and on
	// the alarm's.
	start exobench.Instant
	zero  int64

	under sync.WaitGroup
	queue queue
}

// next starts the goroutine of request i. It wakes shortly before its time and
// hands the request to the Doer, which makes it ready and sends it at its time:
// waking another goroutine for that would cost tens of microseconds. The wait for the next request is left to the next goroutine.
func (o *opening) next(i int) {
	if i == len(o.requests) {
		return
	}
	after := o.schedule.Next()
	o.under.Go(func() {
		if o.bell.Sleep(o.ctx, o.zero+int64(after-alarm.Early)) != nil {
			return
		}
		o.next(i + 1)
		request := o.requests[i]
		request.Scheduled = o.start.Add(after)
		record := o.doer.Do(o.ctx, request)
		record.Scheduled = request.Scheduled
		if o.queue.finish(record, o.done) != nil {
			o.cancel()
		}
	})
}

// lead is the time before the first request.
const lead = 5 * time.Millisecond
