package summary

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"exobench"
	"exobench/metric"
)

func TestDoubtsOfTheMachine(t *testing.T) {
	span := func(d time.Duration) *time.Duration { return &d }
	calm := Machine{Wall: 10 * time.Second, Steal: new(0.02), Foreign: new(0.05), EngineCPU: new(0.5), HarnessCPU: new(0.1), HiccupMax: span(time.Millisecond)}
	const latency, gap = 20 * time.Millisecond, 10 * time.Millisecond
	for _, row := range []struct {
		why    string
		change func(*Machine)
		want   []Figures
	}{
		{"at the bounds", func(*Machine) {}, nil},
		{"a cell too short for shares", func(m *Machine) { m.Wall, m.Steal, m.Foreign = 500*time.Millisecond, new(0.5), new(0.5) }, nil},
		{"nothing is known", func(m *Machine) { *m = Machine{} }, nil},
		{"steal", func(m *Machine) { m.Steal = new(0.031) }, []Figures{TimeStolen{0.031, 0.02}}},
		{"foreign", func(m *Machine) { m.Foreign = new(0.06) }, []Figures{OthersBusy{0.06, 0.05, true}}},
		{"foreign, with the engine unseen", func(m *Machine) { m.Foreign, m.EngineCPU = new(0.6), nil }, []Figures{OthersBusy{0.6, 0.05, false}}},
		{"hiccups of a tenth", func(m *Machine) { m.HiccupMax = span(2 * time.Millisecond) }, []Figures{Hiccup{Stall{2 * time.Millisecond, latency, 0.1, 0.05}}}},
		{"a wait for a core, as the kernel counts", func(m *Machine) { m.HiccupMax, m.RunDelayMax = nil, span(2*time.Millisecond) }, []Figures{Hiccup{Stall{2 * time.Millisecond, latency, 0.1, 0.05}}}},
		{"a pause for garbage", func(m *Machine) { m.GCPauseMax = span(3 * time.Millisecond) }, []Figures{GarbagePause{Stall{3 * time.Millisecond, latency, 0.15, 0.05}}}},
		{"waits for a core", func(m *Machine) { m.SchedulerP99 = span(600 * time.Microsecond) }, []Figures{CoreWait{Stall{600 * time.Microsecond, gap, 0.06, 0.05}}}},
		{"a wait at the bound", func(m *Machine) { m.SchedulerP99 = span(500 * time.Microsecond) }, nil},
		// The engine, steal and others leave 0.43.
		{"the harness took more than half of the rest", func(m *Machine) { m.HarnessCPU = new(0.22) }, []Figures{HarnessBusy{0.22, 0.43}}},
		{"the harness took little, beside others that took the rest", func(m *Machine) { m.HarnessCPU, m.EngineCPU = new(0.05), new(0.92) }, nil},
		{"the harness alone on its machine", func(m *Machine) { *m = Machine{Wall: time.Minute, HarnessCPU: new(0.49)} }, nil},
		{"everything", func(m *Machine) {
			*m = Machine{Wall: 10 * time.Second, Steal: new(0.5), Foreign: new(0.4), EngineCPU: new(0.2), HarnessCPU: new(0.1), HiccupMax: span(time.Second)}
		}, []Figures{TimeStolen{0.5, 0.02}, OthersBusy{0.4, 0.05, true}, Hiccup{Stall{time.Second, latency, 50, 0.05}}, HarnessBusy{0.1, 0}}},
	} {
		c := Cell{Machine: new(calm), Metrics: map[string]Summary{metric.Latency: {Median: latency.Seconds()}, metric.InterChunkP50: {Median: gap.Seconds()}}}
		row.change(c.Machine)
		if d := cmp.Diff(row.want, doubtMachine(&c, 1), cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-want +got):\n%s", row.why, d)
		}
	}
	calm.HiccupMax = span(time.Hour)
	if got := doubtMachine(&Cell{Machine: &calm}, 1); got != nil {
		t.Errorf("nothing measured: %+v", got)
	}
}

func TestTheHarnessIsHeldAgainstWhatItsQuotaLeaves(t *testing.T) {
	busy := func(harness, engine, ours float64) []Figures {
		return doubtMachine(&Cell{Machine: &Machine{Wall: time.Minute, HarnessCPU: &harness, EngineCPU: &engine}}, ours)
	}
	// 2 of 16 cores: the engine has one, the harness 0.6 of the other.
	if got := busy(0.0375, 0.0625, 2.0/16); !cmp.Equal(got, []Figures{HarnessBusy{0.0375, 0.0625}}) {
		t.Errorf("%+v", got)
	}
	if got := busy(0.0375, 0.0625, 1); len(got) != 0 {
		t.Errorf("without a quota: %+v", got)
	}
	if got := busy(0.02, 0.5, 2.0/16); len(got) != 0 {
		t.Errorf("an engine beyond the quota is in another group: %+v", got)
	}
}

func TestDoubtsOfHarnessAndMachineAreWarnings(t *testing.T) {
	entries := []exobench.Entry{&exobench.Calibration{At: 1, Session: 1, Streams: 1, TTFTP50: 20 * time.Millisecond}}
	for seq := 1; seq <= 6; seq++ {
		entries = append(entries, ok(seq, exobench.Instant(10*seq), second)) // TTFT 100 ms
	}
	machine := machineAt(1, 70, time.Minute, 0.20)
	machine.Values[1].Value = 80e6
	checkWarnings(t, only(t, append(entries, machine)...),
		HarnessError{metric.TTFT, 20 * time.Millisecond, 0.05},
		OthersBusy{0.20, 0.05, false},
		Hiccup{Stall{80 * time.Millisecond, time.Second, 0.08, 0.05}})
}

func TestTheCalibrationOfACellIsThatOfItsTrafficOrTheNextAbove(t *testing.T) {
	all := []exobench.Calibration{{Streams: 4}, {Streams: 1}, {Streams: 16}}
	for under, want := range map[int]int{1: 1, 2: 4, 4: 4, 5: 16, 99: 16} {
		if c := nearest(all, under); c == nil || c.Streams != want {
			t.Errorf("%d under way: calibration %+v, want %d streams", under, c, want)
		}
	}
	if c := nearest(nil, 1); c != nil {
		t.Errorf("none: %+v", c)
	}
}

func TestTheCalibrationOfItsOwnSessionSpeaksForACell(t *testing.T) {
	c := only(t, ok(1, 10, second), &exobench.Calibration{Session: 2, Streams: 1}, &exobench.Calibration{Session: 1, Streams: 8})
	if c.Calibration == nil || c.Calibration.Session != 1 {
		t.Errorf("calibration %+v", c.Calibration)
	}
}

func TestDelaysHaveTheirTrueQuantilesWithinABucket(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	d, all := []*block{newBlock(1, nil), newBlock(2, nil)}, []float64{}
	for i := range 5000 {
		r := &exobench.Record{}
		for range 4 {
			ns := int64(rng.ExpFloat64() * 20_000)
			r.Delays, all = append(r.Delays, ns), append(all, float64(ns))
			r.Chunks = append(r.Chunks, exobench.Chunk{At: exobench.Instant(len(all) / 2)})
		}
		d[i%2].delays.add(r)
	}
	slices.Sort(all)
	got := delayOf(d)
	for _, q := range []struct {
		p   float64
		got time.Duration
	}{{0.5, got.P50}, {0.99, got.P99}} {
		want := all[int(q.p*float64(len(all)))]
		if ratio := float64(q.got) / want; ratio < 0.99 || ratio > 1.03 {
			t.Errorf("p%g = %v, want %v within a bucket", 100*q.p, q.got, want)
		}
	}
	if got.Events != 20000 || float64(got.Max) != all[len(all)-1] || got.Shared < 0.2 || got.Shared > 0.5 {
		t.Errorf("%d events, max %v, shared %v", got.Events, got.Max, got.Shared)
	}
}

func TestFirstEventsThatAreReadLate(t *testing.T) {
	d := new(delays)
	record := func(first, second exobench.Instant, delay int64) *exobench.Record {
		return &exobench.Record{
			Sent: 1e9, FirstToken: first, Delays: []int64{delay, 0},
			Chunks: exobench.Chunks{{At: first, Bytes: 1}, {At: second, Bytes: 1}},
		}
	}
	d.add(record(1.1e9, 1.1e9, 6e6)) // late, and shared: the only one that counts
	d.add(record(1.1e9, 1.1e9, 5e6)) // at the bound: the server sent both at once
	d.add(record(1.1e9, 1.2e9, 6e6)) // late, with a stamp of its own
	d.add(&exobench.Record{})        // no kernel stamps
	if got := d.result().FirstLate; got != 1.0/3 {
		t.Errorf("%v of the first events are late, want 1/3", got)
	}
}

// repeated is an OK request of a repeat that takes ttft to its first token.
func repeated(seq, repeat int, ttft exobench.Instant) *exobench.Record {
	r := ok(seq, exobench.Instant(10*seq), second)
	r.Repeat, r.FirstToken = repeat, r.Sent+ttft
	return r
}

func TestATTFTThatCollapsesOnRepeatedPromptsIsASilentCache(t *testing.T) {
	for _, row := range []struct {
		why          string
		first, later exobench.Instant
		told         bool
		want         []Figures
	}{
		{"a silent cache", 400 * ms, 20 * ms, false, []Figures{CacheSuspected{0.05}}},
		{"no cache", 400 * ms, 380 * ms, false, nil},
		{"a server that says what it cached", 400 * ms, 20 * ms, true, nil},
	} {
		var entries []exobench.Entry
		for seq := 1; seq <= 9; seq++ {
			r := repeated(seq, (seq+2)/3, row.later)
			if seq <= 3 {
				r = repeated(seq, 1, row.first)
			}
			if row.told {
				r.CachedTokens = tokens(0)
			}
			entries = append(entries, r)
		}
		t.Log(row.why)
		checkWarnings(t, only(t, entries...), row.want...)
	}
}

func TestAModelLoadedAgainIsWarnedOf(t *testing.T) {
	entries := requests(7)
	for i, wait := range []time.Duration{reload, 2 * time.Second, 3 * time.Second} {
		entries[i].(*exobench.Record).Server = &exobench.ServerStats{LoadTime: wait}
	}
	checkWarnings(t, only(t, entries...), ModelReloaded{2, 7, 3 * time.Second})
}

func TestAnswersOfManyLengthsAreWarnedOfWhereTheModelMayStop(t *testing.T) {
	for _, row := range []struct {
		why         string
		ignoresEOS  bool
		naturalStop bool
		lengths     []exobench.Tokens
		want        []Figures
	}{
		{"the engine cannot ignore the end", false, false, []exobench.Tokens{12, 64}, []Figures{LengthsDiffer{12, 64}}},
		{"the plan wants a natural stop", true, true, []exobench.Tokens{12, 64}, []Figures{LengthsDiffer{12, 64}}},
		{"lengths are forced", true, false, []exobench.Tokens{12, 64}, nil},
		{"all are of one length", false, false, []exobench.Tokens{64, 64}, nil},
	} {
		h := header()
		h.Engines[0].IgnoresEOS, h.Plan.Workload.NaturalStop = row.ignoresEOS, row.naturalStop
		entries := append(outline()[1:], h)
		for i, r := range requests(6) {
			r.(*exobench.Record).OutputTokens = &row.lengths[i%2]
			entries = append(entries, r)
		}
		t.Log(row.why)
		checkWarnings(t, build(t, entries...).Cell(1), row.want...)
	}
}

// served is an OK request of n tokens, the first 1 s after it was sent and then
// one each 100 ms: 10 tokens/s. Its server says the same, and that it read the
// 500 prompt tokens in that second.
func served(seq int, n exobench.Tokens) *exobench.Record {
	r := ok(seq, exobench.Instant(100*seq), second)
	r.FirstToken, r.FirstAnswer = r.Sent+second, r.Sent+second
	r.Chunks = nil
	for i := range exobench.Instant(n) {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: r.FirstToken + i*100*ms})
	}
	r.LastToken = r.Chunks[n-1].At
	r.Done, r.Ended = r.LastToken, r.LastToken
	r.OutputTokens, r.PromptTokens = tokens(n), tokens(500)
	r.Server = &exobench.ServerStats{PrefillTPS: new(500.0), DecodeTPS: new(10.0), OutputTokens: tokens(n)}
	return r
}

func TestDisagreementsNameTheirLikelyCause(t *testing.T) {
	const count = 7
	decode := func(tps float64) func(*exobench.Record) {
		return func(r *exobench.Record) { r.Server.DecodeTPS = &tps }
	}
	prefill := func(tps float64) func(*exobench.Record) {
		return func(r *exobench.Record) { r.Server.PrefillTPS = &tps }
	}
	for _, row := range []struct {
		why         string
		tokens      exobench.Tokens
		concurrency int
		change      func(*exobench.Record)
		want        []Figures
	}{
		{"they agree", 64, 1, func(*exobench.Record) {}, nil},
		{"5 % is within the tolerance", 64, 1, decode(10.4), nil},
		{"the first token is counted: 11/10", 11, 1, decode(11), []Figures{DecodeDiffers{10.0 / 11, FirstTokenCounted, 11, 0, 1}}},
		{"with many tokens that is no reason", 64, 1, decode(11), []Figures{DecodeDiffers{10.0 / 11, ClientSlower, 64, 0, 1}}},
		{"few tokens", 20, 1, decode(12), []Figures{DecodeDiffers{10.0 / 12, AnswersShort, 20, 0, 1}}},
		{"events share reads", 64, 1, func(r *exobench.Record) {
			for i := 33; i < 63; i += 2 {
				r.Chunks[i].At = r.Chunks[i+1].At
			}
			decode(20)(r)
		}, []Figures{DecodeDiffers{0.5, ReadsShared, 64, 15.0 / 63, 1}}},
		{"the second token is late", 64, 1, func(r *exobench.Record) {
			for i := 1; i < 6; i++ {
				r.Chunks[i].At = r.Chunks[5].At + exobench.Instant(i)*ms
			}
			decode(20)(r)
		}, []Figures{DecodeDiffers{0.5, FirstHeldBack, 64, 0, 5.01}}},
		{"the client is faster", 64, 1, decode(8), []Figures{DecodeDiffers{1.25, ServerTimeLonger, 64, 0, 1}}},
		{"a rate of 0 is none", 64, 1, decode(0), nil},
		{"the counts differ", 64, 1, func(r *exobench.Record) { r.Server.OutputTokens = tokens(65) }, []Figures{CountsDiffer{7, 7, 64, 65}}},
		{"faster prefill than TTFT allows, cache unknown", 64, 1, prefill(400), []Figures{PrefillFaster{1.25, CacheOrDefined}}},
		{"the same, and no token was cached", 64, 1, func(r *exobench.Record) { r.CachedTokens = tokens(0); prefill(400)(r) },
			[]Figures{PrefillFaster{1.25, PromptDefined}}},
		{"the same, from the cache", 64, 1, func(r *exobench.Record) { r.Server.PrefixCache = "partial"; prefill(400)(r) },
			[]Figures{CachedAnswers{7, 7, 0, 500}, PrefillFaster{1.25, CachedUntold}}},
		{"TTFT holds somewhat more", 64, 1, prefill(900), nil},
		{"TTFT is mostly something else", 64, 1, prefill(2000), []Figures{PrefillSlower{0.25, WorkBefore, 750 * time.Millisecond, 1, 500, 0, 0}}},
		{"others are served first", 64, 4, prefill(2000), []Figures{PrefillSlower{0.25, RequestsWait, 750 * time.Millisecond, 4, 500, 0, 0}}},
		{"short prompts", 64, 1, func(r *exobench.Record) { r.PromptTokens = tokens(20); prefill(2000)(r) },
			[]Figures{PrefillSlower{0.01, PromptsShort, 990 * time.Millisecond, 1, 20, 0, 0}}},
	} {
		entries := outline()
		for _, e := range entries {
			if c, ok := e.(*exobench.Cell); ok {
				c.Traffic.Concurrency = row.concurrency
			}
		}
		for i := range count {
			r := served(i+1, row.tokens)
			row.change(r)
			entries = append(entries, r)
		}
		t.Log(row.why)
		checkWarnings(t, build(t, entries...).Cell(1), row.want...)
	}
}

func TestClientAndServerByHand(t *testing.T) {
	// Ratios of decode 1, 1.25, 0.8; one request tells nothing of it.
	entries := []exobench.Entry{served(1, 64), served(2, 64), served(3, 64), served(4, 64)}
	for i, tps := range []float64{10, 8, 12.5} {
		*entries[i].(*exobench.Record).Server.DecodeTPS = tps
	}
	entries[3].(*exobench.Record).Server = nil
	want := &ClientServer{
		Output: &Agreement{3, 64, 64, 1, 0}, Events: &Agreement{3, 64, 64, 1, 0},
		Decode: &Agreement{3, 10, 10, 1, 2.0 / 3}, Prefill: &Agreement{3, 500, 500, 1, 0},
	}
	if d := cmp.Diff(want, only(t, entries...).ClientServer, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestServersWithoutFiguresAreNotCompared(t *testing.T) {
	r := ok(1, 10, second)
	r.Server = &exobench.ServerStats{PrefixCache: "none"}
	for _, record := range []*exobench.Record{ok(1, 10, second), r} {
		if c := only(t, record); c.ClientServer != nil {
			t.Errorf("%+v", c.ClientServer)
		}
	}
}

// A count that is the server's own is compared with the events only.
func TestTheServersCountIsNotComparedWithItself(t *testing.T) {
	r := served(1, 64)
	r.TokensFrom = exobench.FromStats
	if cs := only(t, r).ClientServer; cs.Output != nil || cs.Events == nil {
		t.Errorf("output %+v, events %+v", cs.Output, cs.Events)
	}
}
