package decoder

// Argmax returns the index of the largest logit, the first of equals.
func Argmax(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	return best
}

// Sampler picks tokens. The same temperature, seed and logits give the same
// picks.
type Sampler struct {
	temperature float32
	rng         splitmix
	weights     []float32 // scratch
}

// NewSampler makes a sampler that picks the most likely token at temperature 0,
// and else draws from softmax(logits/temperature).
func NewSampler(temperature float64, seed uint64) *Sampler {
	return &Sampler{temperature: float32(temperature), rng: rowSeed(seed, 0, 0)}
}

// Pick returns the next token. A logit of −Inf is never picked as long as
// another one is finite.
func (s *Sampler) Pick(logits []float32) int {
	top := Argmax(logits)
	if s.temperature <= 0 {
		return top
	}
	grow(&s.weights, len(logits))
	var sum float32
	for i, v := range logits {
		w := exp((v - logits[top]) / s.temperature)
		s.weights[i] = w
		sum += w
	}
	left := sum * float32(s.rng.next()>>40) / (1 << 24)
	for i, w := range s.weights {
		if left -= w; left < 0 {
			return i
		}
	}
	return top
}
