package decoder

import "math"

// reference is a second decoder, written for plainness: float64, no pages, no
// batches, no grouping of matrices in memory other than as the model stores
// them. It recomputes the whole sequence and returns the logits after each
// position.
func reference(m *Model, tokens []int) [][]float64 {
	s := m.shape
	dim, kv := s.HeadDim(), s.KVWidth()
	var x [][]float64
	for _, t := range tokens {
		x = append(x, widen(m.embedding[t*s.Hidden:(t+1)*s.Hidden]))
	}
	for _, l := range m.layers {
		var q, k, v [][]float64
		for pos := range x {
			qkv := times(l.qkv, refNorm(x[pos], l.attentionNorm))
			q = append(q, refRotate(qkv[:s.Hidden], dim, pos, s.RopeBase))
			k = append(k, refRotate(qkv[s.Hidden:s.Hidden+kv], dim, pos, s.RopeBase))
			v = append(v, qkv[s.Hidden+kv:])
		}
		for pos := range x {
			var mixed []float64
			for h := range s.Heads {
				from := h / (s.Heads / s.KVHeads) * dim
				mixed = append(mixed, refAttend(q[pos][h*dim:(h+1)*dim], k[:pos+1], v[:pos+1], from)...)
			}
			refAdd(x[pos], times(l.output, mixed))
			gu := times(l.gateUp, refNorm(x[pos], l.ffnNorm))
			act := make([]float64, s.FFN)
			for i := range act {
				act[i] = gu[i] / (1 + math.Exp(-gu[i])) * gu[s.FFN+i]
			}
			refAdd(x[pos], times(l.down, act))
		}
	}
	var logits [][]float64
	for pos := range x {
		logits = append(logits, times(m.head, refNorm(x[pos], m.finalNorm)))
	}
	return logits
}

func refAttend(q []float64, k, v [][]float64, from int) []float64 {
	weights, sum := make([]float64, len(k)), 0.0
	for i := range k {
		for j := range q {
			weights[i] += q[j] * k[i][from+j]
		}
		weights[i] = math.Exp(weights[i] / math.Sqrt(float64(len(q))))
		sum += weights[i]
	}
	out := make([]float64, len(q))
	for i := range v {
		for j := range out {
			out[j] += weights[i] / sum * v[i][from+j]
		}
	}
	return out
}

func refRotate(x []float64, dim, pos int, base float64) []float64 {
	out := make([]float64, len(x))
	for h := 0; h < len(x); h += dim {
		for i := range dim / 2 {
			angle := float64(pos) * math.Pow(base, -2*float64(i)/float64(dim))
			a, b := x[h+i], x[h+i+dim/2]
			out[h+i] = a*math.Cos(angle) - b*math.Sin(angle)
			out[h+i+dim/2] = a*math.Sin(angle) + b*math.Cos(angle)
		}
	}
	return out
}

func refNorm(x []float64, gain []float32) []float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v / math.Sqrt(sum/float64(len(x))+normEpsilon) * float64(gain[i])
	}
	return out
}

func times(w []float32, x []float64) []float64 {
	out := make([]float64, len(w)/len(x))
	for r := range out {
		for i, v := range x {
			out[r] += float64(w[r*len(x)+i]) * v
		}
	}
	return out
}

func refAdd(dst, x []float64) {
	for i, v := range x {
		dst[i] += v
	}
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
