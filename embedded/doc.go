// Package embedded is an engine of exobench's own: an HTTP server that speaks
// the part of exo's v1 API which exobench's driver of exo uses, in front of the
// models of package decoder. It lets the whole path of a benchmark run on a
// machine with no engine installed.
//
// Tokens are computed: each one is a pass through a decoder of the model's
// shape with random weights. The text is nonsense, and the speed is that of a
// scaled-down stand-in on this processor; neither says anything about exo or
// about the model whose name it bears.
//
//	server, err := embedded.New(embedded.Config{Models: models, Seed: 1})
//	err = http.Serve(listener, server.Handler())
//
// # What is imitated
//
//   - /node_id; the models with their cards, and adding one; previews of
//     placements; instances made, read and deleted; runners that walk through
//     exo's states; /state and its sections instances, runners, downloads,
//     topology, nodeIdentities, nodeMemory and nodeSystem, and one entry of
//     each.
//   - Streams of /v1/chat/completions and /bench/chat/completions, byte for
//     byte as exo writes them but for fields that are always null or 0: a first
//     comment, progress of the prompt, a chunk for each token, the runner's own
//     statistics. /bench bans the end of sequence.
//   - Canceling a request; errors inside a stream; one runner's queue; the
//     formulas of the statistics.
//
// # What is not
//
//   - There is one node, and a model is always whole on it. Nothing is
//     downloaded: a model is there at once. There is no prefix cache.
//   - Of the sampling settings, temperature, seed, max_tokens and stop count.
//     max_tokens ends with the model's context.
//   - An answer that does not stream is a plain one of OpenAI's form, and all
//     errors have one form, where exo has several of each.
//   - A fixed seed and temperature return the same text whatever runs beside
//     it; exo's generator is shared between requests.
//   - peak_memory_usage is the true peak of weights and KV pages; exo's figure
//     is 7.37 % too high.
//   - Requests reach the runner at once, without exo's planning tick of 0.1 s,
//     and a prompt is fed in pieces between the steps of other streams, where
//     exo stalls them for the whole prompt.
//
// # Who may use it
//
// Who has Config.Token; without one, whoever can open a connection to it. Listen
// on loopback only: the handler refuses requests that name any other host, and
// those that a browser sends for the page of another site. The engine that a run
// starts has a token that nobody else knows, so that nothing disturbs the run.
//
// # Speed and memory
//
// One lock lets one pass run at a time over all instances, so that Workers
// bounds the cores that computing takes; the client is left the others. The
// garbage collector needs no setting: the weights are most of the heap and hold
// no pointers, so a collection is short and the next one is due only after as
// many bytes of garbage as there are weights. A lower GOGC would run it more
// often, and a higher one lets garbage show in the memory that a benchmark
// measures. A runner collects once before it becomes ready, and hands the
// memory of its model back to the system when it ends.
package embedded
