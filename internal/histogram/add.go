package histogram

// Add adds what another histogram counted.
func (h *Histogram) Add(other *Histogram) {
	for i, count := range &other.counts {
		h.counts[i] += count
	}
	h.n += other.n
	h.max = max(h.max, other.max)
}
