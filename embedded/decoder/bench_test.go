package decoder

import (
	"fmt"
	"testing"

	"exobench/shape"
)

var standIns = []struct {
	name  string
	shape shape.Shape
}{
	{"53M", shape.Shape{Layers: 6, Hidden: 768, Heads: 8, KVHeads: 2, FFN: 2688, Vocab: 4509, Context: 4096, RopeBase: 10000}},
	{"8M", shape.Shape{Layers: 3, Hidden: 384, Heads: 8, KVHeads: 2, FFN: 1536, Vocab: 4509, Context: 4096, RopeBase: 10000, Tied: true}},
}

func perShape(b *testing.B, run func(b *testing.B, m *Model)) {
	for _, s := range standIns {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", s.name, workers), func(b *testing.B) {
				run(b, newModel(b, s.shape, 1, workers))
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, streams := range []int{1, 4} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			perShape(b, func(b *testing.B, m *Model) { decode(b, m, streams) })
		})
	}
}

// decode measures steps at 64 to 192 positions of context.
func decode(b *testing.B, m *Model, streams int) {
	var batch []Input
	restart := func() {
		batch = batch[:0]
		for i := range streams {
			s := m.NewSequence()
			feed(b, m, s, prompt(64), 64)
			batch = append(batch, Input{Sequence: s, Tokens: []int{i}, Logits: make([]float32, m.shape.Vocab)})
		}
	}
	restart()
	for b.Loop() {
		if err := m.Forward(batch); err != nil {
			b.Fatal(err)
		}
		for i := range batch {
			batch[i].Tokens[0] = Argmax(batch[i].Logits)
		}
		if batch[0].Sequence.Len() >= 192 {
			b.StopTimer()
			for _, in := range batch {
				in.Sequence.Release()
			}
			restart()
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(streams*b.N)/b.Elapsed().Seconds(), "tok/s")
}

func BenchmarkPrefill(b *testing.B) {
	for _, chunk := range []int{16, 32, 64, 128} {
		b.Run(fmt.Sprintf("chunk=%d", chunk), func(b *testing.B) {
			perShape(b, func(b *testing.B, m *Model) {
				tokens := prompt(128)
				s := m.NewSequence()
				for b.Loop() {
					feed(b, m, s, tokens, chunk)
					s.Release()
				}
				b.ReportMetric(float64(len(tokens)*b.N)/b.Elapsed().Seconds(), "tok/s")
			})
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, s := range standIns {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", s.name, workers), func(b *testing.B) {
				for b.Loop() {
					m, err := New(s.shape, 1, workers, nil)
					if err != nil {
						b.Fatal(err)
					}
					m.Close()
				}
			})
		}
	}
}
