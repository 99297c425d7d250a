package run

import (
	"math/rand/v2"

	"exobench"
	"exobench/prompt"
)

// maker makes the requests of one block, without end: every prompt once in each
// repeat, in an order of its own, so that a drift of the machine does not fall
// on one prompt. Warm-ups take the prompts as they come and count no repeats.
type maker struct {
	step   *step
	block  exobench.Block
	random *rand.Rand
	repeat int
	// left are the prompts that the repeat still lacks.
	left []int
}

func newMaker(s *step, b exobench.Block) *maker {
	return &maker{step: s, block: b, random: rand.New(rand.NewPCG(s.Plan.Seeds.Order, uint64(b.Planned())))}
}

func (m *maker) next() exobench.Request {
	plan := &m.step.Plan
	work := &plan.Workload
	if len(m.left) == 0 {
		m.begin(len(work.Prompts))
	}
	asked := work.Prompts[m.left[0]]
	m.left = m.left[1:]
	m.step.seq++
	seq := m.step.seq
	if work.Cache == exobench.ColdCache && !m.step.engine.Entry.CacheSwitch {
		asked.Text = prompt.Apart(m.step.PromptSeed, seq) + asked.Text
	}
	return exobench.Request{
		Seq: seq, Block: m.block.ID, Repeat: m.repeat,
		Prompt: asked, MaxTokens: work.MaxTokens, Seed: plan.Seeds.Sampling, Temperature: work.Temperature,
		IgnoreEOS: !work.NaturalStop, WarmCache: work.Cache == exobench.WarmCache,
	}
}

// begin begins a repeat of n prompts.
func (m *maker) begin(n int) {
	if !m.block.Warmup() {
		m.repeat++
		m.left = m.random.Perm(n)
		return
	}
	for i := range n {
		m.left = append(m.left, i)
	}
}

// PromptSeed returns the seed of what keeps the prompts of one run apart from
// those of others: the plan's, or where that is 0 one that no run had.
func PromptSeed(p exobench.Plan) uint64 {
	for p.Seeds.Prompts == 0 {
		p.Seeds.Prompts = rand.Uint64()
	}
	return p.Seeds.Prompts
}
