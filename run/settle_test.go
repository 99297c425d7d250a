package run

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
	"exobench/driver"
)

const (
	ms  = time.Millisecond
	sec = time.Second
	mib = 1 << 20
)

// settled has one sensor of an engine settle before a load, and returns what was
// read, when the last reading was, and the notes.
func settled(t *testing.T, every time.Duration, read func(at time.Duration) (float64, error)) (values []float64, last time.Duration, notes int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clock := exobench.NewClock()
		kept := &recorder{}
		sensor := gauge{"nodes", every, func() (float64, error) { return read(clock.Now().Sub(1)) }}
		x := &execution{Config: Config{Recorder: kept, Clock: clock}}
		s := &step{execution: x, Step: exobench.Step{ID: 5}, engine: Engine{Engine: &double{sensors: []driver.Sensor{sensor}}}}
		s.settle(t.Context(), exobench.Before)
		for _, sample := range of[*exobench.Sample](kept) {
			if sample.Step != 5 || sample.Moment != exobench.Before || sample.Block != 0 || sample.Sensor != "nodes" || !sample.At.Reached() {
				t.Errorf("sample %+v", sample)
			}
			values = append(values, sample.Values[0].Value)
			last = sample.At.Sub(1)
		}
		notes = len(of[*exobench.Note](kept))
	})
	return values, last, notes
}

// TestAFigureThatIsRenewedOnceASecondSettlesOnlyWhenItWasRenewed is of an engine
// that grows until 1.5 s, and tells its memory as of the last full second.
func TestAFigureThatIsRenewedOnceASecondSettlesOnlyWhenItWasRenewed(t *testing.T) {
	read, last, _ := settled(t, sec, func(at time.Duration) (float64, error) {
		renewed := at.Truncate(sec)
		return float64(1<<30 + min(renewed, 1500*ms).Milliseconds()*mib), nil
	})
	if n := len(read); n == 0 || read[n-1] != 1<<30+1500*mib {
		t.Errorf("settled at %v after %v, want the size at the end of the growth", read, last)
	}
	if want := 4 * sec; last != want {
		t.Errorf("settled after %v, want %v: two periods after the renewal at 2 s", last, want)
	}
}

func TestSettlingEndsInTimeAndRecordsWhatItReads(t *testing.T) {
	for _, row := range []struct {
		why   string
		every time.Duration
		read  func(time.Duration) float64
		last  time.Duration
		n     int
	}{
		{"still from the start: two periods", 50 * ms, func(time.Duration) float64 { return 5 * mib }, 100 * ms, 3},
		{"a wobble below the tolerance", 50 * ms, func(at time.Duration) float64 { return 1000*mib + float64(at%(100*ms)/ms)*mib/50 }, 100 * ms, 3},
		{"a slow drift is no stillness, though each step is small", 50 * ms,
			func(at time.Duration) float64 { return 10*mib + float64(at/(50*ms))*0.7*mib }, 3300 * ms, 67},
		{"never still", 50 * ms, func(at time.Duration) float64 { return float64(1 + at) }, 3300 * ms, 67},
		{"never still, and slow", sec, func(at time.Duration) float64 { return float64(1 + at) }, 9 * sec, 10},
	} {
		read, last, notes := settled(t, row.every, func(at time.Duration) (float64, error) { return row.read(at), nil })
		if last != row.last || len(read) != row.n || notes != 0 {
			t.Errorf("%s: %d readings until %v, %d notes; want %d until %v", row.why, len(read), last, notes, row.n, row.last)
		}
	}
}

func TestASensorThatCannotBeReadIsTold(t *testing.T) {
	read, _, notes := settled(t, 50*ms, func(at time.Duration) (float64, error) {
		if at > 0 {
			return 0, errors.New("gone")
		}
		return mib, nil
	})
	if !slices.Equal(read, []float64{mib}) || notes != 1 {
		t.Errorf("readings %v, %d notes; want the one before the failure, and a note", read, notes)
	}
}

// stuck is a sensor whose source does not answer.
type stuck struct{ gauge }

func (stuck) Read(ctx context.Context, _ exobench.Moment) ([]exobench.Sample, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestASensorThatHangsDoesNotHoldUpTheRun(t *testing.T) {
	d := &double{sensors: []driver.Sensor{stuck{steady("nodes", sec)}}}
	p := plan("a")
	p.Warmup, p.Stop = 0, exobench.Stop{Requests: 1}
	r := execute(t, d, p, 0, nil)
	if want := 2*39*sec + 2*sec + afterTime + releasedTime; r.took != want || len(r.notes()) != 2 || r.count(1)[exobench.OK] != 1 {
		t.Errorf("took %v, want %v; notes %q", r.took, want, r.notes())
	}
}

func TestWhatNeverSettlesIsReadOnce(t *testing.T) {
	power := []exobench.Sample{{Of: "n1", Values: exobench.Values{{Quantity: exobench.NodePower, Value: 30}}}}
	if got := sizes(power); len(got) != 0 {
		t.Errorf("a power settles: %v", got)
	}
	nodes := func(first, second float64) map[size]float64 {
		return sizes([]exobench.Sample{
			{Of: "n1", Values: exobench.Values{{Quantity: exobench.NodeUsed, Value: first}}},
			{Of: "n2", Values: exobench.Values{{Quantity: exobench.NodeUsed, Value: second}}},
		})
	}
	if !hold(nodes(1<<30, 2<<30), nodes(1<<30, 2<<30)) || hold(nodes(1<<30, 2<<30), nodes(1<<30, 3<<30)) {
		t.Error("every node must hold still by itself")
	}
}

// TestNodesThatNeverHoldStillAreReadFreshAndNotWaitedFor is of an engine whose
// own processes are seen: what whole nodes tell is an extra.
func TestNodesThatNeverHoldStillAreReadFreshAndNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := exobench.NewClock()
		kept := &recorder{}
		moving := gauge{"nodes", sec, func() (float64, error) { return float64(clock.Now()) * 1000, nil }}
		still := gauge{processes, 50 * ms, func() (float64, error) { return 100 * mib, nil }}
		x := &execution{Config: Config{Recorder: kept, Clock: clock}}
		s := &step{execution: x, Step: exobench.Step{ID: 5}, engine: Engine{Engine: &double{sensors: []driver.Sensor{moving, still}}}}
		began := clock.Now()
		s.settle(t.Context(), exobench.Before)
		if took := clock.Now().Sub(began); took != sec {
			t.Errorf("settled after %v, want one period of the nodes", took)
		}
		readings := map[string]int{}
		for _, sample := range of[*exobench.Sample](kept) {
			readings[sample.Sensor]++
		}
		if readings["nodes"] != 2 || readings[processes] != 3 {
			t.Errorf("readings %v, want 2 of the nodes and 3 of the processes", readings)
		}
	})
}

// A GPU that somebody else keeps busy holds no reading up; what the engine holds of
// it does until it holds still.
func TestMemoryOfAGPUSettlesByWhatTheEngineHolds(t *testing.T) {
	for _, row := range []struct {
		why  string
		held func(at time.Duration) float64
		last time.Duration
	}{
		{"the engine's holds still", func(time.Duration) float64 { return 500 * mib }, 200 * ms},
		{"the engine's grows for a second", func(at time.Duration) float64 { return float64(min(at, sec)/ms) * mib }, 1200 * ms},
		{"the engine holds nothing, and the device never holds still", func(time.Duration) float64 { return 0 }, 3600 * ms},
	} {
		synctest.Test(t, func(t *testing.T) {
			clock := exobench.NewClock()
			kept := &recorder{}
			x := &execution{Config: Config{Recorder: kept, Clock: clock}}
			card := reader{"gpu", 100 * ms, func() exobench.Values {
				at := clock.Now().Sub(1)
				return exobench.Values{{Quantity: exobench.GPUUsed, Value: 1e9 + float64(at)}, {Quantity: exobench.GPUEngine, Value: row.held(at)}}
			}}
			still := gauge{"processes", 50 * ms, func() (float64, error) { return mib, nil }}
			s := &step{execution: x, engine: Engine{Engine: &double{sensors: []driver.Sensor{still}}, beside: []driver.Sensor{card}}}
			s.settle(t.Context(), exobench.Loaded)
			var last time.Duration
			for _, sample := range of[*exobench.Sample](kept) {
				if sample.Sensor == "gpu" {
					last = sample.At.Sub(1)
				}
			}
			if last != row.last {
				t.Errorf("%s: settled after %v, want %v", row.why, last, row.last)
			}
		})
	}
}

// reader is a sensor of several quantities.
type reader struct {
	name  string
	every time.Duration
	read  func() exobench.Values
}

func (r reader) Name() string         { return r.name }
func (r reader) Every() time.Duration { return r.every }

func (r reader) Read(context.Context, exobench.Moment) ([]exobench.Sample, error) {
	return []exobench.Sample{{Values: r.read()}}, nil
}
