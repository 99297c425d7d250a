package decoder

import (
	"fmt"

	"exobench/shape"
)

// Model is a decoder with its weights and the pages of its sequences. Forward,
// and the making and releasing of sequences, are for one goroutine at a time;
// the byte counts may be read from any.
type Model struct {
	shape     shape.Shape
	embedding []float32 // Vocab × Hidden
	head      []float32 // Vocab × Hidden; the embedding itself when tied
	finalNorm []float32
	layers    []layer
	rope      rope
	parallel  *parallel
	pool      pool
	pass      *pass
}

// layer has its matrices grouped by what is multiplied at once.
type layer struct {
	attentionNorm []float32
	qkv           []float32 // (Hidden + 2·KVWidth) × Hidden: queries, keys, values
	output        []float32 // Hidden × Hidden
	ffnNorm       []float32
	gateUp        []float32 // 2·FFN × Hidden
	down          []float32 // Hidden × FFN
}

// New draws the weights of a model from a seed with that many workers, which
// also run its passes. progress, when not nil, is called from this goroutine
// after each layer with the number of layers made.
func New(s shape.Shape, seed uint64, workers int, progress func(layersLoaded int)) (*Model, error) {
	if err := Validate(s); err != nil {
		return nil, fmt.Errorf("model shape: %w", err)
	}
	if workers < 1 {
		return nil, fmt.Errorf("workers is %d, want at least 1", workers)
	}
	m := &Model{
		shape:    s,
		rope:     newRope(s.HeadDim(), s.RopeBase),
		pass:     new(pass),
		parallel: newParallel(workers),
		pool:     pool{floats: PageTokens * int(KVBytesPerToken(s)) / bytesPerFloat},
	}
	d := drawer{parallel: m.parallel, fill: fill{seed: seed}}
	m.embedding = d.matrix(s.Vocab, s.Hidden)
	m.head = m.embedding
	if !s.Tied {
		m.head = d.matrix(s.Vocab, s.Hidden)
	}
	m.finalNorm = d.gain(s.Hidden)
	for i := range s.Layers {
		m.layers = append(m.layers, layer{
			attentionNorm: d.gain(s.Hidden),
			qkv:           d.matrix(s.Hidden+2*s.KVWidth(), s.Hidden),
			output:        d.matrix(s.Hidden, s.Hidden),
			ffnNorm:       d.gain(s.Hidden),
			gateUp:        d.matrix(2*s.FFN, s.Hidden),
			down:          d.matrix(s.Hidden, s.FFN),
		})
		if progress != nil {
			progress(i + 1)
		}
	}
	return m, nil
}

// drawer makes tensors one after another; each has the next number as part of
// its seed.
type drawer struct {
	parallel *parallel
	fill     fill
}

func (d *drawer) matrix(rows, cols int) []float32 {
	d.fill.tensor++
	d.fill.dst, d.fill.rows, d.fill.cols = make([]float32, rows*cols), rows, cols
	d.parallel.do(&d.fill)
	return d.fill.dst
}

// gain returns the weights of a norm: 1 ± a little, as those of trained models
// are near a constant and not random around 0.
func (d *drawer) gain(n int) []float32 {
	g := d.matrix(1, n)
	for i := range g {
		g[i] += 1
	}
	return g
}

// KVBytes is what the pages of all sequences occupy now.
func (m *Model) KVBytes() int64 {
	now, _ := m.pool.bytes()
	return now
}

// PeakBytes is the most that weights and pages in use have occupied together.
func (m *Model) PeakBytes() int64 {
	_, peak := m.pool.bytes()
	return WeightBytes(m.shape) + peak
}

// Close ends the workers and drops the weights, the pages and the scratch
// memory, so that nothing stays reachable through the model. It must not be
// used afterwards, nor must its sequences.
func (m *Model) Close() {
	m.parallel.close()
	m.pool.drop()
	m.embedding, m.head, m.finalNorm, m.layers = nil, nil, nil, nil
	m.pass = nil
}
