package terminal

import (
	"time"

	"exobench"
)

// story makes the Progress of a run, the way package run tells it. Tests take
// the parts that they need.
type story struct {
	p   exobench.Progress
	all []exobench.Progress
}

// newStory begins one of so many steps, on exo unless told otherwise.
func newStory(steps, total int) *story {
	s := &story{p: exobench.Progress{Engine: "exo", Steps: steps, Total: total}}
	if total%steps == 0 {
		s.p.StepTotal = total / steps
	}
	return s
}

// tell adds a Progress at so many seconds.
func (s *story) tell(at float64, change func(p *exobench.Progress)) {
	s.p.At = exobench.Instant(at * 1e9)
	s.p.Last, s.p.Note = nil, ""
	change(&s.p)
	s.all = append(s.all, s.p)
}

func (s *story) model(at float64, step int, name string) {
	s.tell(at, func(p *exobench.Progress) {
		p.Model, p.Step, p.Phase = exobench.Model{Name: name, ID: "org/" + name}, step, ""
		p.Load = exobench.LoadEvent{Model: name, Stage: exobench.StagePlace, Placement: "Pipeline/MlxRing/1 node"}
	})
}

func (s *story) stage(at float64, stage exobench.Stage, change func(e *exobench.LoadEvent)) {
	s.tell(at, func(p *exobench.Progress) {
		p.Phase = ""
		p.Load = exobench.LoadEvent{Model: p.Model.Name, Stage: stage}
		if change != nil {
			change(&p.Load)
		}
	})
}

func (s *story) phase(at float64, phase exobench.Phase) {
	s.tell(at, func(p *exobench.Progress) { p.Phase, p.Concurrency = phase, 1 })
}

// request adds a request that ended: 11 tokens in as many events, the first
// at once and the last when it ended.
func (s *story) request(at, took float64, outcome exobench.Outcome) {
	s.tell(at, func(p *exobench.Progress) {
		p.Done++
		tokens := exobench.Tokens(11)
		sent := p.At.Add(-time.Duration(took * 1e9))
		r := &exobench.Record{
			Phase: p.Phase, Outcome: outcome, Sent: sent, FirstToken: sent, LastToken: p.At, Done: p.At,
			OutputTokens: &tokens, TokensFrom: exobench.FromUsage, Chunks: make(exobench.Chunks, 11),
		}
		for i := range r.Chunks {
			r.Chunks[i] = exobench.Chunk{At: sent.Add(time.Duration(took * float64(i) / 10 * 1e9)), Bytes: 4}
		}
		if outcome != exobench.OK {
			r.Error = "busy"
			p.Failed++
		}
		p.Last = r
	})
}

// aRun is a whole run: the first model is downloaded, loaded and measured, the
// second finds no room.
func aRun() *story {
	s := newStory(2, 8)
	s.model(0.5, 1, "llama-3.2-1b")
	download := func(gib float64) func(*exobench.LoadEvent) {
		return func(e *exobench.LoadEvent) {
			e.Downloaded, e.DownloadTotal, e.DownloadRate = exobench.Bytes(gib*(1<<30)), 4<<30, 256<<20
		}
	}
	s.stage(1, exobench.StageDownload, download(0))
	s.stage(2, exobench.StageDownload, download(0.25))
	s.stage(3, exobench.StageDownload, download(0.5))
	s.stage(3.5, exobench.StageDownload, download(1))
	s.stage(14, exobench.StageDownload, download(3.75))
	layers := func(n int) func(*exobench.LoadEvent) {
		return func(e *exobench.LoadEvent) { e.Layers, e.LayersTotal = n, 16 }
	}
	s.stage(15, exobench.StageLoad, layers(0))
	s.stage(20, exobench.StageLoad, layers(8))
	s.stage(26, exobench.StageLoad, layers(14))
	s.stage(27, exobench.StageWarm, nil)
	s.stage(28, exobench.StageReady, nil)
	s.phase(28, exobench.Warmup)
	s.request(32, 4, exobench.OK)
	s.phase(32, exobench.Measured)
	s.request(34, 2, exobench.OK)
	s.request(35, 1, exobench.HTTPError)
	s.request(36, 1, exobench.OK)
	s.stage(37, exobench.StageRelease, nil)
	s.stage(38, exobench.StageReleased, nil)
	s.model(38, 2, "mistral-7b")
	s.tell(39, func(p *exobench.Progress) { p.Note = "mistral-7b has no card:\n\x1b[31mit was added" })
	s.stage(40, exobench.StageFailed, func(e *exobench.LoadEvent) { e.Error = "needs 14.2 GiB,\n7.60 GiB are free" })
	s.tell(40, func(p *exobench.Progress) { p.Done += 4 })
	return s
}

// placed begins a step in a placement that is wanted; steps is how many the run
// has by now.
func (s *story) placed(at float64, step, steps int, name, placement string) {
	s.tell(at, func(p *exobench.Progress) {
		p.Model, p.Step, p.Phase = exobench.Model{Name: name, Placement: placement}, step, ""
		p.Steps, p.Total = steps, steps*p.StepTotal
		p.Load = exobench.LoadEvent{Model: name, Stage: exobench.StagePlace, Placement: placement}
	})
}

// finish ends a step, as package run does in every case.
func (s *story) finish(at float64) {
	s.tell(at, func(p *exobench.Progress) { p.Done = p.Step * p.StepTotal })
}

// threeEngines is a run of three engines with two models each, up to the second
// model of the second.
func threeEngines() *story {
	s := newStory(6, 12)
	at := 0.0
	for step, engine := range []string{"exo", "exo", "ollama", "ollama"} {
		s.p.Engine = engine
		s.model(at+1, step+1, []string{"llama-3.2-1b", "mistral-7b"}[step%2])
		s.stage(at+1, exobench.StageLoad, nil)
		s.stage(at+3, exobench.StageReady, nil)
		s.phase(at+3, exobench.Measured)
		s.request(at+5, 2, exobench.OK)
		if step < 3 {
			s.request(at+7, 2, exobench.OK)
			s.stage(at+8, exobench.StageReleased, nil)
			s.finish(at + 8)
		}
		at += 8
	}
	return s
}

// twoPlacements is a run of one engine where the first of two models has two
// placements, up to an interrupt in the second.
func twoPlacements() *story {
	s := newStory(2, 8)
	s.tell(1, func(p *exobench.Progress) { p.Steps, p.Total = 3, 12 })
	for step, placement := range []string{"Pipeline/MlxRing/1 node", "Tensor/MlxJaccl/2 nodes"} {
		at := 10 * float64(step)
		s.placed(at+1, step+1, 3, "llama-3.2-1b", placement)
		s.stage(at+3, exobench.StageReady, nil)
		s.phase(at+3, exobench.Measured)
		s.request(at+5, 2, exobench.OK)
		s.request(at+6, 1, exobench.OK)
		if step == 0 {
			s.request(at+7, 1, exobench.OK)
			s.request(at+8, 1, exobench.OK)
		} else {
			s.request(at+6.5, 0.5, exobench.Canceled)
		}
		s.stage(at+8, exobench.StageReleased, nil)
		s.finish(at + 8)
	}
	return s
}

func threeEnginesOf(names ...string) []exobench.Engine {
	engines := []exobench.Engine{
		{Name: "exo", Version: "1.0.2", URL: "http://localhost:52415", Label: "no real engine"},
		{Name: "ollama", Version: "0.12.3", URL: "http://localhost:11434"},
		{Name: "llama.cpp", Version: "b6700", URL: "http://localhost:8080"},
	}
	for i := range engines {
		for _, name := range names {
			engines[i].Models = append(engines[i].Models, exobench.Model{Name: name})
		}
	}
	return engines
}

// stateOn is the state after what the story tells up to so many seconds, with
// those engines known in advance.
func (s *story) stateOn(at float64, engines []exobench.Engine) *state {
	st := newState(engines)
	for _, p := range s.all {
		if p.At.Seconds() <= at {
			st.apply(p)
		}
	}
	return &st
}

// stateAt is the state where one engine with models of those names is known.
func (s *story) stateAt(at float64, names ...string) *state {
	return s.stateOn(at, threeEnginesOf(names...)[:1])
}

func (s *story) frameAt(at float64, names ...string) frame {
	return s.stateAt(at, names...).frame(exobench.Instant(at * 1e9))
}
