package decoder

import (
	"sync"

	"exobench/shape"
)

// PageTokens is the number of positions whose keys and values one page holds.
const PageTokens = 64

// page holds the keys and values of PageTokens positions for all layers. The
// positions of one head of one layer are contiguous: a [PageTokens × head
// dimension] matrix each for keys and values.
type page []float32

// block returns the keys (values = false) or values of one head of one layer.
func (p page) block(s *shape.Shape, layer, kvHead int, values bool) []float32 {
	i := (layer*2)*s.KVHeads + kvHead
	if values {
		i += s.KVHeads
	}
	n := PageTokens * s.HeadDim()
	return p[i*n : (i+1)*n]
}

// pool owns the pages of a model. Released pages are used again before new ones
// are made.
type pool struct {
	mu     sync.Mutex
	floats int // in one page
	free   []page
	made   int // pages made so far, free ones included
	peak   int // most pages in use at once
}

func (p *pool) take() page {
	p.mu.Lock()
	defer p.mu.Unlock()
	var pg page
	if n := len(p.free); n > 0 {
		pg = p.free[n-1]
		p.free[n-1] = nil
		p.free = p.free[:n-1]
	} else {
		pg = make(page, p.floats)
		p.made++
	}
	p.peak = max(p.peak, p.made-len(p.free))
	return pg
}

func (p *pool) put(pages []page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, pages...)
}

// bytes returns what the pages in use occupy now, and the most they did.
func (p *pool) bytes() (now, peak int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := int64(p.floats) * bytesPerFloat
	return int64(p.made-len(p.free)) * size, int64(p.peak) * size
}

// drop forgets the free pages, and those in use as they come back.
func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made -= len(p.free)
	p.free = nil
}
