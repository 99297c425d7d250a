package summary

import (
	"cmp"

	"exobench"
	"exobench/metric"
)

// Ceiling is what bounds the decode speed of a cell's requests: each token needs
// the weights, and the keys and values of all positions before it, from memory.
// The ceiling itself and the share of it are metrics of the cell.
type Ceiling struct {
	exobench.Bandwidth
	Basis exobench.CeilingBasis `json:"basis"`
	// Weights are what is read of them for a token.
	Weights exobench.Bytes `json:"weights_read_bytes"`
	// Positions is how many there are before a token, the mean over the OK
	// requests; KV is what their keys and values take. Both are 0 where it is not
	// known: the ceiling is then that of an empty context.
	Positions float64        `json:"context_tokens"`
	KV        exobench.Bytes `json:"kv_read_bytes"`
	// Drafted is set where drafts were used: a step may then give several tokens,
	// and the share of the ceiling says nothing of the memory.
	Drafted bool `json:"drafted"`
}

// addCeiling keeps the highest of what is told of a model by several sessions:
// what the memory could do once.
func (f *Fold) addCeiling(c exobench.Ceiling) {
	if c.Weights <= 0 || c.Position < 0 || !(c.PerSecond > 0 && c.PerSecond < mostRead) {
		return // no figure that can be
	}
	key := Subject{c.Engine, c.Model}
	if have, ok := f.ceilings[key]; !ok || higher(c, have) {
		f.ceilings[key] = c
	}
}

// higher orders ceilings so that the order of the entries does not matter.
func higher(a, b exobench.Ceiling) bool {
	return cmp.Or(cmp.Compare(a.PerSecond/float64(a.Weights), b.PerSecond/float64(b.Weights)), cmp.Compare(a.Session, b.Session), cmp.Compare(a.At, b.At)) > 0
}

// contexts add up how much of a context tokens were decoded in.
type contexts struct {
	// positions are those before a token, summed over so many OK requests.
	positions float64
	told      int
	drafted   bool
}

func (c *contexts) add(r *exobench.Record) {
	prompt, output := count(r.PromptTokens), count(r.OutputTokens)
	if r.PromptTokens != nil && r.OutputTokens != nil && prompt >= 0 && output >= 0 && prompt+output <= mostTokens {
		c.positions += float64(prompt) + float64(output)/2
		c.told++
	}
	c.drafted = c.drafted || r.Server != nil && count(r.Server.DraftTokens) > 0
}

func (c *contexts) join(other contexts) {
	c.positions += other.positions
	c.told += other.told
	c.drafted = c.drafted || other.drafted
}

// ceilingOf returns the ceiling of a cell; nil where it has none, or no requests.
func (f *Fold) ceilingOf(c *Cell, blocks []*block) *Ceiling {
	told, ok := f.ceilings[c.Subject]
	if !ok || c.N == 0 || told.GPU && onCPU(c.Memory.GPU, told.Weights) {
		return nil
	}
	t := tally(blocks)
	ceiling := &Ceiling{Bandwidth: told.Bandwidth, Basis: told.Basis, Weights: told.Weights, Drafted: t.drafted}
	if t.told > 0 && told.Position > 0 {
		ceiling.Positions = t.positions / float64(t.told)
		if told.Window > 0 {
			ceiling.Positions = min(ceiling.Positions, float64(told.Window))
		}
		ceiling.KV = exobench.Bytes(ceiling.Positions * float64(told.Position))
	}
	return ceiling
}

// onCPU reports whether the GPUs were seen to hold too little for the weights to be
// there: the engine did not use them.
func onCPU(g *GPUMemory, weights exobench.Bytes) bool {
	if g == nil || g.Unified || g.Peak == nil {
		return false
	}
	held := *g.Peak
	if g.Before != nil {
		held -= *g.Before
	}
	return held < weights/2
}

// Rate is the ceiling, in tokens/s of one request.
func (c *Ceiling) Rate() float64 { return c.PerSecond / float64(c.Weights+c.KV) }

// doubtCeiling says where requests were faster than they can have been.
func doubtCeiling(c *Cell) []Figures {
	share, ok := c.Value(metric.ShareOfCeiling)
	if !ok || share <= 1 {
		return nil
	}
	return []Figures{AboveCeiling{share, c.Ceiling.PerSecond, c.Ceiling.From, c.Ceiling.Drafted}}
}
