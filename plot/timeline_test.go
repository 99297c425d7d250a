package plot

import (
	"bytes"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// timelines are runs of seconds and of hours, with few lanes and many.
func timelines() map[string]Timeline {
	all := map[string]Timeline{}
	for name, shape := range map[string]struct {
		until float64
		steps int
		lanes int
	}{"seconds": {12, 1, 2}, "minutes": {400, 3, 5}, "hours": {4 * 3600, 8, 4}, "many": {90, 2, 12}} {
		random := rand.New(rand.NewPCG(1, 2))
		t := Timeline{
			Title: "Memory and power over the run", Subtitle: "exo 1.0 · studio · 2026-01-02", Until: shape.until,
			Kinds:    []string{"idle", "load", "warm-up", "measured", "release"},
			Footnote: "Bands: requests are measured. Full lines: readings; pale ones join readings that are far apart.",
		}
		span := shape.until / float64(shape.steps)
		for s := range shape.steps {
			from := float64(s) * span
			for kind, share := range []float64{0.05, 0.2, 0.1, 0.55, 0.1} {
				t.Spans = append(t.Spans, Happening{from, from + share*span, kind, kind == 3})
				from += share * span
			}
			t.Names = append(t.Names, Label{float64(s) * span, from, names[s%len(names)]})
		}
		requests := Curve{Gap: math.Inf(1)}
		for at := 0.0; at < shape.until; at += shape.until / 300 {
			n := float64(random.IntN(4))
			requests.Points = append(requests.Points, Point{At: at, Value: n}, Point{At: at + shape.until/300, Value: n})
		}
		t.Lanes = append(t.Lanes, Lane{Name: "Requests under way", Curves: []Curve{requests}, Filled: true})
		for lane := range shape.lanes {
			l := Lane{Name: []string{"Memory of the engine's processes (GiB)", "Power, rapl package (W)", "GPU memory GPU-5f3a9c1e-8c55 (GiB)", "Power, csv:plug.csv (W)"}[lane%4]}
			for c := range 1 + lane%3 {
				curve := Curve{Name: names[c], Gap: 3, Joined: lane%4 == 0}
				for at := 0.0; at < shape.until; at += math.Max(0.1, shape.until/100000) {
					if phase := math.Mod(at, span) / span; lane%4 == 0 && phase > 0.05 && phase < 0.25 {
						continue // not read while loading
					}
					curve.Points = append(curve.Points, Point{At: at, Value: 20 + 10*float64(c) + 5*math.Sin(at/span*20) + random.Float64()})
				}
				l.Curves = append(l.Curves, curve)
			}
			t.Lanes = append(t.Lanes, l)
		}
		all[name] = t
	}
	return all
}

func TestTimelinesAreDrawn(t *testing.T) {
	for name, line := range timelines() {
		var file bytes.Buffer
		if err := WriteTimeline(&file, line); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if *show != "" {
			if err := os.WriteFile(filepath.Join(*show, "timeline-"+name+".png"), file.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		picture, err := png.Decode(&file)
		if err != nil || picture.Bounds().Dx() != 1400 {
			t.Errorf("%s: %v, %v", name, picture.Bounds(), err)
		}
	}
}

func TestATimelineThatCannotBeDrawnIsRefused(t *testing.T) {
	for why, line := range map[string]Timeline{
		"no time":         {},
		"unknown kind":    {Until: 1, Spans: []Happening{{0, 1, 0, false}}},
		"not a number":    {Until: 1, Lanes: []Lane{{Curves: []Curve{{Points: []Point{{Value: math.NaN()}}}}}}},
		"not in order":    {Until: 1, Lanes: []Lane{{Curves: []Curve{{Points: []Point{{At: 1}, {}}}}}}},
		"without an end":  {Until: math.Inf(1)},
		"ends before it ": {Until: -1},
	} {
		if err := WriteTimeline(new(bytes.Buffer), line); err == nil {
			t.Errorf("%s: it was drawn", why)
		}
	}
}

func TestThinningKeepsTheExtremes(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var points []Point
	for i := range 100000 {
		points = append(points, Point{At: float64(i) / 1000, Value: random.Float64()})
	}
	points[43210].Value, points[77777].Value = 9, -9
	kept := thinned(points, 100, 500)
	if len(kept) > 2000 || len(kept) < 500 || kept[0] != points[0] || kept[len(kept)-1] != points[len(points)-1] {
		t.Errorf("%d of %d points, from %v to %v", len(kept), len(points), kept[0], kept[len(kept)-1])
	}
	least, most := kept[0], kept[0]
	for i, p := range kept {
		if i > 0 && p.At <= kept[i-1].At {
			t.Fatalf("%v comes after %v", p, kept[i-1])
		}
		if p.Value < least.Value {
			least = p
		}
		if p.Value > most.Value {
			most = p
		}
	}
	if most != points[43210] || least != points[77777] {
		t.Errorf("least %v, most %v", least, most)
	}
	if few := thinned(points[:100], 100, 500); len(few) != 100 {
		t.Errorf("of few points %d are left", len(few))
	}
}

func BenchmarkTimeline(b *testing.B) {
	line := timelines()["hours"]
	var file bytes.Buffer
	for b.Loop() {
		file.Reset()
		if err := WriteTimeline(&file, line); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len()), "bytes")
}
