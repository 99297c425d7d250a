// Package ceiling says how fast a model could be decoded at best on a machine,
// and how much memory it takes.
//
// A decoder that answers one request reads all of its weights, and the keys and
// values of all positions before, for each token. No engine is faster than the
// memory that they are in:
//
//	ceiling (tokens/s) = bandwidth / (weights read + positions × KV bytes of one)
//
// which is the memory roof of the roofline model (Williams, Waterman and
// Patterson 2009) for the arithmetic intensity of decoding, as Pope et al. 2022,
// "Efficiently Scaling Transformer Inference", reckon it.
//
//	reads, err := ceiling.OfHeader(header)          // of a GGUF file
//	b, err := ceiling.Probe(ctx)                    // of this machine's CPU
//	rate := b.PerSecond / float64(reads.At(4096))
//
// Where something is not known it counts too few bytes, never too many, so that
// the ceiling stays one. The package measures no engine.
package ceiling
