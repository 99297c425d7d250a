package plot

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// histories are of few runs and of many, with changes and without.
func histories() map[string]History {
	all := map[string]History{}
	for name, n := range map[string]int{"one": 1, "twelve": 12, "hundred": 100} {
		r := rand.New(rand.NewPCG(1, 2))
		h := History{Title: "llama-3.2-1b over time", Subtitle: "studio · 8 cores", Footnote: "Points: medians of runs with 95 % intervals. Lines: levels. Dashes: where the level changes."}
		for i := range n {
			h.Runs = append(h.Runs, fmt.Sprintf("2026-%02d-%02d", 1+i/28, 1+i%28))
		}
		for k, title := range []string{"llama-3.2-1b: Tokens/s", "llama-3.2-1b: Latency (s)", "qwen3-0.6b: Additional memory (GiB)"} {
			p := Panel{Name: title}
			for i := range n {
				value := 100.0 + r.NormFloat64()
				if i >= n/2 && k < 2 && n > 1 {
					value *= 0.9
				}
				p.Points = append(p.Points, RunPoint{i, value, &Interval{value - 1, value + 1}})
			}
			if k < 2 && n > 1 {
				p.Levels = []Level{{0, n/2 - 1, 100}, {n / 2, n - 1, 90}}
				p.Changes = []ChangeMark{{n / 2, "−10.0 %, worse: engine's version", k == 0}}
			}
			h.Panels = append(h.Panels, p)
		}
		all[name] = h
	}
	return all
}

func TestHistoriesAreDrawn(t *testing.T) {
	for name, h := range histories() {
		var file bytes.Buffer
		if err := WriteHistory(&file, h); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if *show != "" {
			if err := os.WriteFile(filepath.Join(*show, "history-"+name+".png"), file.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		picture, err := png.Decode(&file)
		if err != nil || picture.Bounds().Dx() != 1400 {
			t.Errorf("%s: %v, %v", name, picture.Bounds(), err)
		}
	}
}

func TestAHistoryThatCannotBeDrawnIsRefused(t *testing.T) {
	for why, h := range map[string]History{
		"no run":          {},
		"no such run":     {Runs: []string{"a"}, Panels: []Panel{{Points: []RunPoint{{Run: 1, Value: 1}}}}},
		"not a number":    {Runs: []string{"a"}, Panels: []Panel{{Points: []RunPoint{{Value: math.NaN()}}}}},
		"change nowhere":  {Runs: []string{"a"}, Panels: []Panel{{Changes: []ChangeMark{{Before: 3}}}}},
		"endless level":   {Runs: []string{"a"}, Panels: []Panel{{Levels: []Level{{Value: math.Inf(1)}}}}},
		"endless whisker": {Runs: []string{"a"}, Panels: []Panel{{Points: []RunPoint{{Value: 1, Interval: &Interval{0, math.Inf(1)}}}}}},
	} {
		if err := WriteHistory(new(bytes.Buffer), h); err == nil {
			t.Errorf("%s: it was drawn", why)
		}
	}
}

func TestThePanelsOfAHistoryShowAllOfTheirValues(t *testing.T) {
	for _, values := range [][]float64{{1, 2, 3}, {5}, {0, 0}, {1e12, 1e12 + 1}, {-3, 4}} {
		var p Panel
		for i, v := range values {
			p.Points = append(p.Points, RunPoint{Run: i, Value: v})
		}
		lo, hi := p.span()
		for _, v := range values {
			if !(lo < v && v < hi) {
				t.Errorf("the panel of %v is from %v to %v", values, lo, hi)
			}
		}
	}
}
