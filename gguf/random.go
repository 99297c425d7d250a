package gguf

// generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
// number generators", OOPSLA 2014): one addition and a mixing per 64 bits, and
// any number may be its seed.
type generator struct{ state uint64 }

func (g *generator) next() uint64 {
	g.state += 0x9e3779b97f4a7c15
	return mix(g.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// generatorFor returns the generator of one chunk of one tensor. Chunks start at
// points of the sequence that have nothing to do with each other.
func generatorFor(seed uint64, tensor, chunk int) generator {
	return generator{mix(mix(seed+0x9e3779b97f4a7c15) ^ mix(uint64(tensor)<<40|uint64(chunk)))}
}
