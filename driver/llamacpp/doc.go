// Package llamacpp drives llama.cpp's llama-server: one that runs already, or
// one that it starts itself from a GGUF file, for one model after the other.
//
// A server that runs already is measured as it is: nothing is loaded or taken
// away, and how many requests it answers at once is its own affair. A server
// that is started listens on a free port of the loopback interface, has as many
// slots as the plan may have requests under way, up to 64, each with the context
// that the plan needs, and is gone after Release or Close; whatever way exobench
// itself ends, it takes the server along.
//
// Cold prompts are kept out of the prompt cache request by request. Beside that
// cache, which lives in a slot, newer servers copy what a slot forgets to a
// second one in main memory, whatever a request says: that costs time before
// the next answer and memory for each prompt. A server that is started for cold
// prompts has it switched off; one that runs already may have it on.
package llamacpp
