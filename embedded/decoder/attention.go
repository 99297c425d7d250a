package decoder

import (
	"math"

	"exobench/shape"
)

// attention is the job of one layer's attention: each (row, query head) attends
// to the positions up to its own.
type attention struct {
	shape  *shape.Shape
	layer  int
	rows   []row
	qkv    []float32   // queries, keys and values of the rows, side by side
	out    []float32   // rows × Hidden
	scores [][]float32 // scratch of each worker, as long as the longest sequence rounded up to pages
}

func (a *attention) run(worker, workers int) {
	// Items are dealt in turn: in a chunk of a prompt, later rows attend to
	// more.
	for item := worker; item < len(a.rows)*a.shape.Heads; item += workers {
		a.head(&a.rows[item/a.shape.Heads], item/a.shape.Heads, item%a.shape.Heads, a.scores[worker])
	}
}

// head computes one head of one row: softmax(q·Kᵀ/√d)·V over the pages of its
// sequence.
func (a *attention) head(r *row, index, head int, scores []float32) {
	s := a.shape
	dim := s.HeadDim()
	kvHead := head / (s.Heads / s.KVHeads)
	stride := s.Hidden + 2*s.KVWidth()
	q := a.qkv[index*stride+head*dim:][:dim]
	scale := float32(1 / math.Sqrt(float64(dim)))

	n := r.position + 1
	for p, from := 0, 0; from < n; p, from = p+1, from+PageTokens {
		count := min(PageTokens, n-from)
		gemv(count, dim, scale, r.seq.pages[p].block(s, a.layer, kvHead, false), q, scores[from:from+count])
	}
	softmax(scores[:n])
	out := a.out[index*s.Hidden+head*dim:][:dim]
	clear(out)
	for p, from := 0, 0; from < n; p, from = p+1, from+PageTokens {
		count := min(PageTokens, n-from)
		gemvTrans(count, dim, r.seq.pages[p].block(s, a.layer, kvHead, true), scores[from:from+count], out)
	}
}
