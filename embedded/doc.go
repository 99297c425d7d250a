// Package engine serves package decoder's models over HTTP as exo v1 does: models, placement previews, instances whose runners
// walk through their states, a state tree, and chat completions in exo's plain (/v1) and benchmark (/bench) forms. It lets the
// whole path of a benchmark run on a machine with no engine installed.
//
// Tokens are computed: each one is a pass through a decoder of the model's shape with random weights. The text is nonsense, and
// the speed is that of the stand-in on this CPU; neither says anything about exo or the model whose name it bears. The package
// has no model files, no image models, no second node and no prefix cache.
//
//	srv, err := engine.New(engine.Config{Models: models, Seed: 1})
//	err = http.Serve(listener, srv.Handler())
//
// # Differences from exo
//
//   - Downloads complete at once; there is nothing to download. Other known cards are listed as pending, as in exo.
//   - peak_memory_usage is the true peak of the instance's weights and KV pages in bytes, where exo's figure is 7.37 % too high.
//   - A fixed seed and temperature give the same text whatever runs beside it; exo's generator is shared between requests.
//   - Of the sampling settings, temperature and seed count; top_p, top_k, min_p and penalties are accepted and have no effect.
//   - max_tokens is cut where the model's context ends.
//   - Tasks reach the runner at once, without exo's planning tick of 0.1 s, and a prompt is fed in pieces between the steps of
//     other streams, where exo stalls them for the whole prompt.
//   - The identity of the node and the Server header name this engine.
//
// # Speed and memory
//
// One lock lets one pass run at a time over all instances, so that Workers bounds the cores that computing takes; the client is
// left the others. The garbage collector needs no setting: the weights are most of the heap and hold no pointers, so a
// collection is short and the next one is due only after as many bytes of garbage as there are weights. A lower GOGC would run
// it more often, and a higher one lets garbage show in the memory that a benchmark measures. A runner collects once before it
// becomes ready, and hands the memory of its model back to the system when it ends.
package embedded
