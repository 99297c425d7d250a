package report

import (
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"exobench"
	"exobench/summary"
)

const (
	ms     = exobench.Instant(1e6)
	second = 1000 * ms
	mib    = exobench.Bytes(1 << 20)
	ring   = "Pipeline/MlxRing/1 node"
)

// script writes the entries of a run as a recorder would.
type script struct {
	entries []exobench.Entry
	plan    exobench.Plan
	outline *exobench.Outline
	seq     int
}

// newScript begins a run of a plan on engines, whose models are known.
func newScript(plan exobench.Plan, host exobench.Host, engines ...exobench.Engine) *script {
	s := &script{plan: plan, outline: exobench.NewOutline(plan, engines, 1)}
	s.add(&exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "20260102T150405Z",
		Tool: exobench.Tool{Version: "v0.1.0", Go: "go1.26.0", OS: "linux", Arch: "amd64"},
		Plan: plan, Engines: engines,
	}, &exobench.Session{ID: 1, Epoch: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), Host: host, PID: 4711})
	for i := range s.outline.Steps {
		s.add(new(s.outline.Steps[i]))
	}
	for i := range s.outline.Cells {
		s.add(new(s.outline.Cells[i]))
	}
	return s
}

func (s *script) add(entries ...exobench.Entry) { s.entries = append(s.entries, entries...) }

// load brings the model of a step up, with the readings around it, and takes
// 2.25 s for it.
func (s *script) load(step int, at exobench.Instant, placement string, weights exobench.Bytes) {
	stage := func(after exobench.Instant, stage exobench.Stage) *exobench.StageEvent {
		return &exobench.StageEvent{At: at + after, Step: step, Stage: stage, Placement: placement}
	}
	s.add(
		stage(1*ms, exobench.StageResolve),
		reading(step, at+2*ms, exobench.Before, 50*mib),
		stage(500*ms, exobench.StagePlace),
		stage(1500*ms, exobench.StageLoad),
		stage(2750*ms, exobench.StageReady),
		reading(step, at+3000*ms, exobench.Loaded, 50*mib+weights),
	)
}

// reading is of the memory of an engine's processes.
func reading(step int, at exobench.Instant, moment exobench.Moment, memory exobench.Bytes) *exobench.Sample {
	return &exobench.Sample{At: at, Step: step, Moment: moment, Sensor: "processes", Values: exobench.Values{
		{Quantity: exobench.PSS, Value: float64(memory)},
		{Quantity: exobench.Anonymous, Value: float64(30 * mib)},
		{Quantity: exobench.File, Value: float64(memory - 30*mib)},
	}}
}

// block begins a block of a step, and returns its id.
func (s *script) block(step, nth int, at exobench.Instant) int {
	b := s.outline.BlocksOf(step)[nth]
	b.At = at
	s.add(&b)
	return b.ID
}

// request ends a request of a block, with a reading of the memory meanwhile.
func (s *script) request(step, block int, r *exobench.Record, memory exobench.Bytes) {
	s.seq++
	r.Seq, r.Block = s.seq, block
	during := reading(step, r.Sent+20*ms, exobench.During, memory)
	during.Block = block
	s.add(during, r)
}

// meter is a counter of the processor, read each 100 ms while a step is measured
// and before the run, and a meter of the whole machine that is read once a second.
func (s *script) meter(step int, from, to exobench.Instant) {
	counter := &exobench.Meter{Session: 1, Sensor: "power", Of: "rapl:package-0", Source: "rapl package", Scope: exobench.PackageScope, Step: 100 * time.Millisecond}
	board := &exobench.Meter{Session: 1, Sensor: "power", Of: "battery:BAT0", Source: "battery", Scope: exobench.NodeScope, Estimated: true, Step: 10 * time.Second}
	s.add(counter, board)
	add := func(m *exobench.Meter, at exobench.Instant, moment exobench.Moment, span time.Duration, v exobench.Value) {
		s.add(&exobench.Sample{At: at, Step: step, Moment: moment, Sensor: m.Sensor, Of: m.Of, Span: span, Values: exobench.Values{v}})
	}
	for i := range exobench.Instant(20) {
		s.add(&exobench.Sample{At: i * 100 * ms, Moment: exobench.Idle, Sensor: "power", Of: counter.Of, Span: 100 * time.Millisecond, Values: exobench.Values{{Quantity: exobench.EnergyJoules, Value: 1.2}}},
			&exobench.Sample{At: i * 100 * ms, Moment: exobench.Idle, Sensor: "gpu", Of: studioGPU.ID, Values: exobench.Values{{Quantity: exobench.GPUPower, Value: 50}}})
	}
	for at := from; at <= to; at += 100 * ms {
		add(counter, at, exobench.During, 100*time.Millisecond, exobench.Value{Quantity: exobench.EnergyJoules, Value: 6 + float64(at/(100*ms)%5)/4})
		if at%second == 0 {
			add(board, at, exobench.During, 0, exobench.Value{Quantity: exobench.PowerWatts, Value: 90})
		}
	}
}

// request is OK, sent at an instant, and slower by 10 ms for each step: 11
// tokens in 11 events, one every 50 ms and the step.
func request(sent exobench.Instant, step int) *exobench.Record {
	slow := exobench.Instant(step)
	r := &exobench.Record{
		PromptID: []string{"ai", "poem"}[step%2], Repeat: step/2 + 1, Outcome: exobench.OK,
		FinishReason: "length", Scheduled: sent, Sent: sent, FirstToken: sent + 80*ms + slow*ms,
		PromptTokens: new(exobench.Tokens(20)), CachedTokens: new(exobench.Tokens(0)), OutputTokens: new(exobench.Tokens(11)), TokensFrom: exobench.FromUsage,
	}
	for i := range exobench.Instant(11) {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: r.FirstToken + i*(50+slow)*ms, Bytes: 4})
	}
	r.FirstAnswer, r.LastToken = r.FirstToken, r.Chunks[10].At
	r.Done, r.Ended = r.LastToken+123, r.LastToken+ms
	return r
}

func standIn(models ...exobench.Model) exobench.Engine {
	return exobench.Engine{
		Name: "embedded", Driver: "embedded", Version: "v0.1.0", URL: "http://127.0.0.1:52415",
		Label: "embedded, random weights, scaled stand-in", Caveat: "They say nothing of the speed of a real engine.",
		LifeCycle: true, CacheSwitch: true, IgnoresEOS: true, Models: models,
	}
}

func planOf(engine string, traffic []exobench.Traffic, stop exobench.Stop, models ...string) exobench.Plan {
	return exobench.Plan{
		Engines: []exobench.EngineSpec{{Name: engine}}, Models: models,
		Workload: exobench.Workload{
			Prompts:   []exobench.Prompt{{ID: "ai", Text: "Explain."}, {ID: "poem", Text: "Write."}},
			MaxTokens: 11, Cache: exobench.ColdCache,
		},
		Traffic: traffic, Stop: stop, Warmup: 1, Seeds: exobench.Seeds{Order: 42},
	}
}

// journal is a small run of the embedded engine on four models: one measured
// at two concurrencies, one with failed requests, one that could not be loaded,
// and one that the run never came to.
func journal() []exobench.Entry {
	models := []exobench.Model{{Name: "llama-3.2-1b", ID: "org/Llama-3.2-1B"}, {Name: "mistral-7b", ID: "org/Mistral-7B"},
		{Name: "qwen-1.5-7b", ID: "org/Qwen1.5-7B"}, {Name: "deepseek-r1", ID: "org/R1-Distill-8B"}}
	s := newScript(
		planOf("auto", []exobench.Traffic{{Concurrency: 1}, {Concurrency: 2}}, exobench.Stop{Repeat: 4}, "llama-3.2-1b", "mistral-7b", "qwen-1.5-7b", "deepseek-r1"),
		exobench.Host{Name: "studio", System: "Linux 6.8", CPU: "Example CPU", Cores: 2, Memory: 8192 * mib}, standIn(models...))
	s.load(1, 0, ring, 40*mib)
	warm := s.block(1, 0, 9*second)
	add := func(step, block int, r *exobench.Record, loaded exobench.Bytes) {
		s.request(step, block, r, loaded+exobench.Bytes(s.seq+1)*mib/8)
	}
	for c := range 2 {
		add(1, warm, request(10*second, 9), 90*mib)
		block := s.block(1, 1+c, exobench.Instant(11+20*c)*second)
		for i := range 8 {
			add(1, block, request(exobench.Instant(11+20*c+i)*second, 2*c+i), 90*mib)
		}
		s.add(&exobench.BlockEnd{At: exobench.Instant(20+20*c) * second, Block: block, Reason: exobench.BlockDone})
	}
	s.add(&exobench.StepEnd{At: 99 * second, Step: 1, Reason: exobench.StepReleased})
	s.load(2, 100*second, ring, 400*mib)
	block := s.block(2, 1, 111*second)
	for i := range 5 {
		r := request(exobench.Instant(111+2*i)*second, 10+i)
		if i > 2 {
			r.Outcome, r.Error = exobench.StreamError, fmt.Sprintf("runner died | code %d,\n\"OOM\"", i)
		}
		add(2, block, r, 450*mib)
	}
	s.add(
		&exobench.BlockEnd{At: 125 * second, Block: block, Reason: exobench.BlockDone},
		&exobench.Note{At: 130 * second, Session: 1, Step: 2, Text: "The engine restarted its *runner*."},
		&exobench.StepEnd{At: 131 * second, Step: 2, Reason: exobench.StepReleased},
		&exobench.StageEvent{At: 140 * second, Step: 3, Stage: exobench.StagePlace},
		&exobench.StepEnd{At: 141 * second, Step: 3, Reason: exobench.StepFailed, Error: "no placement fits: 15.4 GiB needed, 6.1 GiB free"},
	)
	return s.entries
}

func finished() []exobench.Entry {
	return append(journal(), &exobench.End{At: 150 * second, Session: 1, Reason: exobench.EndFinished})
}

// openJournal is a run with two rates in which the harness was watched: with
// calibrations, kernel stamps and what else the machine did.
func openJournal() []exobench.Entry {
	s := newScript(
		planOf("embedded", []exobench.Traffic{{Rate: 2, Arrival: exobench.Poisson, MaxUnderWay: 4}, {Rate: 12.5, Arrival: exobench.Poisson, MaxUnderWay: 4}}, exobench.Stop{Requests: 8}, "llama-3.2-1b"),
		exobench.Host{Name: "studio", Cores: 2}, standIn(exobench.Model{Name: "llama-3.2-1b", ID: "org/Llama-3.2-1B"}))
	for _, streams := range []int{1, 4} {
		c := &exobench.Calibration{
			At: exobench.Instant(streams) * ms, Session: 1, Streams: streams, Rate: 50, Events: 500 * streams, LagP50: 41_000, LagP99: 230_000, LagMax: time.Millisecond,
			TTFTP50: 52_000, TTFTP99: 260_000, InterChunkP50: -300, InterChunkP99: 9_000, TokenRate: 0.00012, Kernel: true,
		}
		if streams == 4 {
			c.Observed = &exobench.Observation{
				When: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Engine: "embedded", Model: "llama-3.2-1b", Cores: 2, Streams: 8, Requests: 64, Tokens: 100,
				Ratios: []float64{0.993, 0.996, 0.998, 0.999, 1.001, 1.002}, Ratio: 0.9985, Low: 0.993, High: 1.002, Told: true,
				BareRate: 54.1, Rate: 54, BareCPU: 31 * time.Millisecond, CPU: 29 * time.Millisecond,
			}
		}
		s.add(c)
	}
	s.load(1, 100*ms, ring, 40*mib)
	for nth, gap := range []exobench.Instant{500 * ms, 80 * ms} {
		at := exobench.Instant(10+20*nth) * second
		block := s.block(1, 1+nth, at)
		for i := range exobench.Instant(8) {
			r := request(at+i*gap+90_000, int(i))
			r.Scheduled = at + i*gap
			for range r.Chunks {
				r.Delays = append(r.Delays, 25_000+int64(i)*4_000)
			}
			if nth == 1 && i == 7 {
				r = &exobench.Record{PromptID: "poem", Outcome: exobench.Dropped, Error: "4 requests were under way", Scheduled: at + i*gap, Ended: at + i*gap}
			}
			if nth == 1 && i == 6 {
				r = &exobench.Record{PromptID: "ai", Outcome: exobench.Unsent, Error: "the engine stopped answering", Scheduled: at + i*gap, Ended: at + i*gap}
			}
			s.request(1, block, r, 95*mib)
		}
		s.add(&exobench.Sample{At: at + 6*second, Step: 1, Moment: exobench.During, Block: block, Sensor: "machine", Span: 6 * time.Second, Values: exobench.Values{
			{Quantity: exobench.Steal, Value: 0.001}, {Quantity: exobench.Foreign, Value: 0.02 + 0.1*float64(nth)}, {Quantity: exobench.EngineCPU, Value: 0.4},
			{Quantity: exobench.HarnessCPU, Value: 0.012}, {Quantity: exobench.RunDelayShare, Value: 0.031}, {Quantity: exobench.RunDelayMax, Value: 2_400_000},
			{Quantity: exobench.GCPauseMax, Value: 87_000}, {Quantity: exobench.SchedulerP99, Value: 98_000},
		}}, &exobench.BlockEnd{At: at + 6*second, Block: block, Reason: exobench.BlockDone})
	}
	s.add(&exobench.StepEnd{At: 60 * second, Step: 1, Reason: exobench.StepReleased}, &exobench.End{At: 61 * second, Session: 1, Reason: exobench.EndFinished})
	return s.entries
}

// enginesJournal is a run of two models on three engines: exo, which tells of
// its nodes; llamacpp with random weights, which gives figures of its own and
// lacks the parts of the memory; and ollama, which fails on the first model and
// does not have the second.
func enginesJournal() []exobench.Entry {
	models := func(ids ...string) (all []exobench.Model) {
		for i, id := range ids {
			all = append(all, exobench.Model{Name: []string{"llama-3.2-1b", "mistral-7b"}[i], ID: id})
		}
		return all
	}
	plan := planOf("exo", []exobench.Traffic{{Concurrency: 1}}, exobench.Stop{Repeat: 4}, "llama-3.2-1b", "mistral-7b")
	plan.Engines = []exobench.EngineSpec{{Name: "exo"}, {Name: "llamacpp"}, {Name: "ollama"}}
	plan.Warmup, plan.Seeds, plan.IdlePower = 0, exobench.Seeds{}, exobench.Duration(2*time.Second)
	s := newScript(plan, exobench.Host{Name: "studio", Cores: 2, GPUs: []exobench.GPU{studioGPU}},
		exobench.Engine{Name: "exo", Driver: "exo", Version: "v1", URL: "http://127.0.0.1:52415", LifeCycle: true, CacheSwitch: true, IgnoresEOS: true, Models: models("org/Llama", "org/Mistral")},
		exobench.Engine{Name: "llamacpp", Driver: "llamacpp", Version: "b1", URL: "http://127.0.0.1:8080", CacheSwitch: true, IgnoresEOS: true, Models: models("llama.gguf", "mistral.gguf"),
			Label: "random weights", Caveat: "What the model writes means nothing."},
		exobench.Engine{Name: "ollama", Driver: "ollama", URL: "http://127.0.0.1:11434", LifeCycle: true, Models: models("llama3.2:1b")})
	mac := exobench.Bandwidth{PerSecond: 546e9, From: exobench.BandwidthPublished, Of: "Apple M4 Max", Source: "a data sheet, 2024-10"}
	cpu := exobench.Bandwidth{PerSecond: 12e9, From: exobench.BandwidthMeasured, Of: "this machine's CPU, 2 threads"}
	s.add(
		&exobench.Ceiling{Session: 1, Engine: "exo", Model: "llama-3.2-1b", Weights: 730e6, Position: 32768, Basis: exobench.CeilingOfShape, Bandwidth: mac},
		&exobench.Ceiling{Session: 1, Engine: "llamacpp", Model: "llama-3.2-1b", Weights: 520e6, Position: 32768, Basis: exobench.CeilingOfFile, Bandwidth: cpu},
		&exobench.Ceiling{Session: 1, Engine: "llamacpp", Model: "mistral-7b", Weights: 4e9, Basis: exobench.CeilingOfFile, Bandwidth: cpu})
	measure := func(step int, placement string, start exobench.Instant, n int, weights exobench.Bytes, server *exobench.ServerStats) {
		s.load(step, start, placement, weights)
		block := s.block(step, 0, start+9*second)
		for i := range n {
			r := request(start+exobench.Instant(10+i)*second, (s.seq+1)%9)
			r.Server = server
			s.request(step, block, r, 60*mib+weights)
		}
		s.add(&exobench.BlockEnd{At: start + 50*second, Block: block, Reason: exobench.BlockDone}, &exobench.StepEnd{At: start + 51*second, Step: step, Reason: exobench.StepReleased})
	}
	measure(1, ring, 0, 8, 40*mib, nil)
	measure(2, ring, 100*second, 7, 400*mib, nil)
	measure(3, "", 200*second, 8, 50*mib, &exobench.ServerStats{PrefillTPS: new(500.0), DecodeTPS: new(18.0), OutputTokens: new(exobench.Tokens(11))})
	measure(4, "", 300*second, 6, 500*mib, &exobench.ServerStats{DecodeTPS: new(20.0)})
	for i := range exobench.Instant(19) {
		moment := exobench.During
		if i == 0 {
			moment = exobench.Before
		}
		s.add(&exobench.Sample{At: i*second + 3*ms, Step: 1, Moment: moment, Sensor: "nodes", Of: "studio", Values: exobench.Values{
			{Quantity: exobench.NodeUsed, Value: float64(4096*mib + exobench.Bytes(i)*mib)}, {Quantity: exobench.NodeTotal, Value: float64(8192 * mib)}, {Quantity: exobench.NodePower, Value: 40 + float64(i%2)},
		}})
	}
	gpuReadings(s, 3, 200*second, 0)
	gpuReadings(s, 4, 300*second, exobench.Bytes(-1))
	s.meter(3, 209*second, 219*second)
	s.add(
		&exobench.StepEnd{At: 400 * second, Step: 5, Reason: exobench.StepFailed, Error: "pull it first"},
		&exobench.Note{At: 401 * second, Session: 1, Engine: "ollama", Text: "ollama was slow to answer."},
		&exobench.End{At: 500 * second, Session: 1, Reason: exobench.EndFinished})
	return s.entries
}

// gpuReadings are of a GPU in a step: the engine holds 3 GiB, and 200 MiB more at
// its peak, besides what others hold of it. What is held is not told where held is
// negative.
func gpuReadings(s *script, step int, start exobench.Instant, held exobench.Bytes) {
	at := func(after exobench.Instant, moment exobench.Moment, size exobench.Bytes, watts float64) {
		sample := &exobench.Sample{At: start + after, Step: step, Moment: moment, Sensor: "gpu", Of: studioGPU.ID, Values: exobench.Values{
			{Quantity: exobench.GPUUsed, Value: float64(700*mib + size)}, {Quantity: exobench.GPUTotal, Value: float64(studioGPU.Memory)}, {Quantity: exobench.GPUBusy, Value: watts / 500},
			{Quantity: exobench.GPUPower, Value: watts}, {Quantity: exobench.GPUTemperature, Value: 30 + watts/10}, {Quantity: exobench.GPUClock, Value: 1.98e9},
			{Quantity: exobench.GPUThrottleReasons, Value: 4}, {Quantity: exobench.GPUThrottled, Value: 1},
		}}
		if held >= 0 {
			sample.Values = append(sample.Values, exobench.Value{Quantity: exobench.GPUEngine, Value: float64(size)})
		}
		s.add(sample)
	}
	at(2*ms, exobench.Before, 0, 50)
	at(3000*ms, exobench.Loaded, 3072*mib, 90)
	for i := range exobench.Instant(24) {
		at(9*second+(300+500*i)*ms, exobench.During, 3072*mib+exobench.Bytes(i%2)*200*mib, 300+float64(i%2))
	}
}

// studioGPU is the GPU of the machine of the journal of engines.
var studioGPU = exobench.GPU{ID: "GPU-22f77083-0000-0000-0000-000000000000", Name: "Example GPU", Driver: "580.1", Memory: 16384 * mib}

func build(t *testing.T, entries []exobench.Entry) (*summary.Run, iter.Seq[exobench.Entry]) {
	t.Helper()
	run, err := summary.Build(slices.Values(entries))
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return run, slices.Values(entries)
}
