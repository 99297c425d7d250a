package gguf_test

import (
	"bytes"
	"context"
	"fmt"

	"exobench/gguf"
	"exobench/shape"
)

func Example() {
	toy := shape.Shape{
		Layers: 2, Hidden: 256, Heads: 4, KVHeads: 2, FFN: 512, Vocab: 1000, Context: 2048, RopeBase: 10000,
	}
	var file bytes.Buffer
	if err := gguf.Write(context.Background(), &file, toy, gguf.Options{Name: "Toy", Quant: "q4_k_m"}); err != nil {
		fmt.Println(err)
		return
	}
	h, err := gguf.ReadHeader(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %s, %s, %d weights in %d tensors\n", h.Name, h.Architecture, h.Quant, h.Parameters(), len(h.Tensors))
	// Output: Toy (random weights): llama, q4_k_m, 1692928 weights in 21 tensors
}
