package reference_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"exobench"
	"exobench/reference"
	"exobench/wire"
)

func TestTheHarnessReadsBothFramingsAndAllFaults(t *testing.T) {
	t.Parallel()
	server, err := reference.New(reference.Config{TTFT: 5 * time.Millisecond, Interval: time.Millisecond, Tokens: 10, PerChunk: 3})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	defer server.Close()
	defer web.Close()
	client := wire.NewClient(wire.Config{Clock: exobench.NewClock()})
	defer client.Close()
	for _, path := range []string{"/v1/chat/completions", "/bench/chat/completions"} {
		for _, c := range []struct {
			fault reference.Fault
			want  exobench.Outcome
		}{
			{reference.NoFault, exobench.OK},
			{reference.HTTP500, exobench.HTTPError},
			{reference.StreamError, exobench.StreamError},
			{reference.Truncated, exobench.Truncated},
			{reference.Stall, exobench.IdleTimeout},
		} {
			idle := time.Minute
			if c.fault == reference.Stall {
				idle = 200 * time.Millisecond
			}
			r := client.Do(t.Context(), wire.Call{URL: web.URL + path, Idle: idle, Body: fmt.Appendf(nil,
				`{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"one two"}],"reference":{"error":%q}}`, c.fault)})
			if r.Outcome != c.want {
				t.Errorf("%s with %s: %s (%s), want %s", path, c.fault, r.Outcome, r.Error, c.want)
			}
			if c.want != exobench.OK {
				continue
			}
			if len(r.Chunks) != 4 || r.FinishReason != "length" || r.TokensFrom != exobench.FromUsage ||
				*r.OutputTokens != 10 || *r.PromptTokens != 2 || r.ServerModel != "m" {
				t.Errorf("%s: %d chunks, %s, tokens from %s, %d and %d, model %s; want 4 chunks with 10 tokens of 2", path,
					len(r.Chunks), r.FinishReason, r.TokensFrom, *r.OutputTokens, *r.PromptTokens, r.ServerModel)
			}
		}
	}
}
