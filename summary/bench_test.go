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

// long is the maker of a journal of many requests: two engines, of which one
// gives statistics, two models each, five prompts and three concurrencies;
// answers of 20 events, one request of a hundred failed, and readings ten times
// a second.
type long struct {
	*journal.Writer
	random *rand.Rand
	now    exobench.Instant
	read   exobench.Instant // when the next reading is due
	seq    int
	err    error
}

// writeLong writes a journal of that many requests.
func writeLong(path string, requests int) error {
	w, err := journal.Create(path, longHeader())
	if err != nil {
		return err
	}
	l := &long{Writer: w, random: rand.New(rand.NewPCG(1, 2)), now: second}
	h := longHeader()
	cells := len(h.Engines) * len(h.Plan.Models) * len(h.Plan.Concurrency)
	for _, e := range h.Engines {
		for _, m := range e.Models {
			l.load(e, m)
			for _, c := range h.Plan.Concurrency {
				l.cell(e, m, h.Plan.Prompts, c, (requests-l.seq)/cells)
				cells--
			}
		}
	}
	l.append(&exobench.End{At: l.now, Reason: exobench.EndFinished})
	if err := w.Close(); l.err == nil {
		l.err = err
	}
	return l.err
}

func longHeader() *exobench.Header {
	models := []exobench.Model{{Name: "llama-3.2-1b", ID: "mlx-community/Llama-3.2-1B-Instruct-4bit"}, {Name: "mistral-7b", ID: "mlx-community/Mistral-7B-Instruct-v0.3-4bit"}}
	return &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "20260102T150405Z", Epoch: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
		Host: exobench.Host{Name: "studio", Cores: 2},
		Plan: exobench.Plan{
			Engines: []string{"exo", "llamacpp"}, Models: []string{"llama-3.2-1b", "mistral-7b"}, MaxTokens: 20, Cache: "cold", Concurrency: []int{1, 8, 64},
			Prompts: []exobench.Prompt{{ID: "artificial-intelligence"}, {ID: "poem"}, {ID: "renewable-energy"}, {ID: "quantum"}, {ID: "photosynthesis"}},
		},
		Engines: []exobench.Engine{
			{Name: "exo", URL: "http://127.0.0.1:52415", LifeCycle: true, CacheSwitch: true, IgnoresEOS: true, Models: models},
			{Name: "llamacpp", URL: "http://127.0.0.1:8080", CacheSwitch: true, IgnoresEOS: true, Models: models},
		},
	}
}

func (l *long) append(e exobench.Entry) {
	if l.err == nil {
		l.err = l.Append(e)
	}
}

func (l *long) load(e exobench.Engine, m exobench.Model) {
	step := func(stage exobench.Stage, moment exobench.Moment) {
		l.now += second
		l.append(&exobench.LoadEvent{At: l.now, Engine: e.Name, Model: m.Name, ModelID: m.ID, Stage: stage})
		if moment != "" {
			l.reading(e, m, moment)
		}
	}
	step(exobench.StageResolve, exobench.MomentBefore)
	step(exobench.StagePlace, "")
	step(exobench.StageReady, exobench.MomentLoaded)
}

func (l *long) reading(e exobench.Engine, m exobench.Model, moment exobench.Moment) {
	anonymous, file := exobench.Bytes(1<<30+l.random.Int64N(1<<20)), exobench.Bytes(2<<30)
	if moment == exobench.MomentBefore {
		file = 1 << 20
	}
	l.append(&exobench.Reading{At: l.now, Engine: e.Name, Model: m.Name, Moment: moment, Source: exobench.FromPSS,
		Memory: anonymous + file, Anonymous: &anonymous, File: &file, Resident: new(anonymous + file + 1<<20), Processes: 3})
	l.read = l.now + 100*ms
	if e.Name == "exo" && l.random.IntN(10) == 0 {
		l.append(&exobench.NodeReading{At: l.now, Engine: e.Name, Model: m.Name, Moment: moment, Node: "studio", MemoryUsed: new(anonymous + file + 1<<32), Power: new(40 + 10*l.random.Float64())})
	}
}

// cell writes n requests, warm-ups first, and keeps as many under way as its
// concurrency says.
func (l *long) cell(e exobench.Engine, m exobench.Model, prompts []exobench.Prompt, concurrency, n int) {
	free := make([]exobench.Instant, concurrency) // when each stream is free again
	start := l.now
	for i := range free {
		free[i] = start + exobench.Instant(l.random.Int64N(int64(ms)))
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
			l.reading(e, m, exobench.MomentDuring)
		}
		r := l.request(e, m, prompts[i%len(prompts)].ID, concurrency)
		r.Repeat = i/len(prompts) + 1
		if i < len(prompts) {
			r.Phase = exobench.Warmup
		}
		free[first] = r.Ended + exobench.Instant(l.random.Int64N(50_000))
		l.append(r)
	}
	l.append(&exobench.Disturbance{At: l.now, Engine: e.Name, Model: m.Name, Concurrency: concurrency, Wall: l.now.Sub(start), Steal: new(0.001), Foreign: new(0.02)})
}

func (l *long) request(e exobench.Engine, m exobench.Model, prompt string, concurrency int) *exobench.Record {
	l.seq++
	sent := l.now
	r := &exobench.Record{
		Seq: l.seq, Engine: e.Name, Model: m.Name, ModelID: m.ID, PromptID: prompt, Phase: exobench.Measured, Concurrency: concurrency, MaxTokens: 20,
		HTTPStatus: 200, Scheduled: sent, Sent: sent, PromptTokens: new(exobench.Tokens(20 + l.random.Int64N(20))),
		ServerID: fmt.Sprintf("chatcmpl-%016x%016x", l.random.Uint64(), l.random.Uint64()), ServerModel: m.ID,
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
	if e.Name == "exo" {
		prefill, decode := r.FirstToken.Sub(r.Sent).Seconds(), r.LastToken.Sub(r.FirstToken).Seconds()
		r.Server = &exobench.ServerStats{PrefillTPS: new(float64(*r.PromptTokens) / prefill), DecodeTPS: new(20 / decode),
			PromptTokens: r.PromptTokens, OutputTokens: tokens(20), PeakMemory: new(exobench.Bytes(3 << 30)), PrefixCache: "none"}
	}
	return r
}
