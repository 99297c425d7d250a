package summary

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/journal"
)

// BenchmarkMillion reads a journal of a million requests from the disk and
// summarises it: the time, and the most memory that the process ever had.
func BenchmarkMillion(b *testing.B) {
	path := filepath.Join(b.TempDir(), journal.Name)
	maker := exec.Command(os.Args[0])
	maker.Env = append(os.Environ(), journalTo+"="+path)
	if out, err := maker.CombinedOutput(); err != nil {
		b.Fatalf("make the journal: %v\n%s", err, out)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // as the report command
	for b.Loop() {
		file, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r := journal.NewReader(file)
		run, err := Build(r.All())
		if err := errors.Join(err, r.Err(), file.Close()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(run.Requests), "requests")
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	if peak, ok := peakMemory(); ok {
		b.ReportMetric(peak, "MB-peak")
	}
}

// journalTo makes the test binary write the journal of the benchmark to a file
// and end: in a process of its own, its memory does not count.
const journalTo = "EXOBENCH_TEST_JOURNAL_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(journalTo); path != "" {
		if err := writeLong(path, 1_000_000); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writeLong writes a journal of that many requests.
func writeLong(path string, requests int) error {
	h := longHeader()
	w, err := journal.Create(path, h, journal.Options{})
	if err != nil {
		return err
	}
	err = makeLong(h, requests, func(e exobench.Entry) error {
		if _, written := e.(*exobench.Header); written {
			return nil
		}
		return w.Append(e)
	})
	return errors.Join(err, w.Close())
}

// BenchmarkFoldMillion folds a million requests that are made on the way: the
// summary's part of a report of a long journal, and the most memory that the
// process ever had.
func BenchmarkFoldMillion(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // as the report command
	for b.Loop() {
		f := NewFold()
		if err := makeLong(longHeader(), 1_000_000, f.Add); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		run := f.Snapshot()
		b.ReportMetric(time.Since(start).Seconds(), "s-snapshot")
		b.ReportMetric(float64(run.Requests), "requests")
	}
	if peak, ok := peakMemory(); ok {
		b.ReportMetric(peak, "MB-peak")
	}
}

// peakMemory returns the greatest resident set of this process so far, in MB.
func peakMemory() (float64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false // not on Linux
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	_, err = fmt.Sscan(after, &kib)
	return kib * 1024 / 1e6, err == nil
}

// long is the maker of many requests: two engines, of which one gives
// statistics, two models each, five prompts and three concurrencies; answers of
// 20 events, one request of a hundred failed, and readings ten times a second.
type long struct {
	emit   func(exobench.Entry) error
	random *rand.Rand
	now    exobench.Instant
	read   exobench.Instant // when the next reading is due
	seq    int
	blocks int
	err    error
}

// makeLong emits a run of that many requests. What is emitted is not used again.
func makeLong(h *exobench.Header, requests int, emit func(exobench.Entry) error) error {
	l := &long{emit: emit, random: rand.New(rand.NewPCG(1, 2)), now: second}
	o := exobench.NewOutline(h.Plan, h.Engines, 1)
	l.append(h)
	l.append(&exobench.Session{ID: 1, Epoch: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), Host: exobench.Host{Name: "studio", Cores: 2}})
	for i := range o.Steps {
		l.append(&o.Steps[i])
	}
	for i := range o.Cells {
		l.append(&o.Cells[i])
	}
	cells := len(o.Cells)
	for _, s := range o.Steps {
		l.load(s)
		for _, b := range o.BlocksOf(s.ID) {
			n := len(h.Plan.Workload.Prompts)
			if !b.Warmup() {
				n = (requests - l.seq) / cells
				cells--
			}
			l.block(h, o, s, b, n)
		}
		l.append(&exobench.StepEnd{At: l.now, Step: s.ID, Reason: exobench.StepReleased})
	}
	l.append(&exobench.End{At: l.now, Session: 1, Reason: exobench.EndFinished})
	return l.err
}

func longHeader() *exobench.Header {
	models := []exobench.Model{{Name: "llama-3.2-1b", ID: "mlx-community/Llama-3.2-1B-Instruct-4bit"}, {Name: "mistral-7b", ID: "mlx-community/Mistral-7B-Instruct-v0.3-4bit"}}
	return &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "20260102T150405Z",
		Plan: exobench.Plan{
			Engines: []exobench.EngineSpec{{Name: "exo"}, {Name: "llamacpp"}}, Models: []string{"llama-3.2-1b", "mistral-7b"},
			Workload: exobench.Workload{MaxTokens: 20, Cache: exobench.ColdCache,
				Prompts: []exobench.Prompt{{ID: "artificial-intelligence"}, {ID: "poem"}, {ID: "renewable-energy"}, {ID: "quantum"}, {ID: "photosynthesis"}}},
			Traffic: []exobench.Traffic{{Concurrency: 1}, {Concurrency: 8}, {Concurrency: 64}}, Warmup: 5,
		},
		Engines: []exobench.Engine{
			{Name: "exo", URL: "http://127.0.0.1:52415", LifeCycle: true, CacheSwitch: true, IgnoresEOS: true, Models: models},
			{Name: "llamacpp", URL: "http://127.0.0.1:8080", CacheSwitch: true, IgnoresEOS: true, Models: models},
		},
	}
}

func (l *long) append(e exobench.Entry) {
	if l.err == nil {
		l.err = l.emit(e)
	}
}

func (l *long) load(s exobench.Step) {
	stage := func(stage exobench.Stage, moment exobench.Moment) {
		l.now += second
		l.append(&exobench.StageEvent{At: l.now, Step: s.ID, Stage: stage})
		if moment != "" {
			l.reading(s, moment)
		}
	}
	stage(exobench.StageResolve, exobench.Before)
	stage(exobench.StagePlace, "")
	stage(exobench.StageReady, exobench.Loaded)
}

func (l *long) reading(s exobench.Step, moment exobench.Moment) {
	anonymous, file := float64(1<<30+l.random.Int64N(1<<20)), float64(2<<30)
	if moment == exobench.Before {
		file = 1 << 20
	}
	l.append(&exobench.Sample{At: l.now, Step: s.ID, Moment: moment, Sensor: "processes", Values: exobench.Values{
		{Quantity: exobench.PSS, Value: anonymous + file}, {Quantity: exobench.RSS, Value: anonymous + file + 1<<20},
		{Quantity: exobench.Anonymous, Value: anonymous}, {Quantity: exobench.File, Value: file}, {Quantity: exobench.Processes, Value: 3}}})
	l.read = l.now + 100*ms
	if s.Engine == "exo" && l.random.IntN(10) == 0 {
		l.append(&exobench.Sample{At: l.now, Step: s.ID, Moment: moment, Sensor: "nodes", Of: "studio", Values: exobench.Values{
			{Quantity: exobench.NodeUsed, Value: anonymous + file + 1<<32}, {Quantity: exobench.NodePower, Value: 40 + 10*l.random.Float64()}}})
	}
}

// block makes n requests and keeps as many under way as the traffic says.
func (l *long) block(h *exobench.Header, o *exobench.Outline, s exobench.Step, b exobench.Block, n int) {
	b.At = l.now
	l.append(&b)
	concurrency := 1
	if !b.Warmup() {
		concurrency = o.Cell(b.Cell).Traffic.Concurrency
	}
	prompts := h.Plan.Workload.Prompts
	free := make([]exobench.Instant, concurrency) // when each stream is free again
	for i := range free {
		free[i] = b.At + exobench.Instant(l.random.Int64N(int64(ms)))
	}
	for i := range n {
		first := 0
		for s := range free {
			if free[s] < free[first] {
				first = s
			}
		}
		l.now = free[first]
		if l.now >= l.read {
			l.reading(s, exobench.During)
		}
		r := l.request(s, prompts[i%len(prompts)].ID)
		r.Block, r.Repeat = b.ID, i/len(prompts)+1
		free[first] = r.Ended + exobench.Instant(l.random.Int64N(50_000))
		l.append(r)
	}
	l.append(&exobench.Sample{At: l.now, Step: s.ID, Moment: exobench.During, Block: b.ID, Sensor: "machine", Span: l.now.Sub(b.At),
		Values: exobench.Values{{Quantity: exobench.Steal, Value: 0.001}, {Quantity: exobench.Foreign, Value: 0.02}}})
	l.append(&exobench.BlockEnd{At: l.now, Block: b.ID, Reason: exobench.BlockDone})
}

func (l *long) request(s exobench.Step, prompt string) *exobench.Record {
	l.seq++
	sent := l.now
	r := &exobench.Record{
		Seq: l.seq, PromptID: prompt, HTTPStatus: 200, Scheduled: sent, Sent: sent, PromptTokens: new(exobench.Tokens(20 + l.random.Int64N(20))),
		ServerID: fmt.Sprintf("chatcmpl-%016x%016x", l.random.Uint64(), l.random.Uint64()), ServerModel: s.Model.ID,
	}
	if l.random.IntN(100) == 0 {
		r.Outcome, r.Error, r.HTTPStatus = exobench.HTTPError, `503 Service Unavailable: {"error":"busy"}`, 503
		r.Ended = sent + exobench.Instant(l.random.Int64N(int64(50*ms)))
		return r
	}
	r.Outcome, r.FinishReason = exobench.OK, "length"
	at := sent + 20*ms + exobench.Instant(l.random.Int64N(int64(20*ms)))
	r.Headers, r.FirstChunk, r.FirstToken, r.FirstAnswer = at-15*ms, at-ms, at, at
	for range 20 {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: at, Bytes: 2 + l.random.IntN(8)})
		r.Delays = append(r.Delays, 20_000+int64(l.random.ExpFloat64()*60_000))
		r.LastToken = at
		at += 5*ms + exobench.Instant(l.random.ExpFloat64()*float64(3*ms))
	}
	r.Done, r.Ended = r.LastToken, r.LastToken+exobench.Instant(l.random.Int64N(int64(ms)))
	r.CachedTokens, r.OutputTokens, r.TokensFrom = tokens(0), tokens(20), exobench.FromUsage
	if s.Engine == "exo" {
		prefill, decode := r.FirstToken.Sub(r.Sent).Seconds(), r.LastToken.Sub(r.FirstToken).Seconds()
		r.Server = &exobench.ServerStats{PrefillTPS: new(float64(*r.PromptTokens) / prefill), DecodeTPS: new(20 / decode),
			PromptTokens: r.PromptTokens, OutputTokens: tokens(20), PeakMemory: new(exobench.Bytes(3 << 30)), PrefixCache: "none"}
	}
	return r
}
