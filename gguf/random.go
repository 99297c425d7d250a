package gguf

import (
	"math"
	"sync"
)

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

// quantiles returns the mid-points, in probability, of n equal parts of the
// standard normal distribution, lowest first. They are symmetric about 0.
func quantiles(n int) []float64 {
	z := make([]float64, n)
	for i := range z {
		z[i] = math.Sqrt2 * math.Erfinv(float64(2*i+1-n)/float64(n))
	}
	return z
}

// codes is a normal distribution in the integers of a block format. Its mean is
// centre exactly: the values of a block are (code - centre) × scale.
type codes struct {
	of     []int // what each of the equally likely parts is coded as
	centre float64
	sd     float64 // standard deviation of the codes
}

// newCodes spreads parts over the codes that lie within reach of centre.
func newCodes(parts int, centre, reach float64) codes {
	z := quantiles(parts)
	c := codes{of: make([]int, parts), centre: centre}
	var squares float64
	for i := range z {
		c.of[i] = int(math.Round(centre + z[i]/z[parts-1]*reach))
		squares += (float64(c.of[i]) - centre) * (float64(c.of[i]) - centre)
	}
	c.sd = math.Sqrt(squares / float64(parts))
	return c
}

// nibbles has a byte of two 4-bit codes for each 12 random bits.
type nibbles struct {
	of [4096]byte
	sd float64
}

func newNibbles(centre, reach float64) *nibbles {
	c := newCodes(64, centre, reach)
	n := &nibbles{sd: c.sd}
	for i := range n.of {
		n.of[i] = byte(c.of[i&63] | c.of[i>>6]<<4)
	}
	return n
}

// fill fills dst, of which the length is a multiple of 4.
func (n *nibbles) fill(dst []byte, g *generator) {
	for ; len(dst) >= 4; dst = dst[4:] {
		r := g.next()
		dst[0] = n.of[r&0xfff]
		dst[1] = n.of[r>>12&0xfff]
		dst[2] = n.of[r>>24&0xfff]
		dst[3] = n.of[r>>36&0xfff]
	}
}

// octets has a code for each 8 random bits.
type octets struct {
	of [256]byte
	sd float64
}

func newOctets(centre, reach float64) *octets {
	c := newCodes(256, centre, reach)
	o := &octets{sd: c.sd}
	for i := range o.of {
		o.of[i] = byte(c.of[i])
	}
	return o
}

// tables holds a distribution for each kind of code. Signed codes are symmetric,
// so the lowest one is not used; codes with a minimum have their centre between
// two codes.
type tables struct {
	signed4, above4 *nibbles // centre 8; 7.5
	signed5, above5 *octets  // centre 16; 15.5
	signed6         *octets  // centre 32
	signed8         *octets  // centre 0, two's complement
	normal          [4096]float32
}

// distributions makes the tables when they are first wanted.
var distributions = sync.OnceValue(func() *tables {
	t := &tables{
		signed4: newNibbles(8, 7), above4: newNibbles(7.5, 7.5),
		signed5: newOctets(16, 15), above5: newOctets(15.5, 15.5),
		signed6: newOctets(32, 31), signed8: newOctets(0, 127),
	}
	for i, z := range quantiles(len(t.normal)) {
		t.normal[i] = float32(z)
	}
	return t
})
