package run

import (
	"fmt"
	"math/rand/v2"

	"exobench"
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
	prompt := work.Prompts[m.left[0]]
	m.left = m.left[1:]
	m.step.seq++
	seq := m.step.seq
	if work.Cache == exobench.ColdCache && !m.step.engine.Entry.CacheSwitch {
		prompt.Text = coldPrefix(plan.Seeds.Prompts, m.step.Session, seq) + prompt.Text
	}
	return exobench.Request{
		Seq: seq, Block: m.block.ID, Repeat: m.repeat,
		Prompt: prompt, MaxTokens: work.MaxTokens, Seed: plan.Seeds.Sampling,
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

// coldPrefix makes a prompt differ from its first character on, so that no
// cache of earlier prompts can serve it. A session counts on from the last
// request that the one before it recorded, which may have sent more: so its
// number is in the seed.
func coldPrefix(seed uint64, session, seq int) string {
	random := rand.New(rand.NewPCG(seed, uint64(max(session-1, 0))<<40|uint64(seq)))
	return fmt.Sprintf("%08x ", random.Uint32())
}
