package wire

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"exobench"
)

// benchEvent is 258 bytes long.
const benchEvent = `data: {"id":"chatcmpl-679abcdef0123456789abcdef","object":"chat.completion.chunk","created":1795447225,"model":"llama-3.2-1b-instruct","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null}]}` + "\n\n"

// engineEvents are events with output as engines send them for each token.
var engineEvents = []struct {
	name, text string
	dialect    Dialect
}{
	{name: "openai", text: benchEvent, dialect: OpenAI{}},
	{name: "exo", text: `data: {"id":"7b80544e-4db3-45e5-81f9-3ba914f5bae4","object":"chat.completion","created":1795498417,"model":"mlx-community/Llama-3.2-1B-Instruct-4bit","choices":[{"index":0,"delta":{"role":"assistant","content":" is"}}]}` + "\n\n", dialect: OpenAI{}},
	{name: "exo-usage", text: `data: {"id":"7b80544e-4db3-45e5-81f9-3ba914f5bae4","object":"chat.completion","created":1795498417,"model":"mlx-community/Llama-3.2-1B-Instruct-4bit","choices":[{"index":0,"delta":{"role":"assistant","content":" is"}}],"usage":{"prompt_tokens":31,"completion_tokens":64,"total_tokens":95,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}` + "\n\n", dialect: OpenAI{}},
	{name: "llama.cpp", text: `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" is"}}],"created":1795446805,"id":"chatcmpl-SVncUu2BnEb1EAXqvUy31qDn4MrmKtr8","model":"tiny-random","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}` + "\n\n", dialect: OpenAI{}},
	{name: "llama.cpp-timings", text: `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" is"}}],"created":1795446805,"id":"chatcmpl-SVncUu2BnEb1EAXqvUy31qDn4MrmKtr8","model":"tiny-random","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk","timings":{"cache_n":0,"prompt_n":1215,"prompt_ms":698.542,"prompt_per_token_ms":0.5749316872427984,"prompt_per_second":1739.3370763676342,"predicted_n":8,"predicted_ms":27.055,"predicted_per_token_ms":3.8649999999999998,"predicted_per_second":258.73221216041395}}` + "\n\n", dialect: OpenAI{}},
	{name: "vllm-usage", text: `data: {"id":"chatcmpl-2b1e3f0c8d5a4f7f9a6e1c0d9b8a7f6e","object":"chat.completion.chunk","created":1795447225,"model":"meta-llama/Llama-3.2-1B-Instruct","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null,"token_ids":null}],"usage":{"prompt_tokens":512,"total_tokens":520,"completion_tokens":8}}` + "\n\n", dialect: OpenAI{}},
	{name: "logprobs", text: `data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1795447225,"model":"m","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":{"content":[{"token":" hello","logprob":-0.31725305,"bytes":[32,104,101,108,108,111],"top_logprobs":[{"token":" hello","logprob":-0.31725305,"bytes":[32,104,101,108,108,111]},{"token":"é","logprob":-1.3190403,"bytes":[195,169]}]}]},"finish_reason":null}],"usage":null}` + "\n\n", dialect: OpenAI{}},
	{name: "tool-call", text: `data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1795447225,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"loc"}}]},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n", dialect: OpenAI{}},
	{name: "ollama", text: `{"model":"r-tiny:latest","created_at":"2026-11-24T06:30:23.788890389Z","message":{"role":"assistant","content":" hello"},"done":false}` + "\n", dialect: Ollama{}},
	{name: "ollama-thinking", text: `{"model":"r-tiny:latest","created_at":"2026-11-24T06:30:23.788890389Z","message":{"role":"assistant","content":"","thinking":" hm"},"done":false}` + "\n", dialect: Ollama{}},
}

// BenchmarkParse measures the deferred parse of each engine's events, strictly
// and loosely.
func BenchmarkParse(b *testing.B) {
	const events = 500
	for _, e := range engineEvents {
		answer := captureOf([]byte(strings.Repeat(e.text, events)), 300)
		for _, loose := range []bool{false, true} {
			b.Run(e.name+"/"+cmp.Or(map[bool]string{true: "loose"}[loose], "strict"), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s := &stream{record: new(exobench.Record), slow: loose}
					s.parse(answer, e.dialect)
					if len(s.record.Chunks) != events {
						b.Fatal(len(s.record.Chunks))
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
			})
		}
		answer.free()
	}
	b.Run("json", func(b *testing.B) {
		payload := []byte(strings.TrimSpace(strings.TrimPrefix(benchEvent, "data: ")))
		for b.Loop() {
			var event map[string]any
			if err := json.Unmarshal(payload, &event); err != nil {
				b.Fatal(err)
			}
		}
	})
}
