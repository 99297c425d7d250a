package decoder

// Sequence is the state of one stream: its keys and values so far. It belongs
// to the model that made it, and is used by one goroutine at a time.
type Sequence struct {
	model  *Model
	pages  []page
	length int
}

// NewSequence starts an empty stream. It takes no memory until tokens are fed
// to it.
func (m *Model) NewSequence() *Sequence { return &Sequence{model: m} }

// Len is the number of positions in the cache.
func (s *Sequence) Len() int { return s.length }

// KVBytes is what the keys and values of the positions so far occupy. The pages
// that hold them are up to PageTokens−1 positions larger.
func (s *Sequence) KVBytes() int64 { return int64(s.length) * KVBytesPerToken(s.model.shape) }

// Release hands the pages back to the model. The sequence is empty afterwards
// and may be used again.
func (s *Sequence) Release() {
	s.model.pool.put(s.pages)
	s.pages, s.length = nil, 0
}

// reserve takes the pages that n more positions need.
func (s *Sequence) reserve(n int) {
	for len(s.pages)*PageTokens < s.length+n {
		s.pages = append(s.pages, s.model.pool.take())
	}
}

// store writes the keys and values of one position in one layer.
func (s *Sequence) store(layer, position int, keys, values []float32) {
	sh := &s.model.shape
	pg, slot, dim := s.pages[position/PageTokens], position%PageTokens, sh.HeadDim()
	for h := range sh.KVHeads {
		copy(pg.block(sh, layer, h, false)[slot*dim:], keys[h*dim:(h+1)*dim])
		copy(pg.block(sh, layer, h, true)[slot*dim:], values[h*dim:(h+1)*dim])
	}
}
