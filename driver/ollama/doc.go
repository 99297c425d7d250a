// Package ollama drives an Ollama server by its native API.
//
// Loading is measured with a request that has no messages: Ollama answers it
// when the model is in memory, and reports no time of its own for it. Ollama
// keeps a model for some minutes after its last request, so one that is there
// before the run says nothing of who wants it: it is unloaded first, after its
// requests have ended, unless --reuse has it measured as it is. Requests to a
// model that Prepare loaded keep it for half an hour; Release unloads it. Until
// then it is marked as that of a run, so that the next run, or exobench clean,
// unloads what one that was killed has left.
//
// No request says anything of the context length, and each to a model that
// Prepare loaded has the same shift, since Ollama reloads a model for a request
// that wants another: "shift": false, so that an answer ends where the context
// does. (Ollama 0.30.0 to 0.30.7 or so take nothing of such requests from the
// prompt cache, so with --cache warm theirs is true.) All have "truncate": false, so that a prompt too long for the context is
// an error and not silently another prompt. How many requests are answered at a
// time is the server's own setting, OLLAMA_NUM_PARALLEL; the rest wait in its
// queue, which counts into their time to first token.
//
// What Ollama cannot do: it has no way to ignore the end of sequence, so an
// answer can be shorter than asked; and none to keep a prompt out of its cache,
// so cold prompts need a unique prefix. Its prompt_eval_count is the whole
// prompt, whether or not the start of it came from the cache, while
// prompt_eval_duration covers the rest only. Since Ollama 0.34.0
// prompt_eval_cached_count tells how much did; before, a hit does not show,
// except in a rate that is too good. Before Ollama 0.3.14, and in 0.30.0, the
// count left out what came from the cache, and before 0.3.14 it was missing where
// all of it did.
package ollama
