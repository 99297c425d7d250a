package decoder

import (
	"errors"
	"fmt"
)

// Input is what one sequence brings to a pass.
type Input struct {
	Sequence *Sequence
	Tokens   []int     // the next tokens of the sequence, at least one
	Logits   []float32 // receives the logits after the last of Tokens, Vocab of them; nil when they are not wanted
}

// row is one token in a pass.
type row struct {
	seq      *Sequence
	position int
	token    int
}

// pass is the scratch memory of Forward. It grows to the largest pass seen and
// is kept, so that the step loop allocates nothing but pages.
type pass struct {
	rows      []row
	x         []float32 // residual stream, rows × Hidden
	normed    []float32 // rows × Hidden
	qkv       []float32 // rows × (Hidden + 2·KVWidth)
	mixed     []float32 // attention output, rows × Hidden
	delta     []float32 // what a block adds to the residual stream, rows × Hidden
	gateUp    []float32 // rows × 2·FFN
	act       []float32 // rows × FFN
	turns     []float32 // cosines and sines of each row's position, rows × head dimension
	logits    []float32
	product   product
	attention attention
}

// Forward feeds each input's tokens to its sequence in one pass over the
// weights, and writes the logits that are wanted. A sequence may stand in the
// batch once. On an error nothing has changed.
func (m *Model) Forward(batch []Input) error {
	if err := m.check(batch); err != nil {
		return err
	}
	m.begin(batch)
	p := m.pass
	for i, r := range p.rows {
		h, d := m.shape.Hidden, m.shape.HeadDim()
		copy(p.x[i*h:(i+1)*h], m.embedding[r.token*h:])
		m.rope.turn(p.turns[i*d:(i+1)*d], r.position)
	}
	for i := range m.layers {
		m.attend(i)
		m.feed(&m.layers[i])
	}
	for _, in := range batch {
		in.Sequence.length += len(in.Tokens)
	}
	m.predict(batch)
	return nil
}

func (m *Model) check(batch []Input) error {
	if len(m.layers) == 0 {
		return errors.New("model is closed")
	}
	for i, in := range batch {
		switch {
		case in.Sequence == nil || in.Sequence.model != m:
			return fmt.Errorf("input %d: sequence is of another model", i)
		case len(in.Tokens) == 0:
			return fmt.Errorf("input %d: no tokens", i)
		case in.Logits != nil && len(in.Logits) != m.shape.Vocab:
			return fmt.Errorf("input %d: room for %d logits, want %d", i, len(in.Logits), m.shape.Vocab)
		}
		for _, other := range batch[:i] {
			if other.Sequence == in.Sequence {
				return fmt.Errorf("input %d: sequence stands in the batch twice", i)
			}
		}
		for _, t := range in.Tokens {
			if t < 0 || t >= m.shape.Vocab {
				return fmt.Errorf("input %d: token %d is outside the vocabulary of %d", i, t, m.shape.Vocab)
			}
		}
	}
	return nil
}

// begin takes the pages that the batch needs and lays out its rows and the
// scratch memory.
func (m *Model) begin(batch []Input) {
	p, s := m.pass, &m.shape
	p.rows = p.rows[:0]
	longest, wanted := 0, 0
	for _, in := range batch {
		in.Sequence.reserve(len(in.Tokens))
		longest = max(longest, len(in.Sequence.pages)*PageTokens)
		for j, t := range in.Tokens {
			p.rows = append(p.rows, row{in.Sequence, in.Sequence.length + j, t})
		}
		if in.Logits != nil {
			wanted++
		}
	}
	n := len(p.rows)
	grow(&p.x, n*s.Hidden)
	grow(&p.normed, n*s.Hidden)
	grow(&p.qkv, n*(s.Hidden+2*s.KVWidth()))
	grow(&p.mixed, n*s.Hidden)
	grow(&p.delta, n*s.Hidden)
	grow(&p.gateUp, n*2*s.FFN)
	grow(&p.act, n*s.FFN)
	grow(&p.turns, n*s.HeadDim())
	grow(&p.logits, wanted*s.Vocab)
	if p.attention.scores == nil {
		p.attention.scores = make([][]float32, m.parallel.size)
	}
	for w := range p.attention.scores {
		grow(&p.attention.scores[w], longest)
	}
}

// attend adds the attention block of a layer to the residual stream.
func (m *Model) attend(index int) {
	p, s, l := m.pass, &m.shape, &m.layers[index]
	n, width, kv, dim := len(p.rows), s.Hidden+2*s.KVWidth(), s.KVWidth(), s.HeadDim()
	m.norm(l.attentionNorm)
	m.parallel.do(p.product.set(l.qkv, p.normed, p.qkv, n, s.Hidden, width))
	for i, r := range p.rows {
		qkv, turn := p.qkv[i*width:(i+1)*width], p.turns[i*dim:(i+1)*dim]
		rotate(qkv[:s.Hidden+kv], turn)
		r.seq.store(index, r.position, qkv[s.Hidden:s.Hidden+kv], qkv[s.Hidden+kv:])
	}
	a := &p.attention
	a.shape, a.layer, a.rows, a.qkv, a.out = s, index, p.rows, p.qkv, p.mixed
	m.parallel.do(a)
	m.parallel.do(p.product.set(l.output, p.mixed, p.delta, n, s.Hidden, s.Hidden))
	add(p.x, p.delta)
}

// feed adds the feed-forward block of a layer to the residual stream.
func (m *Model) feed(l *layer) {
	p, s := m.pass, &m.shape
	n, f := len(p.rows), s.FFN
	m.norm(l.ffnNorm)
	m.parallel.do(p.product.set(l.gateUp, p.normed, p.gateUp, n, s.Hidden, 2*f))
	for i := range n {
		gu := p.gateUp[i*2*f : (i+1)*2*f]
		swiGLU(p.act[i*f:(i+1)*f], gu[:f], gu[f:])
	}
	m.parallel.do(p.product.set(l.down, p.act, p.delta, n, f, s.Hidden))
	add(p.x, p.delta)
}

func (m *Model) norm(gain []float32) {
	p, h := m.pass, m.shape.Hidden
	for i := range p.rows {
		rmsNorm(p.normed[i*h:(i+1)*h], p.x[i*h:(i+1)*h], gain)
	}
}

// predict multiplies the last row of each input that wants logits with the
// head.
func (m *Model) predict(batch []Input) {
	p, h, v := m.pass, m.shape.Hidden, m.shape.Vocab
	wanted, last := 0, -1
	for _, in := range batch {
		last += len(in.Tokens)
		if in.Logits != nil {
			rmsNorm(p.normed[wanted*h:(wanted+1)*h], p.x[last*h:(last+1)*h], m.finalNorm)
			wanted++
		}
	}
	m.parallel.do(p.product.set(m.head, p.normed, p.logits, wanted, h, v))
	wanted = 0
	for _, in := range batch {
		if in.Logits != nil {
			copy(in.Logits, p.logits[wanted*v:(wanted+1)*v])
			wanted++
		}
	}
}

// grow sets the length of a slice, with new memory only when it has too little.
func grow(s *[]float32, n int) {
	if cap(*s) < n {
		*s = make([]float32, n)
	}
	*s = (*s)[:n]
}
