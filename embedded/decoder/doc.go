// Package decoder runs a Llama-style language model on the CPU: token
// embedding, RMSNorm, rotary positions, grouped-query attention over a KV
// cache, SwiGLU, residuals and a language-model head, in float32.
//
// The weights are random, drawn from a seed. What a token costs does not depend
// on the values of the weights, so a model of a given shape has the speed and
// the memory of a trained one, while its text means nothing. The package loads
// no weights from files, has no tokenizer and knows no server.
//
//	m, err := decoder.New(shape, 1, workers, nil)
//	seq := m.NewSequence()
//	logits := make([]float32, shape.Vocab)
//	err = m.Forward([]decoder.Input{{Sequence: seq, Tokens: prompt, Logits: logits}})
//	next := decoder.Argmax(logits)
//
// A pass ([Model.Forward]) takes any number of sequences with any number of
// tokens each: a prompt, a part of a prompt, one token of each of several
// streams, or a mixture. All of them share one pass over the weights.
//
// # Determinism
//
// Every output is one dot product over one row of weights and one row of
// activations, taken whole. How many rows share a pass, how a prompt is cut
// into passes and how many workers run changes which core computes a dot
// product and when, and never its operands or their order. So on one machine
// the logits are the same bit by bit for the same seed and the same tokens,
// whatever the batch, the chunking and the number of workers. On other
// processors the last bits may differ.
//
// # Memory
//
// Weights are counted once however many sequences there are. Keys and values
// live in pages of [PageTokens] positions that are taken as a sequence grows,
// and go back to the model's pool when it is released. [Model.Close] drops all
// of it; the memory is the garbage collector's then, and
// runtime/debug.FreeOSMemory hands it back to the system.
package decoder
