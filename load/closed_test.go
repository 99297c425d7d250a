package load

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

func requests(n int) []exobench.Request {
	out := make([]exobench.Request, n)
	for i := range out {
		out[i].Seq = i + 1
	}
	return out
}

// engine takes as long for request n as its service function says.
func engine(clock exobench.Clock, service func(seq int) time.Duration) DoerFunc {
	return func(ctx context.Context, r exobench.Request) exobench.Record {
		record := exobench.Record{Seq: r.Seq, Sent: clock.Now(), Outcome: exobench.OK}
		select {
		case <-time.After(service(r.Seq)):
		case <-ctx.Done():
			record.Outcome = exobench.Canceled
		}
		record.Done = clock.Now()
		return record
	}
}

func TestClosedKeepsConcurrencyRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := exobench.NewClock()
		var records []exobench.Record
		// One slow request must not hold back the workers beside it.
		doer := engine(clock, func(seq int) time.Duration {
			if seq == 1 {
				return 10 * time.Second
			}
			return time.Second
		})
		err := Closed(t.Context(), doer, requests(21), 3, func(r exobench.Record) error {
			records = append(records, r)
			return nil
		})
		if err != nil || len(records) != 21 {
			t.Fatalf("err %v, %d records", err, len(records))
		}
		if got := clock.Now().Seconds(); got < 9.9 || got > 10.1 {
			t.Errorf("took %.1f s, want 10: 20 one-second requests on two workers beside the slow one", got)
		}
		for _, r := range records {
			if r.Scheduled != r.Sent {
				t.Errorf("request %d: scheduled %d, sent %d; a closed loop schedules by sending", r.Seq, r.Scheduled, r.Sent)
			}
		}
	})
}

func TestClosedSendsInOrder(t *testing.T) {
	var sent []int
	doer := DoerFunc(func(_ context.Context, r exobench.Request) exobench.Record {
		sent = append(sent, r.Seq)
		return exobench.Record{Seq: r.Seq}
	})
	if err := Closed(t.Context(), doer, requests(5), 1, func(exobench.Record) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []int{1, 2, 3, 4, 5}; !slices.Equal(sent, want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
}

func TestAnInterruptEndsTheRequestsUnderWayAndSendsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		var outcomes []exobench.Outcome
		doer := engine(exobench.NewClock(), func(int) time.Duration { return time.Second })
		err := Closed(ctx, doer, requests(100), 2, func(r exobench.Record) error {
			outcomes = append(outcomes, r.Outcome)
			return nil
		})
		want := []exobench.Outcome{exobench.OK, exobench.OK, exobench.OK, exobench.OK, exobench.Canceled, exobench.Canceled}
		if err != nil || !slices.Equal(outcomes, want) {
			t.Errorf("err %v, outcomes %v, want %v", err, outcomes, want)
		}
	})
}

func TestAnErrorOfTheRecorderStopsTheSending(t *testing.T) {
	full := errors.New("disk full")
	var sent atomic.Int64
	doer := DoerFunc(func(context.Context, exobench.Request) exobench.Record {
		sent.Add(1)
		return exobench.Record{}
	})
	err := Closed(t.Context(), doer, requests(1000), 4, func(exobench.Record) error { return full })
	if !errors.Is(err, full) || sent.Load() > 8 {
		t.Errorf("err %v after %d requests, want %v after at most one or two per worker", err, sent.Load(), full)
	}
}
