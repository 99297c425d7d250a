package stat

import "math"

// Lead is the first measurements of blocks, which stand out from those after them.
type Lead struct {
	// N is how many measurements of a block, from its first on, are off to the same
	// side by more than noise.
	N int
	// Ratio is the first over the median of the others of its stratum and block; of
	// several blocks it is the median.
	Ratio float64
	// Noise is the standard deviation within strata, of logarithms.
	Noise float64
	// Blocks is how many have a first measurement that can be judged.
	Blocks int
}

const (
	// leadNoises is how many times the noise the first measurement must be off, and
	// leadGoesOn those after it.
	leadNoises = 5
	leadGoesOn = 3
	// leastOthers is how many others of its stratum and block a measurement is judged
	// by.
	leastOthers = 2
)

// LeadOf returns what stands out at the beginning of blocks. It is absent where the
// first measurements are as the others, and where a value is not above 0 or there is
// too little to judge by. Distances are on a scale of ratios; of several blocks the
// first measurements must stand out at the median of the blocks.
func LeadOf(observations []Observation) (Lead, bool) {
	logs, ok := onLogs(firstOf(observations))
	if !ok {
		return Lead{}, false
	}
	values, groups := valuesOf(logs), groupsOf(logs)
	noise, ok := noiseOf(values, groups)
	if !ok {
		return Lead{}, false
	}
	of := make([]group, len(logs))
	for _, g := range groups {
		for _, i := range g {
			of[i] = g
		}
	}
	// off returns how far a measurement is off; it is absent where too few others
	// tell.
	off := func(i int) (float64, bool) {
		var others group
		for _, k := range of[i] {
			if k != i {
				others = append(others, k)
			}
		}
		if len(others) < leastOthers {
			return 0, false
		}
		return values[i] - others.median(values), true
	}
	var firsts, lengths []float64
	for i := 0; i < len(logs); {
		end := i + 1
		for end < len(logs) && logs[end].Block == logs[i].Block {
			end++
		}
		if first, judged := off(i); judged {
			n := 1
			for i+n < end {
				next, judged := off(i + n)
				if !judged || next*first <= 0 || math.Abs(next) <= leadGoesOn*noise {
					break
				}
				n++
			}
			firsts, lengths = append(firsts, first), append(lengths, float64(n))
		}
		i = end
	}
	if len(firsts) == 0 {
		return Lead{}, false
	}
	l := Lead{int(math.Ceil(medianOf(lengths))), math.Exp(medianOf(firsts)), noise, len(firsts)}
	return l, math.Abs(medianOf(firsts)) > leadNoises*noise
}

// firstOf returns the first observations of each block: of many, as many as tell
// enough.
func firstOf(observations []Observation) []Observation {
	if len(observations) <= mostDiagnosed {
		return observations
	}
	seen := map[int]int{}
	var first []Observation
	blocks := map[int]bool{}
	for _, o := range observations {
		blocks[o.Block] = true
	}
	for _, o := range observations {
		if seen[o.Block]++; seen[o.Block] <= max(1, mostDiagnosed/len(blocks)) {
			first = append(first, o)
		}
	}
	return first
}
