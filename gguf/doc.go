// Package gguf writes model files with random weights, and reads the headers of
// any.
//
// [Write] makes a GGUF file that has the true shape of a model (its layers,
// widths, vocabulary and quantisation) and random values. The time that an engine
// takes for a token does not depend on the values, so llama.cpp and Ollama run
// such a file at the speed of the true model, with no download. What they answer
// means nothing, and the file says so: its general.name ends in "(random
// weights)", and exobench.synthetic is true.
//
// A file is a function of shape, name, quantisation and seed: every run writes
// the same bytes, however many workers make them. The random numbers do not
// repeat anywhere in a file, and memory does not grow with its size.
//
//	err := gguf.Write(ctx, file, shape.Shape{
//		Layers: 16, Hidden: 2048, Heads: 32, KVHeads: 8, FFN: 8192, Vocab: 128256,
//		Tied: true, Context: 131072, RopeBase: 500000, RopeFactor: 32,
//	}, gguf.Options{Name: "Llama 3.2 1B", Quant: "q4_k_m"})
//
// [ReadHeader] says what a file holds. The package does not run models and does
// not quantise real weights.
package gguf
