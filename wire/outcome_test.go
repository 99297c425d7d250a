package wire

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/internal/rawserver"
)

// rawServer answers each connection's request with the bytes given and closes
// the connection, with a reset where reset is set. It returns its URL.
func rawServer(t *testing.T, answer string, reset bool) string {
	t.Helper()
	return "http://" + rawserver.Start(t, func(c *net.TCPConn) { serveRaw(c, answer, reset) }) + "/v1/chat/completions"
}

func serveRaw(c *net.TCPConn, answer string, reset bool) {
	defer c.Close()
	request, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	buf := make([]byte, request.ContentLength)
	request.Body.Read(buf)
	c.Write([]byte(answer))
	if reset {
		time.Sleep(50 * time.Millisecond)
		c.SetLinger(0)
	}
}

const streamHead = "HTTP/1.1 200 \r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n"

// chunked makes a complete chunked answer of one chunk per part.
func chunked(parts ...string) string {
	var b strings.Builder
	b.WriteString(streamHead + "Transfer-Encoding: chunked\r\n\r\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(p), p)
	}
	return b.String() + "0\r\n\r\n"
}

func status(code int, kind, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d \r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", code, kind, len(body), body)
}

func TestOutcomes(t *testing.T) {
	stats := `: generation_stats {"prompt_tps":50.5,"generation_tps":9.25,"prompt_tokens":12,"generation_tokens":2,"peak_memory_usage":{"in_bytes":77},"prefix_cache_hit":"none"}` + "\n\n"
	for _, c := range []struct {
		name   string
		answer string
		reset  bool
		exact  exobench.Tokens
		want   exobench.Outcome
		text   string // in the error
	}{
		{name: "a whole stream", answer: chunked(content("a"), content("b"), finish, terminate), want: exobench.OK},
		{name: "a stream with exo's comments", answer: chunked(": keep-alive\n\n", content("a"), content("b"), finish, stats, terminate), want: exobench.OK, exact: 2},
		{name: "CRLF line ends", answer: chunked(strings.ReplaceAll(content("a")+finish+terminate, "\n", "\r\n")), want: exobench.OK},
		{name: "no space after data:", answer: chunked(strings.ReplaceAll(content("a")+finish+terminate, "data: ", "data:")), want: exobench.OK},
		{name: "no newline after the last line", answer: chunked(content("a"), finish, "data: [DONE]"), want: exobench.OK},
		{name: "the connection breaks after [DONE]", answer: strings.TrimSuffix(chunked(content("a"), finish, terminate), "0\r\n\r\n"), want: exobench.OK},
		{name: "an end without [DONE], as after exo's DELETE", answer: chunked(content("a"), content("b")), want: exobench.Truncated, text: "without [DONE]"},
		{name: "an end in mid-line", answer: chunked(content("a"), content("b")[:30]), want: exobench.Truncated, text: "without [DONE]"},
		{name: "a closed connection in mid-chunk", answer: strings.TrimSuffix(chunked(content("a")), "0\r\n\r\n"), want: exobench.Truncated, text: "closed the connection"},
		{name: "a reset in mid-stream", answer: strings.TrimSuffix(chunked(content("a")), "0\r\n\r\n"), reset: true, want: exobench.Truncated, text: "reset"},
		{name: "a reset before any answer", answer: "", reset: true, want: exobench.ConnectError, text: "reset"},
		{name: "a close before any answer", answer: "", want: exobench.ConnectError, text: "closed the connection"},
		{name: "an error object in the stream, then [DONE]", answer: chunked(content("a"), `data: {"error":{"message":"runner  died","type":"InternalServerError","code":500}}`+"\n\n", terminate), want: exobench.StreamError, text: "runner died"},
		{name: "an error object where a stream was due", answer: status(200, "application/json", `{"error":{"message":"busy"}}`), want: exobench.StreamError, text: "busy"},
		{name: "200 with an empty body", answer: status(200, "application/json", ""), want: exobench.Empty, text: "no body"},
		{name: "a stream without output", answer: chunked(roleOnly, content(""), finish, terminate), want: exobench.Empty, text: "no output"},
		{name: "fewer tokens than an engine was told to write", answer: chunked(content("a"), content("b"), finish, usageOnly, terminate), exact: 5, want: exobench.Short, text: "4 tokens came, 5 were asked for"},
		{name: "HTML with 200", answer: status(200, "text/html", "<html>hello</html>"), want: exobench.Malformed, text: "no event stream: <html>hello"},
		{name: "a whole answer where a stream was due", answer: status(200, "application/json", `{"choices":[{"message":{"content":"x"}}]}`), want: exobench.OK},
		{name: "other JSON where a stream was due", answer: status(200, "application/json", `{"status":"ok"}`), want: exobench.Malformed, text: "no event stream"},
		{name: "bad JSON in the stream", answer: chunked(content("a"), "data: {oops\n\n", terminate), want: exobench.Malformed, text: "{oops"},
		{name: "404 in exo's shape", answer: status(404, "application/json", `{"error":{"message":"No instance found for model x","type":"Not Found","param":null,"code":404}}`), want: exobench.HTTPError, text: "HTTP 404: No instance found for model x"},
		{name: "422 in FastAPI's shape", answer: status(422, "application/json", `{"detail":[{"type":"missing","loc":["body","model"],"msg":"Field required","input":{}}]}`), want: exobench.HTTPError, text: "HTTP 422: body.model: Field required"},
		{name: "404 of an unknown route", answer: status(404, "application/json", `{"detail":"Not Found"}`), want: exobench.HTTPError, text: "HTTP 404: Not Found"},
		{name: "500 in plain text", answer: status(500, "text/plain", "Internal Server Error"), want: exobench.HTTPError, text: "HTTP 500: Internal Server Error"},
		{name: "503 without a body", answer: status(503, "text/plain", ""), want: exobench.HTTPError, text: "HTTP 503: Service Unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := NewClient(Config{Clock: exobench.NewClock()})
			defer client.Close()
			r := client.Do(t.Context(), Call{URL: rawServer(t, c.answer, c.reset), Body: []byte(`{"x":1}`), Exact: c.exact, Timeout: 20 * time.Second})
			if r.Outcome != c.want || !strings.Contains(r.Error, c.text) {
				t.Errorf("outcome %q, error %q; want %q and an error with %q", r.Outcome, r.Error, c.want, c.text)
			}
			if (r.Outcome == exobench.OK) != (r.Error == "") || !r.Sent.Reached() || !r.Ended.Reached() {
				t.Errorf("error %q, sent %d, ended %d", r.Error, r.Sent, r.Ended)
			}
		})
	}
}

func TestNothingListeningIsAConnectError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	client := NewClient(Config{Clock: exobench.NewClock()})
	r := client.Do(t.Context(), Call{URL: "http://" + listener.Addr().String()})
	if r.Outcome != exobench.ConnectError || !strings.Contains(r.Error, "refused") {
		t.Errorf("outcome %s, error %q", r.Outcome, r.Error)
	}
}

func TestStatisticsInEitherCasing(t *testing.T) {
	for _, key := range []string{"in_bytes", "inBytes"} {
		answer := chunked(content("a"), content("b"), finish,
			`: generation_stats {"prompt_tps":50.5,"generation_tps":9.25,"prompt_tokens":12,"generation_tokens":2,"peak_memory_usage":{"`+key+`":77},"prefix_cache_hit":"partial"}`+"\n\n", terminate)
		client := NewClient(Config{Clock: exobench.NewClock()})
		r := client.Do(t.Context(), Call{URL: rawServer(t, answer, false)})
		s := r.Server
		if s == nil || *s.PrefillTPS != 50.5 || *s.DecodeTPS != 9.25 || *s.PeakMemory != 77 || s.PrefixCache != "partial" {
			t.Fatalf("%s: server statistics %+v", key, s)
		}
		if *r.OutputTokens != 2 || r.TokensFrom != exobench.FromStats || *r.PromptTokens != 12 {
			t.Errorf("%s: %d output tokens from %s, %d prompt tokens", key, *r.OutputTokens, r.TokensFrom, *r.PromptTokens)
		}
	}
}

func TestALineLongerThanAnyBufferIsRead(t *testing.T) {
	long := strings.Repeat("wörd ", 60_000)
	client := NewClient(Config{Clock: exobench.NewClock()})
	r := client.Do(t.Context(), Call{URL: rawServer(t, chunked(content(long), content("b"), finish, terminate), false)})
	if r.Outcome != exobench.OK || len(r.Chunks) != 2 || r.Chunks[0].Bytes != len(long) {
		t.Errorf("outcome %s %s, %d chunks", r.Outcome, r.Error, len(r.Chunks))
	}
}

func TestRecordedEndsOfARealExo(t *testing.T) {
	for _, c := range []struct {
		file, text string
		want       exobench.Outcome
	}{
		{"exo-runner-failed.sse", "Artificial runner exception", exobench.StreamError},
		{"exo-cancelled.sse", "without [DONE]", exobench.Truncated},
	} {
		text, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		client := NewClient(Config{Clock: exobench.NewClock()})
		r := client.Do(t.Context(), Call{URL: rawServer(t, chunked(string(text)), false)})
		if r.Outcome != c.want || !strings.Contains(r.Error, c.text) {
			t.Errorf("%s: outcome %s %s, want %s", c.file, r.Outcome, r.Error, c.want)
		}
	}
}

func TestRecordedStreamsOfRealServers(t *testing.T) {
	for _, c := range []struct {
		file                   string
		chunks, output, prompt int
		from                   exobench.TokensFrom
	}{
		// llama-server holds incomplete characters back: 8 tokens, 7 chunks.
		{"llama-server-usage.sse", 7, 8, 1215, exobench.FromUsage},
		{"ollama-openai.sse", 6, 6, 19, exobench.FromUsage},
		// exo v1 with a tiny model of random weights: 11 of 64 tokens are held back.
		{"exo-bench.sse", 53, 64, 31, exobench.FromUsage},
		{"exo-v1.sse", 53, 64, 31, exobench.FromUsage},
	} {
		text, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		client := NewClient(Config{Clock: exobench.NewClock()})
		r := client.Do(t.Context(), Call{URL: rawServer(t, chunked(string(text)), false)})
		if r.Outcome != exobench.OK || len(r.Chunks) != c.chunks || int(*r.OutputTokens) != c.output || r.TokensFrom != c.from || int(*r.PromptTokens) != c.prompt {
			t.Errorf("%s: outcome %s %s, %d chunks, %d tokens from %s, %d prompt tokens", c.file, r.Outcome, r.Error, len(r.Chunks), *r.OutputTokens, r.TokensFrom, *r.PromptTokens)
		}
	}
}
