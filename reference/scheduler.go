package reference

import (
	"container/heap"
	"math"
	"runtime"
	"sync"
	"time"

	"exobench/alarm"
)

const (
	// spinTime is how long before an instant a scheduler is up and waits without
	// sleeping, where it is not relaxed: about what it takes to wake up.
	spinTime = int64(50 * time.Microsecond)
	// worthwhile is what a sleep must last to be one.
	worthwhile = int64(5 * time.Microsecond)
	// hold is how long a scheduler may go without letting other goroutines run.
	hold = int64(time.Millisecond)
	// batch is how many events it writes before it looks for new streams.
	batch = 64
)

// scheduler writes the events of its streams when they are due.
type scheduler struct {
	clock  clock
	early  int64 // how long before an instant it is up
	late   *lateness
	alarm  *alarm.Alarm
	queue  queue
	rested int64 // when it last let others run

	mu     sync.Mutex
	fresh  []*stream
	closed bool
}

// add hands over a stream. It reports false where the scheduler is closed.
func (s *scheduler) add(st *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.fresh = append(s.fresh, st)
	s.alarm.Set(0)
	return true
}

func (s *scheduler) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.alarm.Set(0)
}

// run serves the streams until the scheduler is closed, and then ends them.
func (s *scheduler) run() {
	for s.collect() {
		s.emit()
		s.rest()
	}
	for _, st := range s.queue {
		_ = st.conn.Close()
	}
	s.alarm.Close()
}

// collect takes the new streams in. It reports false where the scheduler is
// closed.
func (s *scheduler) collect() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, st := range s.fresh {
		heap.Push(&s.queue, st)
		s.fresh[i] = nil
	}
	s.fresh = s.fresh[:0]
	return !s.closed
}

// emit writes what is due.
func (s *scheduler) emit() {
	for range batch {
		if len(s.queue) == 0 || s.queue[0].wake > s.clock.now() {
			return
		}
		if s.queue[0].step(s.clock, s.late) {
			heap.Fix(&s.queue, 0)
			continue
		}
		st := heap.Pop(&s.queue).(*stream)
		_ = st.conn.Close()
	}
}

// rest waits for the next instant or a new stream. It spins only after a sleep,
// so that under a dense schedule, where the client beside it needs the cores,
// events are written in small batches instead.
func (s *scheduler) rest() {
	next := int64(math.MaxInt64)
	if len(s.queue) > 0 {
		next = s.queue[0].wake
	}
	now := s.clock.now()
	switch gap := next - now; {
	case gap > max(s.early, worthwhile):
		if s.sleep(next - s.early) {
			s.spin(next)
		}
	case gap > worthwhile:
		s.sleep(next)
	case now-s.rested > hold:
		s.rested = now
		runtime.Gosched()
	}
}

// spin waits without sleeping where the instant is near.
func (s *scheduler) spin(until int64) {
	for {
		if gap := until - s.clock.now(); gap <= 0 || gap > s.early {
			return
		}
	}
}

// sleep waits until the instant or for a new stream. It reports false where
// there is one already.
func (s *scheduler) sleep(until int64) bool {
	s.mu.Lock()
	if len(s.fresh) > 0 || s.closed {
		s.mu.Unlock()
		return false
	}
	s.alarm.Set(until)
	s.mu.Unlock()
	s.alarm.Wait()
	s.rested = s.clock.now()
	return true
}

// queue is a heap of streams by the instant at which they must be looked at.
type queue []*stream

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].wake < q[j].wake }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*stream)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	st := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return st
}
