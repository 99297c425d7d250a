package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench/embedded/decoder"
)

// A benchmark stream byte by byte, but for ids, times, words and rates.
func TestBenchStreamGrammar(t *testing.T) {
	c := serveReady(t, nil)
	resp := c.open(t.Context(), "POST", "/bench/chat/completions", ask(llamaID, "one two", `,"stream":true,"max_tokens":3`))
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache",
		"X-Accel-Buffering": "no", "Server": "exobench-embedded/1.2",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !resp.Close {
		t.Error("the response does not announce that the connection closes")
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	// Begin; header (3), two words and end of turn; header of the answer.
	const prompt = 1 + 3 + 2 + 1 + 3
	q := regexp.QuoteMeta
	progress := func(n int) string {
		return q(fmt.Sprintf(`: prefill_progress {"PrefillProgressChunk":{"model":%q,"processed_tokens":%d,"total_tokens":%d}}`,
			llamaID, n, prompt-1)) + "\n\n"
	}
	token := func(end string) string {
		return `data: \{"id":"[0-9a-f-]{36}","object":"chat.completion","created":\d{10}` +
			q(`,"model":"`+llamaID+`","choices":[{"index":0,"delta":{"role":"assistant","content":`) + `" [^ "\\]+"` + q(`}`+end) + "\n\n"
	}
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":%d,"completion_tokens":3,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":0}}}`,
		prompt, prompt+3)
	peak := decoder.WeightBytes(tiny) + decoder.PageTokens*decoder.KVBytesPerToken(tiny)
	const float = `\d+(\.\d+)?`
	want := `: keep-alive` + "\n\n" + progress(0) + progress(prompt-1) +
		token(`}]}`) + token(`}]}`) + token(`,"finish_reason":"length"}],`+usage) +
		`: generation_stats \{"prompt_tps":` + float + `,"generation_tps":` + float +
		q(fmt.Sprintf(`,"prompt_tokens":%d,"generation_tokens":3,"peak_memory_usage":{"in_bytes":%d},"prefix_cache_hit":"none"}`, prompt, peak)) + "\n\n" +
		q(`data: [DONE]`) + "\n\n"
	if !regexp.MustCompile(`^` + want + `$`).Match(body) {
		t.Errorf("stream\n%s\ndoes not match\n%s", body, want)
	}
}

func TestStatsAgreeWithTheStream(t *testing.T) {
	c := serveReady(t, nil)
	text := strings.Repeat("some words here, ", 40)
	start := time.Now()
	resp := c.open(t.Context(), "POST", "/bench/chat/completions", ask(llamaID, text, `,"stream":true,"max_tokens":50`))
	all := readEvents(t, resp.Body)
	wall := time.Since(start).Seconds()
	tokens := 0
	for _, e := range all {
		if strings.HasPrefix(e.data, "{") {
			tokens++
		}
	}
	comment, ok := strings.CutPrefix(all[len(all)-2].comment, "generation_stats ")
	if !ok {
		t.Fatalf("before the end stands %v", all[len(all)-2])
	}
	stats := parse(t, comment)
	usage := at(t, parse(t, all[len(all)-3].data), "usage")
	promptTokens := at(t, stats, "prompt_tokens").(float64)
	if tokens != 50 || at(t, stats, "generation_tokens") != 50.0 || at(t, usage, "completion_tokens") != 50.0 {
		t.Errorf("%d tokens came; stats %v, usage %v", tokens, stats, usage)
	}
	if want := float64(len(tokenizer{tiny.Vocab}.prompt([]message{{"user", content(text)}}))); promptTokens != want || at(t, usage, "prompt_tokens") != want {
		t.Errorf("prompt of %g tokens: stats %v, usage %v", want, stats, usage)
	}
	// Both rates are the runner's own; neither phase took longer than the whole
	// request.
	if tps := at(t, stats, "generation_tps").(float64); tps < 49/wall {
		t.Errorf("generation_tps %g, but 50 tokens took less than %g s", tps, wall)
	}
	if tps := at(t, stats, "prompt_tps").(float64); tps < (promptTokens-1)/wall {
		t.Errorf("prompt_tps %g, but %g tokens took less than %g s", tps, promptTokens, wall)
	}
}

func TestSingleTokenHasNoRate(t *testing.T) {
	c := serveReady(t, nil)
	_, body := c.do("POST", "/bench/chat/completions", ask(llamaID, "hi", `,"max_tokens":1`))
	if tps := at(t, parse(t, body), "generation_stats", "generation_tps"); tps != 0.0 {
		t.Errorf("generation_tps %v of one token, want 0", tps)
	}
}

// The text is what comes out of the decoder when it is driven by hand.
func TestTextIsTheDecoders(t *testing.T) {
	c := serveReady(t, nil)
	m, err := decoder.New(tiny, 7, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tokens, seq, logits := tokenizer{tiny.Vocab}, m.NewSequence(), make([]float32, tiny.Vocab)
	next := tokens.prompt([]message{{"system", "be brief"}, {"user", "hello there"}})
	want := ""
	for range 40 {
		if err := m.Forward([]decoder.Input{{Sequence: seq, Tokens: next, Logits: logits}}); err != nil {
			t.Fatal(err)
		}
		logits[endText] = -1e9
		next = []int{decoder.Argmax(logits)}
		want += tokens.text(next[0])
	}
	got := c.complete("/bench/chat/completions", `{"model":"`+llamaID+`","messages":[{"role":"system","content":"be brief"},
		{"role":"user","content":[{"type":"text","text":"hello there"}]}],"stream":true,"temperature":0,"max_tokens":40}`)
	if got != want {
		t.Errorf("engine %q, decoder %q", got, want)
	}
}

func TestSeedDecidesTheText(t *testing.T) {
	c := serveReady(t, nil)
	with := func(more string) string {
		return c.complete("/bench/chat/completions", ask(llamaID, "hi", `,"stream":true,"max_tokens":20`+more))
	}
	if with("") != with(`,"temperature":0.7,"seed":42`) {
		t.Error("the defaults are not temperature 0.7 and seed 42")
	}
	if with(`,"seed":1`) == with(`,"seed":2`) {
		t.Error("seeds 1 and 2 give the same text")
	}
	if with(`,"temperature":0,"seed":1`) != with(`,"temperature":0,"seed":2`) {
		t.Error("at temperature 0 the seed matters")
	}
}

func TestStreamsSideBySideEqualStreamsAlone(t *testing.T) {
	c := serveReady(t, func(config *Config) { config.Workers = 2 })
	var bodies, alone []string
	for i, prompt := range []string{"a", strings.Repeat("long prompt ", 60), "third one", strings.Repeat("x", 300)} {
		bodies = append(bodies, ask(llamaID, prompt, fmt.Sprintf(`,"stream":true,"max_tokens":%d,"temperature":%g,"seed":%d`, 80+40*i, float64(i%2), i)))
		alone = append(alone, c.complete("/bench/chat/completions", bodies[i]))
	}
	if alone[0] == alone[2] || alone[1] == alone[3] {
		t.Error("different prompts gave the same text")
	}
	var all sync.WaitGroup
	for i := range bodies {
		all.Go(func() {
			if got := c.complete("/bench/chat/completions", bodies[i]); got != alone[i] {
				t.Errorf("stream %d beside others: %q, alone %q", i, got, alone[i])
			}
		})
	}
	all.Wait()
}

// begin opens a stream and reads up to its first token; it returns the command
// id.
func (c *client) begin(ctx context.Context, more string) (*bufio.Reader, string) {
	c.t.Helper()
	resp := c.open(ctx, "POST", "/bench/chat/completions", ask(llamaID, "go on", `,"stream":true`+more))
	r := bufio.NewReader(resp.Body)
	for {
		e, ok := nextEvent(c.t, r)
		if !ok {
			c.t.Fatal("stream ended before its first token")
		}
		if e.data != "" {
			return r, at(c.t, parse(c.t, e.data), "id").(string)
		}
	}
}

// endsUnfinished reads a stream to a clean end and checks that nothing marks it
// as complete.
func endsUnfinished(t *testing.T, r *bufio.Reader) {
	t.Helper()
	for {
		e, ok := nextEvent(t, r)
		if !ok {
			return
		}
		if e.data == "[DONE]" || strings.Contains(e.data, "finish_reason") || strings.HasPrefix(e.comment, "generation_stats") {
			t.Errorf("stream goes on with %v", e)
		}
	}
}

// endless makes a completion with no limit of its own last for minutes, so that
// only its being stopped can end it in a test.
func endless(config *Config) { config.Models[0].Shape.Context = 1 << 20 }

func TestCancelEndsAStreamWithoutDone(t *testing.T) {
	c := serveReady(t, endless)
	r, id := c.begin(t.Context(), "")
	if tags := c.runnerTags(); tags[0] != "RunnerRunning" {
		t.Errorf("runner %v while a stream runs", tags)
	}
	if status, body := c.do("POST", "/v1/cancel/"+id, ""); status != 200 || body != `{"message":"Command cancelled.","command_id":"`+id+`"}` {
		t.Errorf("cancel: %d %s", status, body)
	}
	endsUnfinished(t, r)
	c.waitReady()
	c.eventually("the command to go", func() bool { status, _ := c.do("POST", "/v1/cancel/"+id, ""); return status == 404 })
}

func TestDisconnectFreesTheRunner(t *testing.T) {
	c := serveReady(t, endless)
	ctx, leave := context.WithCancel(t.Context())
	_, command := c.begin(ctx, "")
	c.server.mu.Lock()
	task := c.server.commands[command]
	c.server.mu.Unlock()
	leave()
	c.waitReady()
	if len(task.events) == eventRoom {
		t.Error("the task went on until its events had no room")
	}
	c.eventually("the command to go", func() bool { return c.commands() == 0 })
}

func TestDisconnectFreesTheRunnerOfARequestWithoutStream(t *testing.T) {
	c := serveReady(t, endless)
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", c.url+"/bench/chat/completions", strings.NewReader(ask(llamaID, "hi", "")))
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	asking.Go(func() {
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("answered with %s before the client left", resp.Status)
		}
	})
	c.waitRunners("RunnerRunning")
	leave()
	asking.Wait()
	c.waitReady()
	c.eventually("the command to go", func() bool { return c.commands() == 0 })
}

func TestDeleteEndsEveryKindOfRequest(t *testing.T) {
	c := serveReady(t, endless)
	r, _ := c.begin(t.Context(), "")
	var all sync.WaitGroup
	// At temperature 0 this model repeats itself for ever; at the default one
	// it soon ends the sequence where it may.
	for _, path := range []string{"/v1/chat/completions", "/bench/chat/completions"} {
		all.Go(func() {
			status, body := c.do("POST", path, ask(llamaID, "hi", `,"temperature":0`))
			if status != 500 || !strings.Contains(body, "canceled, or its instance deleted") {
				t.Errorf("%s: %d %q, want 500 and why", path, status, body)
			}
		})
	}
	c.eventually("three commands", func() bool { return c.commands() == 3 })
	c.do("DELETE", "/instance/"+c.onlyInstance(), "")
	endsUnfinished(t, r)
	all.Wait()
	c.waitRunners()
	c.eventually("the commands to go", func() bool { return c.commands() == 0 })
}

func TestRequestsBeyondTheLimitWait(t *testing.T) {
	c := serveReady(t, func(config *Config) { endless(config); config.MaxConcurrent = 1 })
	r, id := c.begin(t.Context(), "")
	var all sync.WaitGroup
	all.Go(func() {
		text := c.complete("/bench/chat/completions", ask(llamaID, "later", `,"stream":true,"max_tokens":2`))
		if len(strings.Fields(text)) != 2 {
			t.Errorf("the stream that waited is %q", text)
		}
	})
	runner := c.server.leastLoaded(llamaID)
	c.eventually("a task to wait beside the one that runs", func() bool {
		runner.mu.Lock()
		defer runner.mu.Unlock()
		return len(runner.waiting) == 1 && runner.load == 2
	})
	c.do("POST", "/v1/cancel/"+id, "")
	endsUnfinished(t, r)
	all.Wait()
}

// A client that does not read loses its stream, and nobody waits for it.
func TestSlowStreamIsDropped(t *testing.T) {
	task := newTask(&chat{})
	for range eventRoom {
		task.send(event{text: "x"})
	}
	if task.canceled() {
		t.Fatal("dropped while there was room")
	}
	task.send(event{text: "x"})
	if !task.canceled() {
		t.Error("kept although it is full")
	}
}

func TestPromptBeyondTheContextFails(t *testing.T) {
	c := serveReady(t, func(config *Config) { config.Models[0].Shape.Context = 30 })
	long := strings.Repeat("word ", 40)
	const why = "prompt of 49 tokens leaves no room in a context of 30"
	_, body := c.do("POST", "/bench/chat/completions", ask(llamaID, long, `,"stream":true`))
	want := ": keep-alive\n\ndata: {\"error\":{\"message\":\"" + why + "\",\"type\":\"InternalServerError\",\"code\":500}}\n\ndata: [DONE]\n\n"
	if body != want {
		t.Errorf("stream %q, want %q", body, want)
	}
	if status, body := c.do("POST", "/v1/chat/completions", ask(llamaID, long, "")); status != 500 || !strings.Contains(body, why) {
		t.Errorf("without stream: %d %q", status, body)
	}
	// A prompt that fits is answered up to the end of the context.
	resp := c.open(t.Context(), "POST", "/bench/chat/completions", ask(llamaID, "word", `,"stream":true`))
	all := readEvents(t, resp.Body)
	usage := at(t, parse(t, all[len(all)-3].data), "usage", "total_tokens")
	if usage != 30.0 {
		t.Errorf("total tokens %v, want the context of 30", usage)
	}
}

// At a very high temperature every token is equally likely, the end of sequence
// included.
func TestEndOfSequenceIsBannedInBench(t *testing.T) {
	c := serveReady(t, nil)
	hot := ask(llamaID, "hi", `,"max_tokens":3000,"temperature":1000000`)
	for path, want := range map[string]string{"/v1/chat/completions": "stop", "/bench/chat/completions": "length"} {
		_, body := c.do("POST", path, hot)
		if got := at(t, parse(t, body), "choices", 0, "finish_reason"); got != want {
			t.Errorf("%s finished by %v, want %s", path, got, want)
		}
	}
}

func TestStopStringEndsTheText(t *testing.T) {
	c := serveReady(t, nil)
	hot := `,"max_tokens":20,"stream":true,"temperature":5`
	whole := c.complete("/v1/chat/completions", ask(llamaID, "hi", hot))
	words := strings.Fields(whole)
	stop := words[3] + " " + words[4] // across two tokens
	got := c.complete("/v1/chat/completions", ask(llamaID, "hi", hot+`,"stop":["no such word","`+stop+`"]`))
	if before, _, _ := strings.Cut(whole, stop); got != before+words[3] {
		t.Errorf("text %q; without stop %q, stop %q", got, whole, stop)
	}
}
