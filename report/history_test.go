package report

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"exobench/compare"
	"exobench/history"
	"exobench/metric"
	"exobench/plot"
	"exobench/stat"
)

// changed is a history with a change for the worse and one that cannot be told, a
// series without any and one that is too short.
func changed() *history.Result {
	began := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	g := history.Group{Of: []compare.Fact{{What: "answers", Value: "24 tokens"}, {What: "processor", Value: "chip, 8 cores"}, {What: "GPUs"}}}
	for i := range 24 {
		g.Runs = append(g.Runs, history.Run{Name: fmt.Sprintf("r%02d", i), When: began.AddDate(0, 0, i), Incomplete: i == 3, Damaged: i / 23})
	}
	series := func(name string, level func(i int) float64, from int) history.Series {
		m, _ := metric.ByName(name)
		s := history.Series{Cell: "llama-3.2-1b × 4", Metric: name, Title: m.Title, Unit: m.Unit, Better: m.Better}
		for i := from; i < 24; i++ {
			v := level(i)
			s.Points = append(s.Points, history.Point{Run: i, N: 15, Median: v, Interval: &stat.Interval{Lo: 0.98 * v, Hi: 1.02 * v, Confidence: 0.95}})
		}
		return s
	}
	slower := history.Change{
		At: 18, Before: "r17", After: "r18", When: began.AddDate(0, 0, 18), Levels: [2]float64{100, 91}, Runs: [2]int{18, 6}, Ratio: 0.91,
		Interval: &stat.Interval{Lo: 0.9, Hi: 0.92}, P: 0.0004, Verdict: compare.Worse,
		Unlike: []compare.Unlike{{What: "engine's version", A: "b1", B: "b2"}, {What: "--slowdown", A: "none", B: "10%"}},
	}
	rate := series(metric.TokenRate, func(i int) float64 { return 100 - 9*float64(i/18) }, 0)
	rate.Changes = []history.Change{slower}
	latency := series(metric.Latency, func(i int) float64 { return 0.2 + 0.02*float64(i/9%2) }, 0)
	busy := history.Change{At: 9, Before: "r08", After: "r09", When: began.AddDate(0, 0, 9), Levels: [2]float64{0.2, 0.22}, Ratio: 1.1, P: 0.02, Verdict: compare.Disturbed}
	latency.Changes = []history.Change{busy}
	short := series(metric.Energy, func(int) float64 { return 12 }, 20)
	short.Needed = 10
	g.Series = []history.Series{rate, latency, series(metric.MemoryAdditional, func(int) float64 { return 3 << 30 }, 0), short}
	return &history.Result{MinEffect: 0.02, Confidence: 0.95, Groups: []history.Group{g, {Runs: []history.Run{{Name: "odd", When: began}}}}}
}

func TestAHistoryIsWritten(t *testing.T) {
	breaches := []compare.Breach{{Limit: "tokens_per_second<-5%", B: "r18", Cell: "llama-3.2-1b × 4", Title: "Tokens/s", Change: -0.09, Lo: -0.1, Hi: -0.08}}
	d := History(changed(), breaches)
	var markdown, plain bytes.Buffer
	if err := Markdown(&markdown, d); err != nil {
		t.Fatal(err)
	}
	if err := Plain(&plain, d, 100); err != nil {
		t.Fatal(err)
	}
	golden(t, "history.md", markdown.Bytes())
	golden(t, "history.txt", plain.Bytes())
}

func TestAHistoryIsDrawn(t *testing.T) {
	h, ok := HistoryPlot(changed())
	if !ok || len(h.Panels) != 4 || len(h.Runs) != 24 {
		t.Fatalf("%v: %+v", ok, h)
	}
	rate := h.Panels[0]
	if len(rate.Levels) != 2 || rate.Levels[0] != (plot.Level{From: 0, To: 17, Value: 100}) || rate.Levels[1] != (plot.Level{From: 18, To: 23, Value: 91}) {
		t.Errorf("levels %+v", rate.Levels)
	}
	want := plot.ChangeMark{Before: 18, Text: "-9.0 %, worse: engine's version, --slowdown", Bad: true}
	if len(rate.Changes) != 1 || rate.Changes[0] != want {
		t.Errorf("changes %+v, want %+v", rate.Changes, want)
	}
	// Milliseconds in the tables are milliseconds in the picture.
	if latency := h.Panels[1]; latency.Points[0].Value != 200 || latency.Levels[0].Value != 200 {
		t.Errorf("latency %+v", latency.Points[0])
	}
	if err := plot.WriteHistory(new(bytes.Buffer), h); err != nil {
		t.Error(err)
	}
	if _, ok := HistoryPlot(&history.Result{}); ok {
		t.Error("a history of nothing is drawn")
	}
}
