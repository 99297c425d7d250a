// Package reference is the timing reference: an HTTP server whose streams keep
// an exact schedule and carry their own truth. It is what the harness is
// calibrated and tested against, and never the source of a performance result.
//
// It answers POST /v1/chat/completions with OpenAI's framing and POST
// /bench/chat/completions with that of exo v1. The i-th event of a stream is
// due at
//
//	due(i) = arrival of the request + TTFT + prompt words × prefill per token + i × interval + jitter(i)
//
// so that no delay of one event moves the next. Every data event carries
// "due_ns" and "emitted_ns", both CLOCK_MONOTONIC: the second is read just
// before the bytes are handed to the socket. How late the writes were is at GET
// /reference/behind; reading it starts a new measurement.
//
// A request overrides any parameter with the member "reference" of its body, an
// [Override], and the number of tokens with max_tokens too.
//
// A stream's bytes are formatted once, when its request arrives. A few
// schedulers then own all streams: each sleeps until shortly before the earliest
// due instant, patches the stamps and writes, without allocating and without
// ever waiting for a client.
//
//	server, err := reference.New(reference.Config{TTFT: 100 * time.Millisecond, Interval: 20 * time.Millisecond, Tokens: 50})
//	if err != nil {
//		return err
//	}
//	defer server.Close()
//	return http.ListenAndServe("127.0.0.1:8089", server)
package reference
