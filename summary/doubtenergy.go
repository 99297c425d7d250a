package summary

import (
	"slices"

	"exobench"
)

// beyond is by how much a power must be above another for a doubt: meters are off
// by some hundredths.
const beyond = 1.05

// doubtEnergy says what of a cell's energies to doubt.
func doubtEnergy(c *Cell) []Figures {
	var doubts []Figures
	if len(c.Energy) == 0 || !c.Energy[0].Chosen || c.Energy[0].Power == nil {
		return nil
	}
	chosen := &c.Energy[0]
	if chosen.Idle != nil && *chosen.Idle >= *chosen.Power {
		doubts = append(doubts, IdleNotIdle{*chosen.Idle, *chosen.Power})
	}
	if chosen.Scope != exobench.WallScope && chosen.Scope != exobench.NodeScope || chosen.Source == nodeSource {
		return doubts // nodes may be other machines than this one
	}
	for i := range c.Energy {
		part := &c.Energy[i]
		inside := slices.Index(exobench.Scopes, part.Scope) > slices.Index(exobench.Scopes, chosen.Scope)
		if inside && !part.Estimated && part.Power != nil && *part.Power > beyond**chosen.Power {
			return append(doubts, PartAboveWhole{part.Source, *part.Power, chosen.Source, *chosen.Power})
		}
	}
	return doubts
}
