package report

import (
	"fmt"
	"slices"
	"testing"

	"exobench"
	"exobench/summary"
)

// BenchmarkReports makes every report of runs with many cells. The time for each
// cell should not grow with their number.
func BenchmarkReports(b *testing.B) {
	for _, shape := range []struct {
		name   string
		script func(cells int) *script
	}{
		{"models", func(n int) *script { return large(n, 1, 1) }},
		{"traffics", func(n int) *script { return large(1, 1, n) }},
		{"engines", func(n int) *script { return large(n/10, 10, 1) }},
	} {
		for _, cells := range []int{100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", shape.name, cells), func(b *testing.B) {
				entries := shape.script(cells).entries
				dir := b.TempDir()
				for b.Loop() {
					run, err := summary.Build(slices.Values(entries))
					if err != nil {
						b.Fatal(err)
					}
					if err := Write(dir, run, slices.Values(entries)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/float64(cells), "µs/cell")
			})
		}
	}
}

// large is a run of models on engines under traffics, with two requests in each
// cell and a note for each step.
func large(models, engines, traffics int) *script {
	var all []exobench.Model
	var names []string
	for i := range models {
		names = append(names, fmt.Sprintf("model-%d", i))
		all = append(all, exobench.Model{Name: names[i], ID: "org/" + names[i]})
	}
	var traffic []exobench.Traffic
	for i := range traffics {
		traffic = append(traffic, exobench.Traffic{Concurrency: i + 1})
	}
	var measured []exobench.Engine
	for i := range engines {
		measured = append(measured, exobench.Engine{Name: fmt.Sprintf("engine-%d", i), Driver: "exo", LifeCycle: true, Models: all})
	}
	s := newScript(planOf("engine-0", traffic, exobench.Stop{Requests: 2}, names...), exobench.Host{Name: "studio", Cores: 2}, measured...)
	at := exobench.Instant(0)
	blocks := map[int][]exobench.Block{}
	for _, b := range s.outline.Blocks {
		blocks[b.Step] = append(blocks[b.Step], b)
	}
	for i := range s.outline.Steps {
		step := s.outline.Steps[i].ID
		s.load(step, at, ring, 40*mib)
		at += 10 * second
		for _, b := range blocks[step] {
			b.At = at
			s.add(&b)
			for i := range 2 {
				s.request(step, b.ID, request(at, i), 95*mib)
				at += second
			}
			s.add(&exobench.BlockEnd{At: at, Block: b.ID, Reason: exobench.BlockDone})
		}
		s.add(&exobench.Note{At: at, Session: 1, Step: step, Text: "it was slow"}, &exobench.StepEnd{At: at, Step: step, Reason: exobench.StepReleased})
	}
	s.add(&exobench.End{At: at, Session: 1, Reason: exobench.EndFinished})
	return s
}
