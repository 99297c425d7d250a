package load

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

// engine sends a request at its time, as a Doer must, and takes as long for it
// as its service function says.
func engine(clock exobench.Clock, service func(seq int) time.Duration) DoerFunc {
	return func(ctx context.Context, r exobench.Request) exobench.Record {
		if r.Scheduled.Reached() {
			time.Sleep(r.Scheduled.Sub(clock.Now()))
		}
		record := exobench.Record{Sent: clock.Now(), Outcome: exobench.OK}
		select {
		case <-time.After(service(r.Seq)):
		case <-ctx.Done():
			record.Outcome = exobench.Canceled
		}
		record.Ended = clock.Now()
		return record
	}
}

// run runs a loop and returns its records in the order in which they ended.
func run(t *testing.T, ctx context.Context, doer Doer, clock exobench.Clock, source Source, workers int) ([]exobench.Record, exobench.BlockEndReason) {
	t.Helper()
	var records []exobench.Record
	end, err := Run(ctx, doer, clock, source, workers, func(r exobench.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, end
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func outcomes(records []exobench.Record) []exobench.Outcome {
	var all []exobench.Outcome
	for _, r := range records {
		all = append(all, r.Outcome)
	}
	return all
}

func TestAClosedLoopKeepsItsWorkersBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := exobench.NewClock()
		// One slow request must not hold back the workers beside it.
		doer := engine(clock, func(seq int) time.Duration {
			if seq == 1 {
				return 10 * sec
			}
			return sec
		})
		records, end := run(t, t.Context(), doer, clock, &Loop{Request: numbered(), Count: 21}, 3)
		if len(records) != 21 || end != exobench.BlockDone {
			t.Fatalf("%d records, end %s", len(records), end)
		}
		if got := clock.Now() - 1; got != exobench.Instant(10*sec) {
			t.Errorf("took %v s, want 10: 20 one-second requests on two workers beside the slow one", got.Seconds())
		}
		for _, r := range records {
			if r.Scheduled != r.Sent || !r.Sent.Reached() {
				t.Errorf("request %d: scheduled %d, sent %d; a closed loop schedules by sending", r.Seq, r.Scheduled, r.Sent)
			}
		}
	})
}

func TestAClosedLoopSendsInOrderAndSaysWhatWasAsked(t *testing.T) {
	var sent []int
	doer := DoerFunc(func(_ context.Context, r exobench.Request) exobench.Record {
		sent = append(sent, r.Seq)
		return exobench.Record{}
	})
	records, _ := run(t, t.Context(), doer, exobench.NewClock(), &Loop{Request: numbered(), Count: 5}, 1)
	if want := []int{1, 2, 3, 4, 5}; !slices.Equal(sent, want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
	if r := records[4]; r.Seq != 5 || r.Block != 7 || r.Repeat != 2 || r.PromptID != "p" {
		t.Errorf("the last record is %+v", r)
	}
}

func TestAClosedLoopEndsWithItsTimeAndWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := exobench.NewClock()
		records, end := run(t, t.Context(), engine(clock, always(700*ms)), clock, &Loop{Request: numbered(), Duration: sec}, 2)
		if len(records) != 4 || end != exobench.BlockTime || clock.Now() != exobench.Instant(1400*ms)+1 {
			t.Errorf("%d records, end %s after %v s; want two on each worker, the last begun at 0.7 s", len(records), end, clock.Now().Seconds())
		}
	})
}

func TestAnInterruptEndsTheRequestsUnderWayAndSendsNoMore(t *testing.T) {
	ok, canceled := exobench.OK, exobench.Canceled
	for _, row := range []struct {
		why  string
		loop Loop
		want []exobench.Outcome
	}{
		{"closed", Loop{Count: 100}, []exobench.Outcome{ok, ok, ok, ok, canceled, canceled}},
		{"open", Loop{Count: 100, Schedule: &Constant{Rate: 1}}, []exobench.Outcome{ok, ok, canceled}},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2500*ms)
			defer cancel()
			clock := exobench.NewClock()
			row.loop.Request = numbered()
			records, end := run(t, ctx, engine(clock, always(sec)), clock, &row.loop, 2)
			if end != exobench.BlockInterrupted || !slices.Equal(outcomes(records), row.want) {
				t.Errorf("%s: end %s, outcomes %v, want %v", row.why, end, outcomes(records), row.want)
			}
		})
	}
}

func TestAnInterruptBeforeTheFirstRequestSendsNone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	clock := exobench.NewClock()
	records, end := run(t, ctx, engine(clock, always(0)), clock, &Loop{Request: numbered(), Schedule: &Constant{Rate: 10}}, 0)
	if len(records) != 0 || end != exobench.BlockInterrupted {
		t.Errorf("%d records, end %s", len(records), end)
	}
}

func TestAnErrorOfTheRecorderStopsTheSending(t *testing.T) {
	full := errors.New("disk full")
	for _, row := range []struct {
		why     string
		loop    Loop
		workers int
	}{
		{"closed", Loop{Count: 1000}, 4},
		{"open", Loop{Count: 1000, Schedule: &Constant{Rate: 500}}, 0},
	} {
		var sent, told atomic.Int64
		doer := DoerFunc(func(context.Context, exobench.Request) exobench.Record {
			sent.Add(1)
			return exobench.Record{}
		})
		row.loop.Request = numbered()
		end, err := Run(t.Context(), doer, exobench.NewClock(), &row.loop, row.workers, func(exobench.Record) error {
			told.Add(1)
			return full
		})
		if !errors.Is(err, full) || end != exobench.BlockFailed || told.Load() != 1 || sent.Load() == 1000 {
			t.Errorf("%s: end %s, err %v, told %d times, %d sent", row.why, end, err, told.Load(), sent.Load())
		}
	}
}

func TestAnOpenLoopSendsAtItsInstantsWhateverTheEngineDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := exobench.NewClock()
		loop := &Loop{Request: numbered(), Count: 6, Schedule: &Constant{Rate: 4}}
		records, end := run(t, t.Context(), engine(clock, always(time.Minute)), clock, loop, 0)
		if len(records) != 6 || end != exobench.BlockDone {
			t.Fatalf("%d records, end %s", len(records), end)
		}
		for i, r := range records {
			want := exobench.Instant(1).Add(lead + time.Duration(i)*250*ms)
			if r.Seq != i+1 || r.Scheduled != want || r.Sent != want {
				t.Errorf("request %d was scheduled at %d and sent at %d, want %d", r.Seq, r.Scheduled, r.Sent, want)
			}
		}
	})
}

// TestAnOpenLoopIsOnTimeForReal holds for the alarm what the one before holds in
// virtual time: no request goes early, and none waits for another.
func TestAnOpenLoopIsOnTimeForReal(t *testing.T) {
	clock := exobench.NewClock()
	release := make(chan struct{})
	var under atomic.Int64
	doer := DoerFunc(func(_ context.Context, r exobench.Request) exobench.Record {
		for clock.Now() < r.Scheduled {
		}
		record := exobench.Record{Sent: clock.Now()}
		if under.Add(1) == 20 {
			close(release) // no request ends before all have been sent
		}
		<-release
		return record
	})
	loop := &Loop{Request: numbered(), Count: 20, Schedule: &Constant{Rate: 200}}
	records, _ := run(t, t.Context(), doer, clock, loop, 0)
	slices.SortFunc(records, func(a, b exobench.Record) int { return a.Seq - b.Seq })
	for i, r := range records {
		if step := r.Scheduled.Sub(records[0].Scheduled); r.Sent < r.Scheduled || step != time.Duration(i)*5*ms {
			t.Errorf("request %d is scheduled %v after the first and was sent %v after its time", r.Seq, step, r.Sent.Sub(r.Scheduled))
		}
	}
}

func TestARequestForWhichNoWorkerIsFreeIsDroppedAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := exobench.NewClock()
		loop := &Loop{Request: numbered(), Count: 4, Schedule: &Constant{Rate: 10}}
		// The first is under way when the next two are due, and ends a moment
		// before the fourth is.
		records, _ := run(t, t.Context(), engine(clock, always(300*ms-1)), clock, loop, 1)
		want := []exobench.Outcome{exobench.Dropped, exobench.Dropped, exobench.OK, exobench.OK}
		if !slices.Equal(outcomes(records), want) {
			t.Fatalf("outcomes %v, want %v", outcomes(records), want)
		}
		dropped := records[0]
		due := exobench.Instant(1).Add(lead + 100*ms)
		if dropped.Seq != 2 || dropped.Scheduled != due || dropped.Ended != due || dropped.Sent.Reached() ||
			dropped.Error != "not sent: the traffic allows no more than 1 requests under way" {
			t.Errorf("dropped %+v, want request 2 at %d", dropped, due)
		}
		if last := records[3]; last.Seq != 4 || last.Sent != last.Scheduled {
			t.Errorf("the last is request %d, sent %v late", last.Seq, last.Sent.Sub(last.Scheduled))
		}
	})
}

// TestNeverMoreThanItsWorkersAreUnderWay holds loops of random size against what
// a queue without places does to each request.
func TestNeverMoreThanItsWorkersAreUnderWay(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			workers, count := 1+random.IntN(5), 60
			service := make([]time.Duration, count+1)
			for i := range service {
				service[i] = time.Duration(random.Int64N(int64(40 * ms)))
			}
			clock := exobench.NewClock()
			var mu sync.Mutex
			under, most := 0, 0
			send := engine(clock, func(seq int) time.Duration { return service[seq] })
			doer := DoerFunc(func(ctx context.Context, r exobench.Request) exobench.Record {
				mu.Lock()
				under++
				most = max(most, under)
				mu.Unlock()
				record := send(ctx, r)
				mu.Lock()
				under--
				mu.Unlock()
				return record
			})
			loop := &Loop{Request: numbered(), Count: count}
			if seed%2 == 0 {
				loop.Schedule = poisson(100, seed)
			}
			records, end := run(t, t.Context(), doer, clock, loop, workers)
			if len(records) != count || end != exobench.BlockDone || most > workers || seed%2 == 1 && most != workers {
				t.Fatalf("seed %d: %d records, end %s, %d of %d workers busy at most", seed, len(records), end, most, workers)
			}
			if seed%2 == 0 {
				checkLosses(t, records, service, workers)
			}
		})
	}
}

// checkLosses holds each request of an open loop against the rule: it is sent at
// its time if fewer than so many are under way then, else dropped.
func checkLosses(t *testing.T, records []exobench.Record, service []time.Duration, workers int) {
	t.Helper()
	slices.SortFunc(records, func(a, b exobench.Record) int { return a.Seq - b.Seq })
	var ends []exobench.Instant
	for _, r := range records {
		ends = slices.DeleteFunc(ends, func(end exobench.Instant) bool { return end <= r.Scheduled })
		want := exobench.Dropped
		if len(ends) < workers {
			want = exobench.OK
			ends = append(ends, r.Scheduled.Add(service[r.Seq]))
		}
		if r.Outcome != want || want == exobench.OK && r.Sent != r.Scheduled {
			t.Errorf("request %d, due at %d, is %s and sent at %d, want %s", r.Seq, r.Scheduled, r.Outcome, r.Sent, want)
		}
	}
}

// talk is a source that listens: it ends when a request has failed.
type talk struct {
	Loop
	heard []int
	over  exobench.BlockEndReason
}

func (s *talk) Next(at exobench.Instant) (exobench.Request, exobench.Instant, exobench.BlockEndReason) {
	if s.over != "" {
		return exobench.Request{}, 0, s.over
	}
	return s.Loop.Next(at)
}

func (s *talk) Ended(r *exobench.Record) {
	s.heard = append(s.heard, r.Seq)
	if r.Outcome != exobench.OK {
		s.over = exobench.BlockNoAnswer
	}
}

func TestASourceHearsOfEachRequestBeforeItIsAskedForTheNext(t *testing.T) {
	source := &talk{Loop: Loop{Request: numbered()}}
	doer := DoerFunc(func(_ context.Context, r exobench.Request) exobench.Record {
		if r.Seq == 3 {
			return exobench.Record{Outcome: exobench.Timeout}
		}
		return exobench.Record{Outcome: exobench.OK}
	})
	records, end := run(t, t.Context(), doer, exobench.NewClock(), source, 1)
	if want := []int{1, 2, 3}; !slices.Equal(source.heard, want) || len(records) != 3 || end != exobench.BlockNoAnswer {
		t.Errorf("heard of %v, want %v; %d records, end %s", source.heard, want, len(records), end)
	}
}
