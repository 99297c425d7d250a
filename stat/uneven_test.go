package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// Requests fail, and runs are cut short: a prompt may be left with one measurement.
func TestIntervalsOfUnevenDesignsAreNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func() (all []Observation) {
		strata, blocks := 1+random.IntN(6), 1+random.IntN(3)
		for range 1 + random.IntN(24) {
			value := 1 + random.Float64()
			if random.IntN(4) == 0 {
				value = 1
			}
			all = append(all, Observation{value, random.IntN(strata), random.IntN(blocks)})
		}
		return all
	}
	for range 300 {
		all := draw()
		if i, ok := MedianInterval(all, 0.95); ok && (math.IsNaN(i.Lo+i.Hi) || math.IsInf(i.Lo, 0) || math.IsInf(i.Hi, 0) || i.Lo > i.Hi) {
			t.Fatalf("%v: %+v", all, i)
		}
		levels, _ := LevelsOf(all)
		effort, _ := EffortFor(all, 0.05, 0.95)
		shift, _ := Compare(all, draw(), 0.95)
		if text := fmt.Sprintf("%+v %+v %+v", levels, effort, shift); strings.Contains(text, "NaN") {
			t.Fatalf("%v: %s", all, text)
		}
	}
}
