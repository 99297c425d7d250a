package decoder

import "fmt"

// Model is a decoder with its weights and the pages of its sequences. Forward, and the making and releasing of sequences, are
// for one goroutine at a time; the byte counts may be read from any.
type Model struct {
	shape     Shape
	embedding []float32 // Vocab × Hidden
	head      []float32 // Vocab × Hidden; the embedding itself when tied
	finalNorm []float32
	layers    []layer
	rope      rope
	gang      *gang
	pool      pool
	pass      *pass
}

// layer has its matrices grouped by what is multiplied at once.
type layer struct {
	attentionNorm []float32
	qkv           []float32 // (Hidden + 2·kvDim) × Hidden: queries, keys, values
	output        []float32 // Hidden × Hidden
	ffnNorm       []float32
	gateUp        []float32 // 2·FFN × Hidden
	down          []float32 // Hidden × FFN
}

// New draws the weights of a model from a seed with that many workers, which also run its passes. progress, when not nil, is
// called from this goroutine after each layer with the number of layers made.
func New(shape Shape, seed uint64, workers int, progress func(layersLoaded int)) (*Model, error) {
	if err := shape.Validate(); err != nil {
		return nil, fmt.Errorf("model shape: %w", err)
	}
	if workers < 1 {
		return nil, fmt.Errorf("workers is %d, want at least 1", workers)
	}
	m := &Model{
		shape: shape,
		rope:  newRope(shape.HeadDim(), shape.RoPE),
		pass:  new(pass),
		gang:  newGang(workers),
		pool:  pool{floats: PageTokens * int(shape.KVBytesPerToken()) / bytesPerFloat},
	}
	d := drawer{gang: m.gang, fill: fill{seed: seed}}
	m.embedding = d.matrix(shape.Vocab, shape.Hidden)
	m.head = m.embedding
	if !shape.Tied {
		m.head = d.matrix(shape.Vocab, shape.Hidden)
	}
	m.finalNorm = d.gain(shape.Hidden)
	for i := range shape.Layers {
		m.layers = append(m.layers, layer{
			attentionNorm: d.gain(shape.Hidden),
			qkv:           d.matrix(shape.Hidden+2*shape.kvDim(), shape.Hidden),
			output:        d.matrix(shape.Hidden, shape.Hidden),
			ffnNorm:       d.gain(shape.Hidden),
			gateUp:        d.matrix(2*shape.FFN, shape.Hidden),
			down:          d.matrix(shape.Hidden, shape.FFN),
		})
		if progress != nil {
			progress(i + 1)
		}
	}
	return m, nil
}

// drawer makes tensors one after another; each has the next number as part of its seed.
type drawer struct {
	gang *gang
	fill fill
}

func (d *drawer) matrix(rows, cols int) []float32 {
	d.fill.tensor++
	d.fill.dst, d.fill.rows, d.fill.cols = make([]float32, rows*cols), rows, cols
	d.gang.do(&d.fill)
	return d.fill.dst
}

// gain gives the weights of a norm: 1 ± a little, as those of trained models are near a constant and not random around 0.
func (d *drawer) gain(n int) []float32 {
	g := d.matrix(1, n)
	for i := range g {
		g[i] += 1
	}
	return g
}

// Shape is the shape that the model was made with.
func (m *Model) Shape() Shape { return m.shape }

// KVBytes is what the pages of all sequences occupy now.
func (m *Model) KVBytes() int64 {
	now, _ := m.pool.bytes()
	return now
}

// PeakBytes is the most that weights and pages in use have occupied together.
func (m *Model) PeakBytes() int64 {
	_, peak := m.pool.bytes()
	return m.shape.WeightBytes() + peak
}

// Close ends the workers and drops the weights, the pages and the scratch memory, so that nothing stays reachable through the
// model. It must not be used afterwards, nor must its sequences.
func (m *Model) Close() {
	m.gang.close()
	m.pool.drop()
	m.embedding, m.head, m.finalNorm, m.layers = nil, nil, nil, nil
	m.pass = nil
}
