package decoder_test

import (
	"fmt"

	"exobench/embedded/decoder"
	"exobench/shape"
)

func Example() {
	small := shape.Shape{Layers: 2, Hidden: 32, Heads: 4, KVHeads: 2, FFN: 64, Vocab: 100, Context: 64, RopeBase: 10000}
	m, err := decoder.New(small, 1, 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	seq := m.NewSequence()
	logits := make([]float32, small.Vocab)
	tokens := []int{7, 42, 3} // the prompt, then one token at a time
	for range 4 {
		if err := m.Forward([]decoder.Input{{Sequence: seq, Tokens: tokens, Logits: logits}}); err != nil {
			fmt.Println(err)
			return
		}
		tokens = []int{decoder.Argmax(logits)}
	}
	fmt.Println(seq.Len(), "positions,", seq.KVBytes(), "bytes of keys and values")
	// Output: 6 positions, 1536 bytes of keys and values
}
