package summary

import (
	"slices"
	"testing"
	"time"

	"exobench"
)

// usedAt is a reading of what the engine did for others in the second before; block
// 0 is the time of the load.
func usedAt(block int, sec exobench.Instant, requests, atWork float64) *exobench.Sample {
	s := aSample(1, sec*second, exobench.During, "runners", "",
		exobench.Value{Quantity: exobench.OthersRequests, Value: requests}, exobench.Value{Quantity: exobench.OthersAtWork, Value: atWork})
	s.Block, s.Span = block, time.Second
	if block == 0 {
		s.Moment = exobench.Loaded
	}
	return s
}

func TestAnEngineThatServesOthersIsAWarningOfTheCell(t *testing.T) {
	// Requests are under way from 10 s to 11.001 s, from 20 s to 21.101 s, ... from
	// 70 s to 71.601 s.
	for _, row := range []struct {
		why  string
		uses []exobench.Entry
		want []Figures
	}{
		{"nobody looked", nil, nil},
		{"nothing was seen", []exobench.Entry{usedAt(0, 1, 0, 0), usedAt(1, 11, 0, 0)}, nil},
		{"requests of others", []exobench.Entry{usedAt(1, 11, 1, 0), usedAt(1, 21, 3, 0), usedAt(1, 31, 0, 0)}, []Figures{EngineShared{N: 2, Of: 7, Requests: 3}}},
		{"all the time", []exobench.Entry{usedAt(1, 21, 1, 0), usedAt(1, 22, 1, 0), usedAt(1, 20, 1, 0), usedAt(1, 19, 0, 1)}, []Figures{EngineShared{N: 1, Of: 7, Requests: 1, AtWork: 1}}},
		{"between requests", []exobench.Entry{usedAt(1, 15, 0, 1)}, []Figures{EngineShared{Of: 7, AtWork: 1}}},
		{"during the load", []exobench.Entry{usedAt(0, 5, 0, 2)}, []Figures{EngineShared{Of: 7, AtWork: 2, Loading: true}}},
		{"in the warm-ups", []exobench.Entry{usedAt(9, 8, 1, 0)}, nil},
		{"what cannot be", []exobench.Entry{usedAt(1, 11, -1, -1)}, nil},
	} {
		for range 2 { // in any order
			c := only(t, slices.Concat(row.uses, requests(7))...)
			t.Log(row.why)
			checkWarnings(t, c, row.want...)
			slices.Reverse(row.uses)
		}
	}
}

func TestAUseThatIsToldLaterChangesTheCell(t *testing.T) {
	f := NewFold()
	add := func(entries ...exobench.Entry) {
		for _, e := range entries {
			if err := f.Add(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(slices.Concat(outline(), requests(7))...)
	checkWarnings(t, f.Snapshot().Cell(1))
	add(usedAt(1, 11, 1, 0))
	checkWarnings(t, f.Snapshot().Cell(1), EngineShared{N: 1, Of: 7, Requests: 1})
	add(usedAt(0, 5, 0, 1))
	checkWarnings(t, f.Snapshot().Cell(1), EngineShared{N: 1, Of: 7, Requests: 1, AtWork: 1, Loading: true})
}
