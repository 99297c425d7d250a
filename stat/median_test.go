package stat

import "testing"

func TestValuesThatAreAllOneHaveAnExactInterval(t *testing.T) {
	const v = 52_428_801 // which its logarithm does not bring back
	for blocks, basis := range map[int]Basis{1: WithinBlock, 3: BetweenBlocks} {
		var all []Observation
		for i := range 9 {
			all = append(all, Observation{Value: v, Stratum: i % 3, Block: i % blocks})
		}
		if got, ok := MedianInterval(all, Confidence); !ok || got.Lo != v || got.Hi != v || got.Basis != basis {
			t.Errorf("%d blocks: %+v, %v", blocks, got, ok)
		}
	}
	if got, ok := MedianInterval([]Observation{{Value: v}, {Value: v}}, Confidence); ok {
		t.Errorf("%+v of two of one block", got)
	}
}
