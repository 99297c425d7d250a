package resource

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

func TestRunDelaysByHand(t *testing.T) {
	const ms = time.Millisecond
	looks := []threads{
		{1: {100 * ms, 10 * ms, 5}, 2: {50 * ms, 0, 3}},
		// Thread 1 waited 8 ms at 4 times and thread 2 3 ms at one; thread 3 is new.
		{1: {130 * ms, 18 * ms, 9}, 2: {55 * ms, 3 * ms, 4}, 3: {2 * ms, ms, 1}},
		// Thread 1 did not run, thread 2 ended, and number 3 is of another thread.
		{1: {130 * ms, 18 * ms, 9}, 3: {ms, 0, 0}},
		// A second of thread 3's 10 times: 4 ms each.
		{1: {130 * ms, 18 * ms, 9}, 3: {9 * ms, 40 * ms, 10}},
	}
	d := runDelays{last: looks[0]}
	for _, now := range looks[1:] {
		d.read = func() threads { return now }
		d.look()
	}
	// Ran 30, 5, 2 and 8 ms, waited 8, 3, 1 and 40.
	share, _ := d.values().Get(exobench.RunDelayShare)
	most, _ := d.values().Get(exobench.RunDelayMax)
	if want := 52.0 / (52 + 45); math.Abs(share-want) > 1e-12 || most != float64(4*ms) {
		t.Errorf("share %v and longest %v, want %v and 4ms", share, time.Duration(most), want)
	}
	if idle := (&runDelays{}).values(); idle != nil {
		t.Errorf("where no thread ran: %v", idle)
	}
}

func TestRunDelaysAreReadOnceASecondAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		stop := watchRunDelays(&runDelays{last: threads{}, read: func() threads {
			at = append(at, time.Since(began))
			n := len(at)
			return threads{1: {time.Duration(n), time.Duration(n * n), uint64(n)}}
		}})
		time.Sleep(2500 * time.Millisecond)
		values := stop()
		if len(at) != 3 || at[0] != time.Second || at[1] != 2*time.Second || at[2] != 2500*time.Millisecond {
			t.Errorf("read at %v, want each second and at the end", at)
		}
		// The last look saw waits of 9 - 4 at one time.
		if most, _ := values.Get(exobench.RunDelayMax); most != 5 {
			t.Errorf("%v, want a longest wait of 5 ns", values)
		}
		time.Sleep(time.Minute)
		if len(at) != 3 {
			t.Error("it is read after the end")
		}
	})
}
