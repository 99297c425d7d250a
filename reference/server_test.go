package reference

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench"
)

// event is a data event as a plain reader sees it.
type event struct {
	Due     int64 `json:"due_ns"`
	Emitted int64 `json:"emitted_ns"`
	Choices []struct {
		Delta struct {
			Content string `json:"content"`
		} `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	} `json:"usage"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// answer is a whole response, taken apart with net/http and bufio alone.
type answer struct {
	status   int
	comments []string
	events   []event
	done     bool
	err      error
}

func (a answer) text() string {
	var b strings.Builder
	for _, e := range a.events {
		for _, c := range e.Choices {
			b.WriteString(c.Delta.Content)
		}
	}
	return b.String()
}

func serve(t testing.TB, cfg Config) (*Server, string) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() { web.Close(); s.Close() })
	return s, web.URL
}

const (
	v1    = "/v1/chat/completions"
	bench = "/bench/chat/completions"
)

func ask(url, more string) answer {
	response, err := http.Post(url, "application/json", strings.NewReader(
		`{"model":"m","stream":true,"messages":[{"role":"user","content":"one two three"}]`+more+`}`))
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode}
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, ":"):
			a.comments = append(a.comments, line)
		case line == "data: [DONE]":
			a.done = true
		case strings.HasPrefix(line, "data: "):
			var e event
			if a.err = json.Unmarshal([]byte(line[6:]), &e); a.err != nil {
				return a
			}
			a.events = append(a.events, e)
		}
		if err == io.EOF {
			return a
		}
		if err != nil {
			a.err = err
			return a
		}
	}
}

func TestEventsAreDueOnTheScheduleAndEmittedAfterIt(t *testing.T) {
	t.Parallel()
	const interval = 2 * time.Millisecond
	_, url := serve(t, Config{TTFT: 10 * time.Millisecond, Interval: interval, Tokens: 30})
	before := exobench.Monotonic()
	a := ask(url+bench, "")
	if a.err != nil || len(a.events) != 30 {
		t.Fatalf("%d events, error %v, want 30", len(a.events), a.err)
	}
	if wait := a.events[0].Due - before; wait < int64(10*time.Millisecond) || wait > int64(5*time.Second) {
		t.Errorf("the first event is due %v after the request was sent, want 10 ms after it came", time.Duration(wait))
	}
	for i, e := range a.events {
		if e.Emitted < e.Due || e.Emitted > e.Due+int64(10*time.Second) {
			t.Errorf("event %d is due at %d and emitted at %d", i, e.Due, e.Emitted)
		}
		if i == 0 {
			continue
		}
		if gap := e.Due - a.events[i-1].Due; gap != int64(interval) {
			t.Errorf("event %d is due %v after the one before, want %v", i, time.Duration(gap), interval)
		}
		if e.Emitted <= a.events[i-1].Emitted {
			t.Errorf("event %d was emitted at %d, the one before at %d", i, e.Emitted, a.events[i-1].Emitted)
		}
	}
}

func TestFramingOfExo(t *testing.T) {
	t.Parallel()
	_, url := serve(t, Config{Tokens: 5})
	a := ask(url+bench, "")
	if a.err != nil || !a.done || len(a.events) != 5 {
		t.Fatalf("%d events, done %v, error %v; want 5 and [DONE]", len(a.events), a.done, a.err)
	}
	last := a.events[4]
	if r := last.Choices[0].FinishReason; r == nil || *r != "length" || last.Usage == nil ||
		last.Usage.Completion != 5 || last.Usage.Prompt != 3 || last.Choices[0].Delta.Content != " tok" {
		t.Errorf("the last event is %+v, want text, a finish reason and 3+5 tokens", last)
	}
	if len(a.comments) != 2 || a.comments[0] != ": keep-alive" || !strings.HasPrefix(a.comments[1], ": generation_stats {") {
		t.Errorf("comments %q, want a keep-alive and the statistics", a.comments)
	}
}

func TestFramingOfOpenAI(t *testing.T) {
	t.Parallel()
	_, url := serve(t, Config{Tokens: 5})
	a := ask(url+v1, `,"stream_options":{"include_usage":true}`)
	if a.err != nil || !a.done || len(a.events) != 7 || len(a.comments) != 0 {
		t.Fatalf("%d events, comments %q, done %v, error %v; want 5 and two that end", len(a.events), a.comments, a.done, a.err)
	}
	if r := a.events[5].Choices[0].FinishReason; r == nil || *r != "length" {
		t.Errorf("the finish event is %+v", a.events[5])
	}
	if u := a.events[6].Usage; u == nil || u.Completion != 5 || len(a.events[6].Choices) != 0 {
		t.Errorf("the usage event is %+v", a.events[6])
	}
	if a := ask(url+v1, ""); len(a.events) != 6 {
		t.Errorf("%d events without include_usage, want 6", len(a.events))
	}
}

func TestRequestsOverrideTheServer(t *testing.T) {
	t.Parallel()
	_, url := serve(t, Config{TTFT: time.Hour, Interval: time.Hour, Tokens: 9, PerChunk: 2, PrefillPerToken: time.Hour,
		Errors: Errors{Fault: HTTP500}, Jitter: Jitter{Distribution: Exponential, Size: time.Hour}})
	const calm = `"ttft_ms":0,"interval_ms":0.5,"prefill_per_token_ms":0,"error":"none","jitter":{"distribution":"none"}`
	for _, c := range []struct {
		says, more     string
		events, tokens int
	}{
		{"a schedule of its own", `,"reference":{` + calm + `}`, 5, 9},
		{"max_tokens", `,"max_tokens":4,"reference":{` + calm + `}`, 2, 4},
		{"tokens before max_tokens, and one a chunk", `,"max_tokens":4,"reference":{` + calm + `,"tokens":3,"per_chunk":1}`, 3, 3},
		{"all in one chunk", `,"reference":{` + calm + `,"tokens":3,"per_chunk":8}`, 1, 3},
	} {
		a := ask(url+bench, c.more)
		if got := strings.Count(a.text(), " tok"); len(a.events) != c.events || got != c.tokens || !a.done || a.err != nil {
			t.Errorf("%s: %d events with %d tokens, done %v, error %v; want %d with %d", c.says, len(a.events), got, a.done, a.err, c.events, c.tokens)
			continue
		}
		if len(a.events) > 1 && a.events[1].Due-a.events[0].Due != 500_000 {
			t.Errorf("%s: interval of %d ns, want 0.5 ms", c.says, a.events[1].Due-a.events[0].Due)
		}
	}
}

func TestPrefillTakesItsTimeForEachWord(t *testing.T) {
	t.Parallel()
	_, url := serve(t, Config{Tokens: 1, PrefillPerToken: 20 * time.Millisecond})
	before := exobench.Monotonic()
	a := ask(url+v1, "")
	if len(a.events) == 0 || a.events[0].Due-before < int64(60*time.Millisecond) {
		t.Errorf("events %+v asked for at %d, want the first due 3 × 20 ms later", a.events, before)
	}
}

func TestJitterIsRepeatableAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	_, url := serve(t, Config{Interval: time.Millisecond, Tokens: 20})
	gaps := func(distribution string, seed int) string {
		a := ask(url+bench, fmt.Sprintf(`,"reference":{"jitter":{"distribution":%q,"size_ms":4,"seed":%d}}`, distribution, seed))
		if len(a.events) != 20 {
			t.Errorf("%s: %d events, error %v", distribution, len(a.events), a.err)
			return ""
		}
		var all []int64
		for i, e := range a.events[1:] {
			gap := e.Due - a.events[i].Due
			if gap < 0 {
				t.Errorf("%s: an event is due %d ns before the one in front of it", distribution, -gap)
			}
			all = append(all, gap)
		}
		return fmt.Sprint(all)
	}
	for _, distribution := range []string{"uniform", "exponential"} {
		one, again, other := gaps(distribution, 1), gaps(distribution, 1), gaps(distribution, 2)
		if one != again {
			t.Errorf("%s: the same seed gave %s and %s", distribution, one, again)
		}
		if one == other {
			t.Errorf("%s: two seeds gave the same %s", distribution, one)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s, url := serve(t, Config{Tokens: 6})
	if a := ask(url+bench, `,"reference":{"error":"http_500"}`); a.status != 500 {
		t.Errorf("http_500 gave status %d", a.status)
	}
	a := ask(url+bench, `,"reference":{"error":"stream_error"}`)
	if len(a.events) != 4 || a.events[3].Error == nil || a.err != nil {
		t.Errorf("stream_error gave %+v, error %v", a.events, a.err)
	}
	if a := ask(url+bench, `,"reference":{"error":"truncated"}`); len(a.events) != 3 || a.done || a.err != io.ErrUnexpectedEOF {
		t.Errorf("truncated gave %d events, done %v, error %v", len(a.events), a.done, a.err)
	}
	stalled := make(chan answer)
	go func() { stalled <- ask(url+bench, `,"reference":{"error":"stall"}`) }()
	select {
	case a := <-stalled:
		t.Errorf("stall ended with %d events, done %v, error %v", len(a.events), a.done, a.err)
	case <-time.After(300 * time.Millisecond):
	}
	s.Close()
	if a := <-stalled; len(a.events) != 3 || a.done {
		t.Errorf("stall gave %d events, done %v before its end", len(a.events), a.done)
	}
}

func TestAShareOfTheRequestsGoesWrong(t *testing.T) {
	t.Parallel()
	_, url := serve(t, Config{Tokens: 1, Errors: Errors{Fault: HTTP500, Share: 0.5}})
	wrong := 0
	for range 60 {
		if ask(url+bench, "").status == 500 {
			wrong++
		}
	}
	if wrong < 10 || wrong > 50 {
		t.Errorf("%d of 60 requests went wrong, want about half", wrong)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	_, url := serve(t, Config{})
	for _, more := range []string{
		`,"stream":false`,
		`,"max_tokens":0`,
		`,"max_tokens":-3`,
		`,"reference":{"ttft_ms":-1}`,
		`,"reference":{"ttft_ms":1e300}`,
		`,"reference":{"tfft_ms":1}`,
		`,"reference":{"error":"flood"}`,
		`,"reference":{"jitter":{"distribution":"normal"}}`,
		`,"reference":5`,
		`,"messages":5`,
	} {
		if a := ask(url+v1, more); a.status != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", more, a.status)
		}
	}
}

func TestOtherPaths(t *testing.T) {
	t.Parallel()
	_, url := serve(t, Config{})
	for path, want := range map[string]int{"/v1/models": 200, "/node_id": 404, "/reference/behind": 200} {
		response, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("GET %s: status %d, want %d", path, response.StatusCode, want)
		}
	}
}

func TestManyStreamsAtOnceAreAllWhole(t *testing.T) {
	t.Parallel()
	s, url := serve(t, Config{TTFT: 20 * time.Millisecond, Interval: time.Millisecond, Tokens: 50, Schedulers: 2})
	var streams sync.WaitGroup
	for i := range 200 {
		streams.Go(func() {
			a := ask(url+[]string{v1, bench}[i%2], "")
			if got := strings.Count(a.text(), " tok"); a.err != nil || !a.done || got != 50 {
				t.Errorf("stream %d: %d tokens, done %v, error %v; want 50", i, got, a.done, a.err)
			}
		})
	}
	streams.Wait()
	if b := s.Behind(); b.Events != 200*50 || b.P50 > b.P99 || b.P99 > b.Max || b.Late+b.Aborted != 0 {
		t.Errorf("behind is %+v, want 10000 events in order", b)
	}
	if b := s.Behind(); b.Events != 0 || b.Max != 0 {
		t.Errorf("asked again, behind is %+v, want nothing", b)
	}
}

func TestValidateReportsEverything(t *testing.T) {
	t.Parallel()
	_, err := New(Config{TTFT: -1, Tokens: -1, Jitter: Jitter{Distribution: "x"}, Errors: Errors{Fault: "y", Share: 2}})
	if err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("got %v, want five problems", err)
	}
}

func TestTheBodyOfARequestIsBounded(t *testing.T) {
	_, url := serve(t, Config{TTFT: time.Millisecond, Interval: time.Millisecond, Tokens: 1, PerChunk: 1})
	body := `{"stream":true,"model":"` + strings.Repeat("m", maxBody) + `"}`
	response, err := http.Post(url+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(text), "longer than 16 MiB") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
}
