package decoder

import (
	"math"
	"slices"
	"strings"
	"testing"

	"exobench/shape"
)

var tiny = shape.Shape{Layers: 3, Hidden: 64, Heads: 8, KVHeads: 2, FFN: 96, Vocab: 301, Context: 1 << 20, RopeBase: 10000}

func newModel(t testing.TB, s shape.Shape, seed uint64, workers int) *Model {
	t.Helper()
	m, err := New(s, seed, workers, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// prompt returns n tokens that do not repeat in short cycles.
func prompt(n int) []int {
	rng := splitmix(uint64(n))
	tokens := make([]int, n)
	for i := range tokens {
		tokens[i] = int(rng.next() % uint64(tiny.Vocab))
	}
	return tokens
}

// feed runs tokens through the sequence in chunks and returns the logits after
// the last one.
func feed(t testing.TB, m *Model, s *Sequence, tokens []int, chunk int) []float32 {
	t.Helper()
	logits := make([]float32, m.shape.Vocab)
	for part := range slices.Chunk(tokens, chunk) {
		if err := m.Forward([]Input{{Sequence: s, Tokens: part, Logits: logits}}); err != nil {
			t.Fatal(err)
		}
	}
	return logits
}

// generate continues a prompt greedily.
func generate(t testing.TB, m *Model, tokens []int, n int) []int {
	t.Helper()
	s := m.NewSequence()
	defer s.Release()
	logits := feed(t, m, s, tokens, len(tokens))
	var out []int
	for range n {
		next := Argmax(logits)
		out = append(out, next)
		logits = feed(t, m, s, []int{next}, 1)
	}
	return out
}

func distance(a []float32, b []float64) float64 {
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(float64(a[i])-b[i]))
	}
	return d
}

func TestLogitsEqualThoseOfThePlainDecoder(t *testing.T) {
	tokens := prompt(PageTokens + 7) // so that attention spans two pages
	tied, grouped := tiny, tiny
	tied.Tied = true
	grouped.KVHeads = 8
	for name, s := range map[string]shape.Shape{"untied": tiny, "tied": tied, "as many kv heads as heads": grouped} {
		m := newModel(t, s, 5, 2)
		want := reference(m, tokens)
		seq := m.NewSequence()
		for i := range tokens {
			got := feed(t, m, seq, tokens[i:i+1], 1)
			if d := distance(got, want[i]); d > 1e-3 || math.IsNaN(d) {
				t.Fatalf("%s, position %d: logits differ by %g from the plain decoder's", name, i, d)
			}
		}
	}
}

func TestPrefillEqualsTokenByToken(t *testing.T) {
	m := newModel(t, tiny, 1, 1)
	tokens := prompt(150)
	want := feed(t, m, m.NewSequence(), tokens, 1)
	for _, chunk := range []int{2, 31, 64, 150} {
		got := feed(t, m, m.NewSequence(), tokens, chunk)
		if !slices.Equal(got, want) {
			t.Errorf("in chunks of %d the logits are not those of token by token, bit by bit", chunk)
		}
	}
}

func TestWorkersDoNotChangeTheResult(t *testing.T) {
	tokens := prompt(40)
	want := generate(t, newModel(t, tiny, 9, 1), tokens, 60)
	for _, workers := range []int{2, 3, 7} {
		m := newModel(t, tiny, 9, workers)
		if got := generate(t, m, tokens, 60); !slices.Equal(got, want) {
			t.Errorf("%d workers: %v, want %v", workers, got, want)
		}
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(want))); len(distinct) < 5 {
		t.Errorf("%v: too uniform to show anything", want)
	}
}

func TestSeedDecidesTheTokens(t *testing.T) {
	tokens := prompt(20)
	first := generate(t, newModel(t, tiny, 1, 1), tokens, 30)
	if again := generate(t, newModel(t, tiny, 1, 1), tokens, 30); !slices.Equal(first, again) {
		t.Errorf("same seed: %v, then %v", first, again)
	}
	if other := generate(t, newModel(t, tiny, 2, 1), tokens, 30); slices.Equal(first, other) {
		t.Errorf("seeds 1 and 2 both give %v", first)
	}
}

// Three streams of different lengths, one of them in the middle of its prompt,
// each get what they get alone.
func TestStreamsInOneBatchAreIndependent(t *testing.T) {
	m := newModel(t, tiny, 3, 2)
	prompts := [][]int{prompt(5), prompt(90), prompt(33)}
	var alone [][]float32
	for _, p := range prompts {
		alone = append(alone, feed(t, m, m.NewSequence(), p, len(p)))
	}
	seqs := []*Sequence{m.NewSequence(), m.NewSequence(), m.NewSequence()}
	feed(t, m, seqs[0], prompts[0][:4], 4)
	feed(t, m, seqs[1], prompts[1][:70], 35)
	var batch []Input
	for i, s := range seqs {
		batch = append(batch, Input{Sequence: s, Tokens: prompts[i][s.Len():], Logits: make([]float32, tiny.Vocab)})
	}
	if err := m.Forward(batch); err != nil {
		t.Fatal(err)
	}
	for i := range batch {
		if !slices.Equal(batch[i].Logits, alone[i]) {
			t.Errorf("stream %d: logits in a batch are not those of the stream alone", i)
		}
	}
}

func TestLaterTokensDoNotChangeEarlierLogits(t *testing.T) {
	m := newModel(t, tiny, 4, 1)
	a, b := prompt(30), prompt(30)
	for i := range b[15:] {
		b[15+i] = (b[15+i] + 1) % tiny.Vocab
	}
	sa, sb := m.NewSequence(), m.NewSequence()
	for i := range a {
		la, lb := feed(t, m, sa, a[i:i+1], 1), feed(t, m, sb, b[i:i+1], 1)
		if same := slices.Equal(la, lb); same != (i < 15) {
			t.Errorf("position %d: logits equal = %v; the sequences part at 15", i, same)
		}
	}
	// In one pass, where later rows are there while earlier ones are computed.
	batch := []Input{{Sequence: m.NewSequence(), Tokens: a[:15], Logits: make([]float32, tiny.Vocab)}}
	if err := m.Forward(batch); err != nil {
		t.Fatal(err)
	}
	sa.Release()
	feed(t, m, sa, a, len(a))
	want := reference(m, a[:15])[14]
	if d := distance(batch[0].Logits, want); d > 1e-3 {
		t.Errorf("logits in a prefill differ by %g", d)
	}
}

// With one layer and no positions the last token would attend to a set: the
// order of the others could not matter.
func TestOrderOfEarlierTokensMatters(t *testing.T) {
	single := tiny
	single.Layers = 1
	m := newModel(t, single, 6, 1)
	a := feed(t, m, m.NewSequence(), []int{10, 20, 30, 40}, 4)
	b := feed(t, m, m.NewSequence(), []int{20, 10, 30, 40}, 4)
	if d := distance(a, widen(b)); d < 1e-3 {
		t.Errorf("swapping two earlier tokens changes the logits by only %g", d)
	}
}

// Rotary positions are relative: the scores of two rotated heads depend on the
// distance of their positions alone.
func TestRotationIsRelative(t *testing.T) {
	r := newRope(8, 10000)
	score := func(qPos, kPos int) float64 {
		q, k := []float32{1, 2, 3, 4, 5, 6, 7, 8}, []float32{-1, 3, 2, 5, 1, 1, 4, -2}
		turn := make([]float32, 8)
		r.turn(turn, qPos)
		rotate(q, turn)
		r.turn(turn, kPos)
		rotate(k, turn)
		return float64(portableDot(q, k))
	}
	if a, b := score(9, 4), score(105, 100); math.Abs(a-b) > 1e-3 {
		t.Errorf("score at (9, 4) is %g, at (105, 100) %g", a, b)
	}
	if a, b := score(9, 4), score(9, 5); math.Abs(a-b) < 1e-1 {
		t.Errorf("score at (9, 4) is %g, at (9, 5) nearly the same: %g", a, b)
	}
}

func TestKVBytesGrowWithPosition(t *testing.T) {
	m := newModel(t, tiny, 1, 1)
	perToken := int64(3 * 2 * 2 * 8 * 4) // layers × (keys, values) × kv heads × head dimension × bytes
	if got := KVBytesPerToken(tiny); got != perToken {
		t.Fatalf("KVBytesPerToken = %d, want %d", got, perToken)
	}
	pageBytes := perToken * PageTokens
	s := m.NewSequence()
	for i, token := range prompt(2*PageTokens + 1) {
		feed(t, m, s, []int{token}, 1)
		pages := int64(i/PageTokens + 1)
		if got, want := s.KVBytes(), int64(i+1)*perToken; got != want {
			t.Fatalf("after %d tokens KVBytes = %d, want %d", i+1, got, want)
		}
		if got, want := m.KVBytes(), pages*pageBytes; got != want {
			t.Fatalf("after %d tokens the model's pages take %d, want %d", i+1, got, want)
		}
	}
	weights := WeightBytes(m.shape)
	s.Release()
	if got := m.KVBytes(); got != 0 {
		t.Errorf("after the release the pages take %d", got)
	}
	feed(t, m, s, prompt(70), 70)
	if got, want := m.PeakBytes(), weights+3*pageBytes; got != want {
		t.Errorf("PeakBytes = %d, want %d: the weights once and three pages", got, want)
	}
	if m.pool.made != 3 {
		t.Errorf("%d pages were made; released ones were not used again", m.pool.made)
	}
}

// A page that held another stream must not show through.
func TestReusedPagesAreClean(t *testing.T) {
	m := newModel(t, tiny, 8, 1)
	want := feed(t, m, m.NewSequence(), prompt(20), 20)
	s := m.NewSequence()
	feed(t, m, s, prompt(64), 64)
	s.Release()
	if got := feed(t, m, s, prompt(20), 20); !slices.Equal(got, want) {
		t.Error("logits on used pages differ from those on new ones")
	}
}

func TestForwardRefusesWhatItCannotDo(t *testing.T) {
	m, other := newModel(t, tiny, 1, 1), newModel(t, tiny, 1, 1)
	s := m.NewSequence()
	for want, batch := range map[string][]Input{
		"another model":      {{Sequence: other.NewSequence(), Tokens: []int{1}}},
		"no tokens":          {{Sequence: s}},
		"outside":            {{Sequence: s, Tokens: []int{1, tiny.Vocab}}},
		"room for 3 logits":  {{Sequence: s, Tokens: []int{1}, Logits: make([]float32, 3)}},
		"in the batch twice": {{Sequence: s, Tokens: []int{1}}, {Sequence: s, Tokens: []int{2}}},
	} {
		if err := m.Forward(batch); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if s.Len() != 0 || m.KVBytes() != 0 {
		t.Errorf("refused batches left %d positions and %d bytes", s.Len(), m.KVBytes())
	}
}

func TestStepsDoNotAllocate(t *testing.T) {
	m := newModel(t, tiny, 1, 2)
	logits := make([]float32, tiny.Vocab)
	s := m.NewSequence()
	feed(t, m, s, prompt(5), 5)
	batch := []Input{{Sequence: s, Tokens: []int{0}, Logits: logits}}
	sampler := NewSampler(0.7, 1)
	allocs := testing.AllocsPerRun(50, func() {
		if err := m.Forward(batch); err != nil {
			t.Fatal(err)
		}
		batch[0].Tokens[0] = sampler.Pick(logits)
	})
	if allocs != 0 {
		t.Errorf("%g allocations a step", allocs)
	}
}

func TestNewReportsEachLayer(t *testing.T) {
	var seen []int
	m, err := New(tiny, 1, 1, func(n int) { seen = append(seen, n) })
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	if !slices.Equal(seen, []int{1, 2, 3}) {
		t.Errorf("progress %v, want 1 2 3", seen)
	}
	if err := m.Forward(nil); err == nil {
		t.Error("a closed model runs")
	}
}
