// Package exolegacy drives exo 0.0.x, the generation before 1.0.
//
// That exo has no life cycle: a model is loaded, and where needed downloaded,
// by the first request to it, stays until a request to another takes its place,
// and cannot be unloaded. So Prepare sends a first short prompt, and the time
// until its first token counts as the load; whether the model was in memory
// already, exo does not tell. It answers headers only when the prompt is
// processed, so they are no sign of life.
//
// A request can say nothing but the model and the messages: no length, no seed,
// no temperature. An answer is as long as the model makes it, up to the
// server's --max-generate-tokens, and goes on being written when its request is
// given up. Its tokens are counted from the events of the stream, one a token
// on a quiet machine; the end of sequence is one of them.
//
// An unknown model is answered by exo's default model, with no error. Only ids
// that exo lists are sent, and an answer that names another model is refused.
package exolegacy
