package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"exobench"
	"exobench/alarm"
	"exobench/internal/panics"
)

// Doer sends one request and waits for its end. It is called concurrently. A
// request that fails is a record too.
//
// Where r.Scheduled is set, Do is called a little before that instant
// (alarm.Early before it, or less on a busy machine) and must send at it, no
// earlier: it makes ready what can be made ready and watches the clock for the
// rest. Waking another goroutine for that would cost tens of microseconds.
// Otherwise it sends at once.
//
// Do sets what the engine and the wire tell. What was asked (Seq, Block,
// PromptID, Repeat) and Scheduled are set by Run.
type Doer interface {
	Do(ctx context.Context, r exobench.Request) exobench.Record
}

// DoerFunc is a function that is a Doer.
type DoerFunc func(ctx context.Context, r exobench.Request) exobench.Record

// Do calls f.
func (f DoerFunc) Do(ctx context.Context, r exobench.Request) exobench.Record { return f(ctx, r) }

// Run has the source's requests sent when they are due, with at most so many
// workers, which is how many requests may be under way; 0 is no bound. A request
// without a time goes as soon as a worker is free, and counts as scheduled when
// it was sent. One whose time has come while all workers are busy is dropped: it
// is a record that says so.
//
// done gets every record as it ends, one at a time. Run returns when the source
// has no more requests and all have ended, or when ctx is done and the requests
// under way have ended; what was not sent then has no record. It returns why no
// more were sent: what the source said, an interrupt, or, with an error, that
// exobench could not go on. An error of done stops the sending.
func Run(ctx context.Context, doer Doer, clock exobench.Clock, source Source, workers int,
	done func(exobench.Record) error,
) (exobench.BlockEndReason, error) {
	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	p := pacer{doer: doer, clock: clock, source: source, done: done, cancel: cancel}
	if workers > 0 {
		p.workers = make(chan struct{}, workers)
	}
	p.under.Go(panics.Caught(func() { p.turn(sending, false) }))
	p.under.Wait()
	if p.alarm != nil {
		p.alarm.Close()
	}
	switch {
	case p.err != nil:
		return exobench.BlockFailed, p.err
	case ctx.Err() != nil:
		return exobench.BlockInterrupted, nil
	}
	return p.end, nil
}

// pacer is a loop under way. One goroutine at a time has the turn: it asks for
// the next request, waits until that is due, hands the turn on and sends the
// request itself.
type pacer struct {
	doer   Doer
	clock  exobench.Clock
	done   func(exobench.Record) error
	cancel context.CancelFunc
	under  sync.WaitGroup
	// alarm is made when it is first needed; it belongs to who has the turn.
	alarm *alarm.Alarm
	// workers holds one element for each that is busy; nil is no bound.
	workers chan struct{}

	mu     sync.Mutex // of what follows
	source Source
	end    exobench.BlockEndReason
	// parked is set while the turn waits for a worker to be free.
	parked bool

	doneMu sync.Mutex // of what follows, and held while done is called
	err    error
}

// turn sends requests for as long as it has the turn. held reports whether it
// has a worker for the next one.
func (p *pacer) turn(ctx context.Context, held bool) {
	for {
		request, due, ok := p.next(ctx)
		if !ok {
			if held {
				p.takeOver() // which sets the worker free: nobody else has the turn
			}
			return
		}
		if due.Reached() {
			if !p.sleep(ctx, due) {
				return
			}
			// The successor is on its way before the work begins.
			p.under.Go(panics.Caught(func() { p.turn(ctx, false) }))
			request.Scheduled = due
			if !held && !p.acquireBy(ctx, due) {
				p.drop(ctx, request)
				return
			}
		} else {
			if !held && !p.acquire(ctx) {
				return
			}
			p.handOver(ctx)
		}
		p.finish(request, p.doer.Do(ctx, request))
		if !p.takeOver() {
			return
		}
		held = true
	}
}

func (p *pacer) next(ctx context.Context) (r exobench.Request, due exobench.Instant, ok bool) {
	if ctx.Err() != nil {
		return r, 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r, due, p.end = p.source.Next(p.clock.Now())
	return r, due, p.end == ""
}

// near is how long before an instant the alarm is set: a timer of the runtime,
// which may be a millisecond late, is good enough for the time before. So a
// test in virtual time waits for no more than this in real time.
const near = 3 * time.Millisecond

// sleep returns a little before the instant, and reports whether the loop goes
// on.
func (p *pacer) sleep(ctx context.Context, due exobench.Instant) bool {
	if far := due.Sub(p.clock.Now()) - near; far > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(far):
		}
	}
	if p.alarm == nil {
		a, err := alarm.New()
		if err != nil {
			p.fail(fmt.Errorf("pace requests: %w", err))
			return false
		}
		p.alarm = a
	}
	rest := due.Sub(p.clock.Now())
	return p.alarm.Sleep(ctx, exobench.Monotonic()+int64(rest-alarm.Early)) == nil
}

// acquire waits for a worker.
func (p *pacer) acquire(ctx context.Context) bool {
	if p.workers == nil {
		return true
	}
	select {
	case p.workers <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// acquireBy waits for a worker until the instant.
func (p *pacer) acquireBy(ctx context.Context, due exobench.Instant) bool {
	if p.tryAcquire() {
		return true
	}
	select {
	case p.workers <- struct{}{}:
		return true
	case <-time.After(due.Sub(p.clock.Now())):
		return false
	case <-ctx.Done():
		return false
	}
}

func (p *pacer) tryAcquire() bool {
	if p.workers == nil {
		return true
	}
	select {
	case p.workers <- struct{}{}:
		return true
	default:
		return false
	}
}

// handOver passes the turn on in a closed loop: to a goroutine of its own where
// a worker is free, else to the worker that is free first, which goes on without
// another goroutine having to wake.
func (p *pacer) handOver(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tryAcquire() {
		p.under.Go(panics.Caught(func() { p.turn(ctx, true) }))
	} else {
		p.parked = true
	}
}

// takeOver takes the turn if it waits for a worker, else sets the worker free.
func (p *pacer) takeOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parked {
		p.parked = false
		return true
	}
	if p.workers != nil {
		<-p.workers
	}
	return false
}

// drop records a request for which no worker was free, unless it is an
// interrupt that ended the waiting for one.
func (p *pacer) drop(ctx context.Context, r exobench.Request) {
	if ctx.Err() != nil {
		return
	}
	p.finish(r, exobench.Record{
		Outcome: exobench.Dropped, Ended: p.clock.Now(),
		Error: fmt.Sprintf("not sent: the traffic allows no more than %d requests under way", cap(p.workers)),
	})
}

// finish completes a record and hands it over.
func (p *pacer) finish(r exobench.Request, record exobench.Record) {
	record.Seq, record.Block, record.PromptID, record.Repeat = r.Seq, r.Block, r.Prompt.ID, r.Repeat
	record.Scheduled = r.Scheduled
	if !r.Scheduled.Reached() {
		record.Scheduled = record.Sent
	}
	p.mu.Lock()
	p.source.Ended(&record)
	p.mu.Unlock()

	p.doneMu.Lock()
	defer p.doneMu.Unlock()
	if p.err != nil {
		return
	}
	if p.err = p.done(record); p.err != nil {
		p.cancel()
	}
}

func (p *pacer) fail(err error) {
	p.doneMu.Lock()
	defer p.doneMu.Unlock()
	if p.err == nil {
		p.err = err
	}
	p.cancel()
}
