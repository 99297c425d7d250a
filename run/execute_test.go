package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
)

func TestTheEntriesOfARunComeInOrder(t *testing.T) {
	d := &double{notices: []string{"look out"}}
	d.sensors = []driver.Sensor{steady("processes", 50*ms)}
	p := plan("a", "b")
	p.Calibrate, p.Stop.Repeat = true, 1
	p.Traffic = append(p.Traffic, exobench.Traffic{Concurrency: 1})
	var machines []*spans
	r := execute(t, d, p, 0, func(c *Config) {
		c.Machine = func(pid func() int) Machine {
			machines = append(machines, &spans{clock: d.clock, pid: pid})
			return machines[len(machines)-1]
		}
		c.Calibrate = func(context.Context) ([]exobench.Calibration, error) {
			return []exobench.Calibration{{Streams: 1}}, errors.New("no more")
		}
	})
	r.logged(t, `
		step 1 e a
		step 2 e b
		cell 1 e a 1
		cell 2 e a 1
		cell 3 e b 1
		cell 4 e b 1
		note 0 e look out
		calibration 3 1
		note 0 the harness's own error was not measured: no more
		sample 1 processes before 0
		stage 1 load
		stage 1 ready
		sample 1 processes loaded 0
		block 1 step 1 cell 0
		request 1 block 1 ok
		sample 1 machine during 1
		sample 1 processes after 1
		block_end 1 done
		block 2 step 1 cell 1
		request 2 block 2 ok
		request 3 block 2 ok
		request 4 block 2 ok
		sample 1 machine during 2
		sample 1 processes after 2
		block_end 2 done
		block 3 step 1 cell 2
		request 5 block 3 ok
		request 6 block 3 ok
		request 7 block 3 ok
		sample 1 machine during 3
		sample 1 processes after 3
		block_end 3 done
		stage 1 released
		sample 1 processes released 0
		step_end 1 released
		sample 2 processes before 0
		stage 2 load
		stage 2 ready
		sample 2 processes loaded 0
		block 4 step 2 cell 0
		request 8 block 4 ok
		sample 2 machine during 4
		sample 2 processes after 4
		block_end 4 done
		block 5 step 2 cell 3
		request 9 block 5 ok
		request 10 block 5 ok
		request 11 block 5 ok
		sample 2 machine during 5
		sample 2 processes after 5
		block_end 5 done
		block 6 step 2 cell 4
		request 12 block 6 ok
		request 13 block 6 ok
		request 14 block 6 ok
		sample 2 machine during 6
		sample 2 processes after 6
		block_end 6 done
		stage 2 released
		sample 2 processes released 0
		step_end 2 released
		end 3 finished`)
	if r.reason != exobench.EndFinished || r.err != nil {
		t.Errorf("reason %s, err %v", r.reason, r.err)
	}
	if len(machines) != 2 || !machines[0].closed || !machines[1].closed {
		t.Errorf("%d sensors of the machine, want one for each step, closed", len(machines))
	}
	for _, n := range of[*exobench.Note](r.recorder) {
		if n.Session != 3 || !n.At.Reached() {
			t.Errorf("note %+v", n)
		}
	}
	for _, b := range of[*exobench.Block](r.recorder) {
		if !b.At.Reached() {
			t.Errorf("block %+v", b)
		}
	}
}

func TestWhatAnEngineHasToTellIsNotedOnceAndWhenItIsKnown(t *testing.T) {
	d := &double{notices: []string{"known at the start"}}
	d.prepared = func() { d.notices = append(slices.Clone(d.notices), fmt.Sprintf("known after %d", len(d.notices))) }
	r := execute(t, d, plan("a", "b"), 0, nil)
	var texts []string
	for _, n := range of[*exobench.Note](r.recorder) {
		texts = append(texts, n.Engine+": "+n.Text)
	}
	want := []string{"e: known at the start", "e: known after 1", "e: known after 2"}
	if !slices.Equal(texts, want) {
		t.Errorf("notes %q, want %q", texts, want)
	}
}

func TestSamplesAreReadWhileRequestsAreUnderWayAndOfTheirBlock(t *testing.T) {
	d := &double{sensors: []driver.Sensor{steady("nodes", sec)}}
	p := plan("a")
	p.Stop.Repeat = 1
	r := execute(t, d, p, 0, func(c *Config) {
		c.Machine = func(pid func() int) Machine { return &spans{clock: d.clock, pid: pid} }
	})
	blocks := map[int]*exobench.Block{}
	for _, b := range of[*exobench.Block](r.recorder) {
		blocks[b.ID] = b
	}
	count := map[int]int{}
	for _, s := range of[*exobench.Sample](r.recorder) {
		switch {
		case s.Moment != exobench.During:
		case s.Sensor == "machine":
			// It is of the time from the beginning of its block, which lasts as long
			// as its requests.
			length := map[int]time.Duration{1: sec, 2: 3 * sec}[s.Block]
			if pid, _ := s.Values.Get(exobench.Steal); s.Span != length || s.At != blocks[s.Block].At.Add(length) || pid != 4711 {
				t.Errorf("the machine's sample %+v", s)
			}
		default:
			count[s.Block]++
			if s.At < blocks[s.Block].At {
				t.Errorf("sample %+v came before its block", s)
			}
		}
	}
	// One at the beginning and one each second; that at the end may come too.
	if count[1] < 1 || count[1] > 2 || count[2] < 3 || count[2] > 4 || len(count) != 2 {
		t.Errorf("samples in blocks of one and three seconds: %v", count)
	}
}

func TestAModelThatDoesNotLoadIsRecordedAndTheNextOneRuns(t *testing.T) {
	d := &double{prepare: map[string]error{"a": errors.New("download failed")}}
	p := plan("a", "b")
	p.Warmup, p.Stop = 0, exobench.Stop{Requests: 1}
	execute(t, d, p, 0, nil).logged(t, `
		step 1 e a
		step 2 e b
		cell 1 e a 1
		cell 2 e b 1
		stage 1 load
		step_end 1 failed download failed
		stage 2 load
		stage 2 ready
		block 2 step 2 cell 2
		request 1 block 2 ok
		block_end 2 done
		stage 2 released
		step_end 2 released
		end 3 finished`)
}

func TestAnInterruptEndsTheRunAtEveryStageOfIt(t *testing.T) {
	head := `
		step 1 e a
		step 2 e b
		cell 1 e a 1
		cell 2 e b 1
		`
	for _, row := range []struct {
		why  string
		at   time.Duration
		want string
	}{
		{"while the sensors settle", 50 * ms, `
			sample 1 processes before 0
			step_end 1 interrupted
			end 3 interrupted`},
		{"while the model loads", 500 * ms, `
			sample 1 processes before 0
			stage 1 load
			step_end 1 interrupted
			end 3 interrupted`},
		{"while they settle again", 1150 * ms, `
			sample 1 processes before 0
			stage 1 load
			stage 1 ready
			sample 1 processes loaded 0
			stage 1 released
			step_end 1 interrupted
			end 3 interrupted`},
		{"in a warm-up", 1700 * ms, `
			sample 1 processes before 0
			stage 1 load
			stage 1 ready
			sample 1 processes loaded 0
			block 1 step 1 cell 0
			request 1 block 1 canceled
			block_end 1 interrupted
			stage 1 released
			step_end 1 interrupted
			end 3 interrupted`},
		{"in a block", 3700 * ms, `
			sample 1 processes before 0
			stage 1 load
			stage 1 ready
			sample 1 processes loaded 0
			block 1 step 1 cell 0
			request 1 block 1 ok
			sample 1 processes after 1
			block_end 1 done
			block 2 step 1 cell 1
			request 2 block 2 ok
			request 3 block 2 canceled
			block_end 2 interrupted
			stage 1 released
			step_end 1 interrupted
			end 3 interrupted`},
	} {
		t.Run(row.why, func(t *testing.T) {
			d := &double{sensors: []driver.Sensor{steady("processes", 50*ms)}}
			r := execute(t, d, plan("a", "b"), row.at, nil)
			r.logged(t, head+row.want)
			if r.reason != exobench.EndInterrupted || r.err != nil {
				t.Errorf("reason %s, err %v", r.reason, r.err)
			}
		})
	}
}

func TestARecorderThatFailsEndsTheRun(t *testing.T) {
	want := `
		step 1 e a
		step 2 e b
		cell 1 e a 1
		cell 2 e b 1
		stage 1 load
		stage 1 ready
		block 1 step 1 cell 0
		`
	for _, row := range []struct {
		why    string
		single bool
		want   string
	}{
		{"for good", false, ""},
		{"once: then it is told of", true, `
			block_end 1 harness_failed
			stage 1 released
			step_end 1 failed disk full
			end 3 failed disk full`},
	} {
		t.Run(row.why, func(t *testing.T) {
			d := &double{}
			r := execute(t, d, plan("a", "b"), 0, func(c *Config) { c.Recorder = &recorder{full: 7, single: row.single} })
			r.logged(t, want+row.want)
			if r.reason != exobench.EndFailed || r.err == nil || r.err.Error() != "disk full" {
				t.Errorf("reason %s, err %v", r.reason, r.err)
			}
			if last := d.calls[len(d.calls)-1]; last != "release a" {
				t.Errorf("the last call was %q, want a released and b not begun", last)
			}
		})
	}
}

func TestEnginesAreMeasuredOneAfterTheOther(t *testing.T) {
	p := plan("a")
	p.Warmup, p.Stop = 0, exobench.Stop{Requests: 1}
	d := &double{}
	execute(t, d, p, 0, func(c *Config) { c.Engines = append(c.Engines, engineOf(d, "f", p)) }).logged(t, `
		step 1 e a
		step 2 f a
		cell 1 e a 1
		cell 2 f a 1
		stage 1 load
		stage 1 ready
		block 1 step 1 cell 1
		request 1 block 1 ok
		block_end 1 done
		stage 1 released
		step_end 1 released
		stage 2 load
		stage 2 ready
		block 2 step 2 cell 2
		request 2 block 2 ok
		block_end 2 done
		stage 2 released
		step_end 2 released
		end 3 finished`)
}

func TestAllPlacementsAreStepsOfTheirOwn(t *testing.T) {
	d := &double{offered: []string{"one", "two"}}
	p := plan("a", "b")
	p.AllPlacements, p.Warmup, p.Stop = true, 0, exobench.Stop{Requests: 1}
	step := func(step, block, request string) string {
		return `
		stage ` + step + ` load
		stage ` + step + ` ready
		block ` + block + ` step ` + step + ` cell ` + block + `
		request ` + request + ` block ` + block + ` ok
		block_end ` + block + ` done
		stage ` + step + ` released
		step_end ` + step + ` released`
	}
	execute(t, d, p, 0, nil).logged(t, `
		step 1 e a
		step 2 e b
		cell 1 e a 1
		cell 2 e b 1
		step 1 e a one
		cell 1 e a one 1
		step 3 e a two
		cell 3 e a two 1`+step("1", "1", "1")+step("3", "3", "2")+`
		step 2 e b one
		cell 2 e b one 1
		step 4 e b two
		cell 4 e b two 1`+step("2", "2", "3")+step("4", "4", "4")+`
		end 3 finished`)
	if got := d.calls[2]; got != "prepare a two" {
		t.Errorf("the second placement is asked for by %q", got)
	}
}

func TestAModelThatCanBePutNowhereIsAFailure(t *testing.T) {
	for err, want := range map[error]string{
		errors.New("no room"): "no room",
		nil:                   "the engine offers no placement for it",
	} {
		d := &double{unplaced: err}
		p := plan("a", "b")
		p.AllPlacements = true
		execute(t, d, p, 0, nil).logged(t, `
			step 1 e a
			step 2 e b
			cell 1 e a 1
			cell 2 e b 1
			step_end 1 failed `+want+`
			step_end 2 failed `+want+`
			end 3 finished`)
	}
}

func TestAModelStaysWhereItIsIfItIsToOrIsNotOurs(t *testing.T) {
	const loaded = "it was loaded already and is measured as it was: its own memory is in the reading before the load, so only inference shows as additional"
	for _, row := range []struct {
		why         string
		found, keep bool
		release     error
		want        string
		note        string
		calls       int
	}{
		{"ours", false, false, nil, "released", "", 2},
		{"to be kept", false, true, nil, "kept", "", 1},
		{"somebody else's", true, false, nil, "kept", loaded, 1},
		{"it does not go", false, false, errors.New("stuck"), "kept", "it could not be taken away: stuck", 2},
	} {
		d := &double{found: row.found, release: map[string]error{"a": row.release}}
		p := plan("a")
		p.KeepLoaded = row.keep
		r := execute(t, d, p, 0, func(c *Config) { c.Engines[0].Entry.LifeCycle = true })
		note := ""
		for _, n := range of[*exobench.Note](r.recorder) {
			note += n.Text
		}
		if end := of[*exobench.StepEnd](r.recorder)[0]; string(end.Reason) != row.want || note != row.note || len(d.calls) != row.calls {
			t.Errorf("%s: step ended %s, note %q, calls %v", row.why, end.Reason, note, d.calls)
		}
	}
}
