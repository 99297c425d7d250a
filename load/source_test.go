package load

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"exobench"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// numbered makes requests numbered from 1.
func numbered() func() exobench.Request {
	n := 0
	return func() exobench.Request {
		n++
		return exobench.Request{Seq: n, Block: 7, Repeat: 2, Prompt: exobench.Prompt{ID: "p"}}
	}
}

func poisson(rate float64, seed uint64) *Poisson {
	return &Poisson{Rate: rate, Rand: rand.New(rand.NewPCG(seed, 0))}
}

func TestALoopEndsWithWhicheverOfItsBoundsComesFirst(t *testing.T) {
	for _, row := range []struct {
		why  string
		loop Loop
		// asked is when, since the start, each request is asked for.
		asked []time.Duration
		// due is when each is due since the first; nil in a closed loop.
		due []time.Duration
		end exobench.BlockEndReason
	}{
		{"a closed loop of two", Loop{Count: 2}, []time.Duration{0, 9 * sec, 9 * sec}, nil, exobench.BlockDone},
		{"a closed loop of a second; what is asked for at its end is beyond it", Loop{Duration: sec},
			[]time.Duration{0, 400 * ms, sec - 1, sec}, nil, exobench.BlockTime},
		{"time comes before count", Loop{Count: 100, Duration: sec}, []time.Duration{0, 2 * sec}, nil, exobench.BlockTime},
		{"count comes before time", Loop{Count: 1, Duration: sec}, []time.Duration{0, 1}, nil, exobench.BlockDone},
		{"an open loop of three at four a second", Loop{Count: 3, Schedule: &Constant{Rate: 4}},
			[]time.Duration{0, 0, 250 * ms, 500 * ms}, []time.Duration{0, 250 * ms, 500 * ms}, exobench.BlockDone},
		{"an open loop of half a second: that its third would be due at the end is known before",
			Loop{Duration: sec / 2, Schedule: &Constant{Rate: 4}},
			[]time.Duration{0, 0, 250 * ms}, []time.Duration{0, 250 * ms}, exobench.BlockTime},
		{"an open loop that lags behind sends what was due in its time",
			Loop{Duration: sec / 2, Schedule: &Constant{Rate: 4}},
			[]time.Duration{0, 3 * sec, 3 * sec}, []time.Duration{0, 250 * ms}, exobench.BlockTime},
	} {
		row.loop.Request = numbered()
		const began = exobench.Instant(123)
		for i, asked := range row.asked {
			r, due, end := row.loop.Next(began.Add(asked))
			if i == len(row.asked)-1 {
				if end != row.end {
					t.Errorf("%s: ends with %q, want %q", row.why, end, row.end)
				}
				break
			}
			if end != "" || r.Seq != i+1 {
				t.Errorf("%s: request %d has number %d, end %q", row.why, i+1, r.Seq, end)
			}
			want := exobench.Instant(0)
			if row.due != nil {
				want = began.Add(lead + row.due[i])
			}
			if due != want {
				t.Errorf("%s: request %d is due at %d, want %d", row.why, i+1, due, want)
			}
		}
		if next := row.loop.Request(); next.Seq != len(row.asked) {
			t.Errorf("%s: %d requests were made, want the %d that are sent", row.why, next.Seq-1, len(row.asked)-1)
		}
	}
}

func TestConstantIsEven(t *testing.T) {
	c := &Constant{Rate: 4}
	for i := range 9 {
		if got, want := c.Next(), time.Duration(i)*250*ms; got != want {
			t.Errorf("request %d at %v, want %v", i, got, want)
		}
	}
}

func TestSchedulesHaveTheirMeanRateAndNeverGoBack(t *testing.T) {
	const n = 200_000
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		rate, seed := math.Exp(8*random.Float64()-2), random.Uint64() // 0.14 to 400 a second
		for name, pair := range map[string][2]Schedule{
			"constant": {&Constant{Rate: rate}, &Constant{Rate: rate}},
			"poisson":  {poisson(rate, seed), poisson(rate, seed)},
		} {
			var last time.Duration
			for range n {
				at := pair[0].Next()
				if at < last {
					t.Fatalf("%s at %v: %v after %v", name, rate, at, last)
				}
				if at != pair[1].Next() {
					t.Fatalf("%s: one seed, two schedules", name)
				}
				last = at
			}
			// The mean of n exponential steps has a relative sd of 1/√n = 0.22 %.
			if mean := n / last.Seconds(); math.Abs(mean/rate-1) > 0.012 {
				t.Errorf("%s: mean rate %v, want %v", name, mean, rate)
			}
		}
	}
}
