package resource

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
)

// DefaultInterval is the time from one reading to the next where none is given.
const DefaultInterval = 50 * time.Millisecond

// patience is how many times its own cost lies between the starts of two
// readings, so that reading takes at most 1/patience of one core.
const patience = 20

// Sampler takes readings again and again until it is stopped.
type Sampler struct {
	read  func(context.Context) (exobench.Reading, error)
	every time.Duration
	sink  func(exobench.Reading)
	// busy tells the CPU time that the calling thread has used.
	busy func() time.Duration

	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	readings int
	failures int
	first    error
}

// StartSampler takes a reading at once and then one each interval, 0 meaning
// [DefaultInterval], and hands each to sink, from a goroutine of its own. A
// reading that fails is counted and left out. Where a reading is costly the
// interval grows to 20 times the CPU time that it takes, so that reading never
// uses more than 5 % of one core.
//
// The readings end with ctx or with Stop, which must be called in any case.
func StartSampler(ctx context.Context, read func(context.Context) (exobench.Reading, error),
	every time.Duration, sink func(exobench.Reading)) *Sampler {
	return start(ctx, &Sampler{read: read, every: every, sink: sink, busy: threadTime})
}

func start(ctx context.Context, s *Sampler) *Sampler {
	if s.every <= 0 {
		s.every = DefaultInterval
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.done = make(chan struct{})
	go s.run(ctx)
	return s
}

// Stop ends the readings and waits until none is under way: sink is not called
// after it returns.
func (s *Sampler) Stop() {
	s.cancel()
	<-s.done
}

// Err reports how many readings failed so far, wrapping the first failure; nil
// if none did.
func (s *Sampler) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d readings of memory failed, at first: %w", s.failures, s.readings, s.first)
}

func (s *Sampler) run(ctx context.Context) {
	defer close(s.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		began := time.Now()
		cost := s.take(ctx)
		timer.Reset(max(s.every, patience*cost) - time.Since(began))
	}
}

// take takes one reading and returns the CPU time that it took.
func (s *Sampler) take(ctx context.Context) time.Duration {
	runtime.LockOSThread()
	before := s.busy()
	reading, err := s.read(ctx)
	cost := s.busy() - before
	runtime.UnlockOSThread()

	if ctx.Err() != nil {
		return cost
	}
	s.mu.Lock()
	s.readings++
	if err != nil {
		s.failures++
		if s.first == nil {
			s.first = err
		}
	}
	s.mu.Unlock()
	if err == nil {
		s.sink(reading)
	}
	return cost
}

// threadTime is the CPU time of the calling thread.
//
// Note: elapsed time would not do. An engine that keeps all cores busy stretches
// a reading tenfold, and the sampler would slow down just while there is
// something to see.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
