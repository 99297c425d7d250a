package calibrate

import (
	"math"
	"testing"
	"time"

	"exobench"
)

const µs = time.Microsecond

// known returns a round of two streams with three events each, 10 ms apart, that
// the client says came later than they were written: by some microseconds,
// which differ, and by a constant.
func known(constant time.Duration) (*round, exobench.Offset) {
	o := exobench.Offset{Value: int64(time.Hour), Width: 2}
	r := &round{Config: Config{Streams: 2}, tokens: 3}
	for i, late := range [][]time.Duration{{10 * µs, 20 * µs, 40 * µs}, {30 * µs, 30 * µs, 30 * µs}} {
		sent := exobench.Instant(i+1) * exobench.Instant(time.Second)
		record := exobench.Record{Scheduled: sent.Add(-2 * µs * time.Duration(i+1)), Sent: sent, OutputTokens: new(exobench.Tokens(3))}
		var samples []sample
		for k, l := range late {
			written := sent.Add(100*time.Millisecond + time.Duration(k)*10*time.Millisecond)
			at := written.Add(l + constant)
			samples = append(samples, sample{emitted: int64(written) + o.Value, at: at})
			record.Chunks = append(record.Chunks, exobench.Chunk{At: at})
		}
		record.FirstToken, record.LastToken, record.Done = samples[0].at, samples[2].at, samples[2].at
		r.records, r.samples = append(r.records, record), append(r.samples, samples)
	}
	return r, o
}

func TestErrorsByHand(t *testing.T) {
	r, o := known(0)
	got := r.compare(o)
	// The first stream's tokens seem to take 20.03 ms, not 20; the second's rate is
	// right, and the median of two is their middle.
	if want := (20/20.03 - 1) / 2; math.Abs(got.TokenRate-want) > 1e-12 {
		t.Errorf("error of tokens/s is %v, want %v", got.TokenRate, want)
	}
	got.TokenRate = 0
	want := exobench.Calibration{
		Events: 6,
		LagP50: 30 * µs, LagP99: 39_500, LagMax: 40 * µs, // of 10, 20, 30, 30, 30, 40 µs
		TTFTP50: 20 * µs, TTFTP99: 29_800, // of 10 and 30 µs
		InterChunkP50: 5 * µs, InterChunkP99: 19_700, // of 0, 0, 10 and 20 µs
		LatencyP50: 35 * µs, LatencyP99: 39_900, // of 40 and 30 µs
		SlipP50: 3 * µs, SlipP99: 3_980, // of 2 and 4 µs
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAConstantBetweenTheClocksIsInInstantsAndNotInSpans(t *testing.T) {
	const constant = 20 * time.Millisecond
	r, o := known(0)
	want := r.compare(o)
	for _, span := range []*time.Duration{&want.LagP50, &want.LagP99, &want.LagMax, &want.TTFTP50, &want.TTFTP99, &want.LatencyP50, &want.LatencyP99} {
		*span += constant
	}
	r, o = known(constant)
	if got := r.compare(o); got != want {
		t.Errorf("late by %v:\ngot  %+v\nwant %+v", constant, got, want)
	}
	o.Value += int64(constant)
	r, _ = known(0)
	if got := r.compare(o); got != want {
		t.Errorf("an offset that is wrong by %v:\ngot  %+v\nwant %+v", constant, got, want)
	}
}

func TestStampsOfTheKernelAreTold(t *testing.T) {
	r, o := known(0)
	r.records[1].Delays = []int64{1, 2, 3}
	if !r.compare(o).Kernel {
		t.Error("a record with delays counts as stamped by us")
	}
}
