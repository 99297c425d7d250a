package terminal

import (
	"time"

	"exobench"
)

// script makes the entries of a run, in the order of a journal. Tests take the
// parts that they need.
type script struct {
	plan    exobench.Plan
	outline *exobench.Outline
	lines   []scriptLine
	// block is the one whose requests come; seq numbers them.
	block, seq, blocks int
}

type scriptLine struct {
	at    float64 // in seconds
	entry exobench.Entry
}

// newScript begins a run: its header, steps and cells. The plan has four prompts
// unless it has some.
func newScript(plan exobench.Plan, engines []exobench.Engine) *script {
	if plan.Workload.Prompts == nil {
		plan.Workload.Prompts = make([]exobench.Prompt, 4)
	}
	if plan.Stop == (exobench.Stop{}) {
		plan.Stop.Repeat = 1
	}
	if plan.Traffic == nil {
		plan.Traffic = closed(1)
	}
	s := &script{plan: plan, outline: exobench.NewOutline(plan, engines, 1)}
	s.add(0, &exobench.Header{RunID: "run", Plan: plan, Engines: engines})
	s.add(0, &exobench.Session{ID: 1})
	s.outlined(0, s.outline.Steps, s.outline.Cells)
	return s
}

// closed are closed loops of so many requests each.
func closed(concurrency ...int) []exobench.Traffic {
	var all []exobench.Traffic
	for _, n := range concurrency {
		all = append(all, exobench.Traffic{Concurrency: n})
	}
	return all
}

func (s *script) add(at float64, entry exobench.Entry) {
	s.lines = append(s.lines, scriptLine{at, entry})
}

func (s *script) outlined(at float64, steps []exobench.Step, cells []exobench.Cell) {
	for _, t := range steps {
		s.add(at, new(t))
	}
	for _, c := range cells {
		s.add(at, new(c))
	}
}

// spread gives a step placements, and returns the ids of all of them.
func (s *script) spread(at float64, step int, placements ...string) []int {
	ids := s.outline.Spread(s.plan, step, placements)
	for _, id := range ids {
		s.outlined(at, []exobench.Step{*s.outline.Step(id)}, s.outline.CellsOf(id))
	}
	return ids
}

func instant(at float64) exobench.Instant { return exobench.Instant(at * 1e9) }

func (s *script) stage(at float64, step int, e exobench.StageEvent) {
	e.At, e.Step = instant(at), step
	s.add(at, &e)
}

// begin begins a block of a cell, or of warm-ups where cell is 0.
func (s *script) begin(at float64, step, cell int) {
	s.blocks++
	s.block = s.blocks
	s.add(at, &exobench.Block{ID: s.block, Step: step, Cell: cell, At: instant(at)})
}

func (s *script) end(at float64, reason exobench.BlockEndReason) {
	s.add(at, &exobench.BlockEnd{At: instant(at), Block: s.block, Reason: reason})
}

func (s *script) endStep(at float64, step int, reason exobench.StepEndReason, why string) {
	s.add(at, &exobench.StepEnd{At: instant(at), Step: step, Reason: reason, Error: why})
}

func (s *script) endRun(at float64, reason exobench.EndReason, why string) {
	s.add(at, &exobench.End{At: instant(at), Session: 1, Reason: reason, Error: why})
}

// request adds a request that ended: 11 tokens in as many events, the first
// at once and the last when it ended.
func (s *script) request(at, took float64, outcome exobench.Outcome) {
	s.seq++
	sent, done := instant(at-took), instant(at)
	r := &exobench.Record{
		Seq: s.seq, Block: s.block, Outcome: outcome, Scheduled: sent, Sent: sent, FirstToken: sent, LastToken: done, Done: done, Ended: done,
		OutputTokens: new(exobench.Tokens(11)), TokensFrom: exobench.FromUsage, Chunks: make(exobench.Chunks, 11),
	}
	for i := range r.Chunks {
		r.Chunks[i] = exobench.Chunk{At: sent.Add(time.Duration(took * float64(i) / 10 * 1e9)), Bytes: 4}
	}
	if outcome != exobench.OK {
		r.Error = "busy"
	}
	s.add(at, r)
}

// measure adds a whole block of a cell from an instant on: four requests one
// after the other.
func (s *script) measure(at float64, step, cell int, took float64) (end float64) {
	s.begin(at, step, cell)
	for i := range 4 {
		s.request(at+took*float64(i+1), took, exobench.OK)
	}
	s.end(at+4*took, exobench.BlockDone)
	return at + 4*took
}

const ring, jaccl = "Pipeline/MlxRing/1 node", "Tensor/MlxJaccl/2 nodes"

// engines returns that many, each with the models.
func engines(n int, names ...string) []exobench.Engine {
	all := []exobench.Engine{
		{Name: "exo", Version: "1.0.2", URL: "http://localhost:52415", Label: "no real engine"},
		{Name: "ollama", Version: "0.12.3", URL: "http://localhost:11434"},
		{Name: "llama.cpp", Version: "b6700", URL: "http://localhost:8080"},
	}[:n]
	for i := range all {
		for _, name := range names {
			all[i].Models = append(all[i].Models, exobench.Model{Name: name, ID: "org/" + name})
		}
	}
	return all
}

// wholeRun is a run of two models: the first is downloaded, loaded and
// measured, the second finds no room.
func wholeRun() *script {
	s := newScript(exobench.Plan{Warmup: 1}, engines(1, "llama-3.2-1b", "mistral-7b"))
	s.stage(0.5, 1, exobench.StageEvent{Stage: exobench.StagePlace, Placement: ring})
	download := func(at, gib float64) {
		s.stage(at, 1, exobench.StageEvent{
			Stage: exobench.StageDownload, Downloaded: exobench.Bytes(gib * (1 << 30)), DownloadTotal: 4 << 30, DownloadRate: 256 << 20,
		})
	}
	download(1, 0)
	download(2, 0.25)
	download(3, 0.5)
	download(3.5, 1)
	download(14, 3.75)
	for _, at := range []struct {
		at     float64
		layers int
	}{{15, 0}, {20, 8}, {26, 14}} {
		s.stage(at.at, 1, exobench.StageEvent{Stage: exobench.StageLoad, Layers: at.layers, LayersTotal: 16})
	}
	s.stage(27, 1, exobench.StageEvent{Stage: exobench.StageWarm})
	s.stage(28, 1, exobench.StageEvent{Stage: exobench.StageReady})
	s.begin(28, 1, 0)
	s.request(32, 4, exobench.OK)
	s.end(32, exobench.BlockDone)
	s.begin(32, 1, 1)
	s.request(34, 2, exobench.OK)
	s.request(35, 1, exobench.HTTPError)
	s.request(36, 1, exobench.OK)
	s.request(37, 1, exobench.OK)
	s.end(37, exobench.BlockDone)
	s.stage(37, 1, exobench.StageEvent{Stage: exobench.StageRelease})
	s.stage(38, 1, exobench.StageEvent{Stage: exobench.StageReleased})
	s.endStep(38, 1, exobench.StepReleased, "")
	s.stage(38.5, 2, exobench.StageEvent{Stage: exobench.StagePlace, Detail: "waiting for 14.2 GiB of memory, 7.60 GiB are free"})
	s.add(39, &exobench.Note{At: instant(39), Session: 1, Step: 2, Text: "mistral-7b has no card:\n\x1b[31mit was added"})
	s.endStep(98.5, 2, exobench.StepFailed, "needs 14.2 GiB,\n7.60 GiB are free on node-1 and 6.10 GiB on node-2: end other programs that hold memory, "+
		"take a model of fewer bits with --quantisation 4bit, or give more nodes with --max-nodes 3")
	s.endRun(99, exobench.EndFinished, "")
	return s
}

// threeEngines is a run of three engines with two models each, up to the second
// model of the second.
func threeEngines() *script {
	s := newScript(exobench.Plan{}, engines(3, "llama-3.2-1b", "mistral-7b"))
	for i := range 4 {
		step, at := i+1, float64(10*i)
		s.stage(at+1, step, exobench.StageEvent{Stage: exobench.StageLoad})
		s.stage(at+2, step, exobench.StageEvent{Stage: exobench.StageReady})
		if step == 4 {
			s.begin(at+2, step, step)
			s.request(at+3.5, 1.5, exobench.OK)
			break
		}
		end := s.measure(at+2, step, step, 1.5)
		s.stage(end+1, step, exobench.StageEvent{Stage: exobench.StageReleased})
		s.endStep(end+1, step, exobench.StepReleased, "")
	}
	return s
}

// twoPlacements is a run of two models, where the first has two placements, up
// to an interrupt in the second.
func twoPlacements() *script {
	s := newScript(exobench.Plan{AllPlacements: true}, engines(1, "llama-3.2-1b", "mistral-7b"))
	ids := s.spread(0.5, 1, ring, jaccl)
	s.spread(0.5, 2, ring)
	for i, step := range ids {
		at := float64(10 * i)
		cell := s.outline.CellsOf(step)[0].ID
		s.stage(at+1, step, exobench.StageEvent{Stage: exobench.StagePlace, Placement: []string{ring, jaccl}[i]})
		s.stage(at+3, step, exobench.StageEvent{Stage: exobench.StageReady})
		if i == 0 {
			s.measure(at+3, step, cell, 1)
			s.stage(at+8, step, exobench.StageEvent{Stage: exobench.StageReleased})
			s.endStep(at+8, step, exobench.StepReleased, "")
			continue
		}
		s.begin(at+3, step, cell)
		s.request(at+5, 2, exobench.OK)
		s.request(at+6, 1, exobench.OK)
		s.request(at+6.5, 0.5, exobench.Canceled)
		s.end(at+6.5, exobench.BlockInterrupted)
		s.stage(at+8, step, exobench.StageEvent{Stage: exobench.StageReleased})
		s.endStep(at+8, step, exobench.StepInterrupted, "")
	}
	s.endRun(19, exobench.EndInterrupted, "")
	return s
}

// severalCells is a run of one model under three traffics, of which the last is
// an open loop and under way at 30 s.
func severalCells() *script {
	traffic := append(closed(1, 4), exobench.Traffic{Rate: 2.5, Arrival: exobench.Poisson})
	s := newScript(exobench.Plan{Traffic: traffic}, engines(1, "llama-3.2-1b"))
	s.stage(1, 1, exobench.StageEvent{Stage: exobench.StageReady})
	s.measure(2, 1, 1, 1)
	s.begin(7, 1, 2)
	for i := range 4 {
		s.request(15+float64(i)/10, 8, []exobench.Outcome{exobench.OK, exobench.Timeout}[i/3])
	}
	s.end(16, exobench.BlockDone)
	s.begin(17, 1, 3)
	s.request(20, 2, exobench.OK)
	s.request(24, 2, exobench.OK)
	s.request(30, 2, exobench.OK)
	s.request(34, 2, exobench.OK)
	s.end(34, exobench.BlockDone)
	s.endStep(35, 1, exobench.StepReleased, "")
	return s
}

// openLoop is a run of one model at a rate for 20 s, from 2 s on.
func openLoop() *script {
	s := newScript(exobench.Plan{
		Traffic: []exobench.Traffic{{Rate: 2.5, Arrival: exobench.Poisson}},
		Stop:    exobench.Stop{Duration: exobench.Duration(20 * time.Second)},
	}, engines(1, "llama-3.2-1b"))
	s.stage(1, 1, exobench.StageEvent{Stage: exobench.StageReady})
	s.begin(2, 1, 1)
	for i := range 15 {
		s.request(4+float64(i), 2, exobench.OK)
	}
	s.end(24, exobench.BlockTime)
	s.endStep(24, 1, exobench.StepReleased, "")
	return s
}

// stateAt is the state after what the script says up to so many seconds.
func (s *script) stateAt(at float64) *state {
	st := newState()
	for _, line := range s.lines {
		if line.at <= at {
			st.add(line.entry)
		}
	}
	return st
}

func (s *script) frameAt(at float64) frame { return s.stateAt(at).frame(instant(at)) }
