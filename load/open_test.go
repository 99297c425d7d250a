package load

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
)

func TestConstantIsEven(t *testing.T) {
	c := &Constant{Rate: 4}
	for i := range 9 {
		if got, want := c.Next(), time.Duration(i)*250*time.Millisecond; got != want {
			t.Errorf("request %d at %v, want %v", i, got, want)
		}
	}
}

func TestPoissonHasItsMeanRateAndNeverGoesBack(t *testing.T) {
	const n = 200_000
	p, again := NewPoisson(50, 7), NewPoisson(50, 7)
	var last time.Duration
	for range n {
		at := p.Next()
		if at < last {
			t.Fatalf("%v after %v", at, last)
		}
		if at != again.Next() {
			t.Fatal("one seed, two schedules")
		}
		last = at
	}
	// The mean of n exponential steps has a relative sd of 1/√n = 0.22 %.
	if rate := n / last.Seconds(); math.Abs(rate/50-1) > 0.012 {
		t.Errorf("mean rate %v, want 50", rate)
	}
}

func TestOpenSendsOnTimeWhateverTheEngineDoes(t *testing.T) {
	clock := exobench.NewClock()
	release := make(chan struct{})
	var under, most atomic.Int64
	doer := DoerFunc(func(ctx context.Context, r exobench.Request) exobench.Record {
		for clock.Now() < r.Scheduled {
		}
		record := exobench.Record{Seq: r.Seq, Sent: clock.Now()}
		most.Store(max(most.Load(), under.Add(1)))
		<-release // no request ends before all have been sent
		return record
	})
	sent := requests(20)
	var records []exobench.Record
	go func() {
		for under.Load() < int64(len(sent)) {
			time.Sleep(time.Millisecond)
		}
		close(release)
	}()
	err := Open(t.Context(), doer, clock, sent, &Constant{Rate: 1000}, func(r exobench.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil || len(records) != 20 || most.Load() != 20 {
		t.Fatalf("err %v, %d records, %d under way at most", err, len(records), most.Load())
	}
	for _, r := range records {
		if r.Sent < r.Scheduled {
			t.Errorf("request %d was sent %v before its time", r.Seq, r.Scheduled.Sub(r.Sent))
		}
		step := r.Scheduled.Sub(records[0].Scheduled) - time.Duration(r.Seq-records[0].Seq)*time.Millisecond
		if step != 0 {
			t.Errorf("request %d is scheduled %v off its step", r.Seq, step)
		}
	}
}

func TestOpenStopsWithItsContextAndItsRecorder(t *testing.T) {
	doer := DoerFunc(func(context.Context, exobench.Request) exobench.Record { return exobench.Record{} })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	if err := Open(ctx, doer, exobench.NewClock(), requests(100), &Constant{Rate: 10}, func(exobench.Record) error { n++; return nil }); err != nil || n != 0 {
		t.Errorf("after the end of its context: err %v, %d records", err, n)
	}
	full := errors.New("disk full")
	if err := Open(t.Context(), doer, exobench.NewClock(), requests(1000), &Constant{Rate: 500}, func(exobench.Record) error { return full }); !errors.Is(err, full) {
		t.Errorf("err %v, want %v", err, full)
	}
}
