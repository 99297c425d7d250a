// Package load decides when requests go and drives them through a [Doer]: in a
// closed loop ([Closed]) or an open one ([Open]). It knows nothing of models,
// wires or statistics.
package load

import (
	"context"
	"sync"

	"exobench"
)

// Doer sends one request and waits for its end. It is called concurrently. A
// request that fails is a record too.
type Doer interface {
	Do(ctx context.Context, r exobench.Request) exobench.Record
}

// DoerFunc is a function that is a Doer.
type DoerFunc func(ctx context.Context, r exobench.Request) exobench.Record

// Do calls f.
func (f DoerFunc) Do(ctx context.Context, r exobench.Request) exobench.Record { return f(ctx, r) }

// Closed sends the requests in order from as many workers as concurrency says;
// each worker sends its next request when its last has ended, so a request is
// scheduled when it is sent. The workers share one queue: as long as requests
// are left, concurrency of them are under way.
//
// done gets every record as it ends, one at a time. Closed returns when all
// have ended, or when ctx is done and the requests under way have ended; what
// was not sent then has no record. An error of done stops the sending and is
// returned.
func Closed(ctx context.Context, doer Doer, requests []exobench.Request, concurrency int, done func(exobench.Record) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := queue{requests: requests}
	var workers sync.WaitGroup
	for range min(concurrency, len(requests)) {
		workers.Go(func() {
			for ctx.Err() == nil {
				request, ok := queue.next()
				if !ok {
					return
				}
				record := doer.Do(ctx, request)
				record.Scheduled = record.Sent
				if err := queue.finish(record, done); err != nil {
					cancel()
				}
			}
		})
	}
	workers.Wait()
	return queue.err
}

// queue hands out requests and takes records, one caller at a time each.
type queue struct {
	mu       sync.Mutex
	requests []exobench.Request

	doneMu sync.Mutex
	err    error
}

func (q *queue) next() (exobench.Request, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.requests) == 0 {
		return exobench.Request{}, false
	}
	r := q.requests[0]
	q.requests = q.requests[1:]
	return r, true
}

func (q *queue) finish(record exobench.Record, done func(exobench.Record) error) error {
	q.doneMu.Lock()
	defer q.doneMu.Unlock()
	if q.err == nil {
		q.err = done(record)
	}
	return q.err
}
