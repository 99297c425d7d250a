package faults

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"exobench"
)

// The kinds of rows.
const (
	hangs     = "Hangs"
	leads     = "Redirects"
	breaks    = "Connections that break"
	figures   = "Figures that cannot be"
	large     = "Answers without end"
	hostile   = "Texts meant for a terminal"
	refuses   = "Refusals"
	protocols = "Protocols"
)

// All is the table.
var All = []*Row{
	{Kind: hangs, Server: "switches protocols (101) and keeps the connection open", Outcome: exobench.Malformed, Says: "HTTP 101 where an answer was due", Whole: true,
		serve: func(c *Conn) {
			c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n")
			c.hang()
		}},
	{Kind: hangs, Server: "takes the request and never answers", Outcome: exobench.IdleTimeout, Says: "no data came for 300ms (--idle-timeout)", Idle: quiet, Whole: true,
		serve: (*Conn).hang},
	{Kind: hangs, Server: "sends the head of an answer and nothing else", Outcome: exobench.IdleTimeout, Says: "no data came for 300ms", Idle: quiet,
		serve: func(c *Conn) { c.begin(); c.hang() }},
	{Kind: hangs, Server: "stops in mid-stream and keeps the connection open", Outcome: exobench.IdleTimeout, Says: "no data came for 300ms", Idle: quiet,
		serve: begun((*Conn).hang)},
	{Kind: hangs, Server: "sends comments for ever", Outcome: exobench.IdleTimeout, Says: "nothing but keep-alives came for 300ms", Idle: quiet,
		serve: func(c *Conn) { c.begin(); c.forever(": keep-alive\n\n", 20*time.Millisecond) }},
	{Kind: hangs, Server: "sends `event: ping` for ever", Outcome: exobench.IdleTimeout, Says: "nothing but keep-alives came for 300ms", Idle: quiet, Whole: true,
		serve: func(c *Conn) { c.begin(); c.forever("event: ping\ndata: {\"type\":\"ping\"}\n\n", 20*time.Millisecond) }},
	{Kind: hangs, Server: "says 100 (continue) for ever", Outcome: exobench.IdleTimeout, Says: "no data came for 300ms", Idle: quiet,
		serve: func(c *Conn) {
			for c.send("HTTP/1.1 100 Continue\r\n\r\n") {
				time.Sleep(20 * time.Millisecond)
			}
		}},
	{Kind: hangs, Server: "sends an event from time to time and does not end", Outcome: exobench.Timeout, Says: "no complete answer within 500ms (--timeout)", Timeout: 500 * time.Millisecond,
		serve: begun(func(c *Conn) { c.forever(word, 20*time.Millisecond) })},
	{Kind: hangs, Server: "sends the head byte by byte and does not end it", Outcome: exobench.Timeout, Says: "no complete answer within 500ms", Timeout: 500 * time.Millisecond,
		serve: func(c *Conn) {
			for c.send("H") && c.send("TTP/1.1 200 OK\r\nX: ") {
				for c.send("x") {
					time.Sleep(20 * time.Millisecond)
				}
			}
		}},
	{Kind: hangs, Server: "ends the stream and keeps the connection open", Outcome: exobench.OK, Whole: true,
		serve: func(c *Conn) { c.begin(); c.chunk(strings.Join(Good, "")); c.hang() }},
	{Kind: hangs, Server: "refuses with a body that does not end", Outcome: exobench.HTTPError, Says: "HTTP 500: so sorry", Whole: true,
		serve: func(c *Conn) {
			c.send("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
			c.chunk("so sorry")
			c.hang()
		}},

	{Kind: leads, Server: "redirects (307) to another origin", Outcome: exobench.HTTPError, Says: "HTTP 307 redirects to http://", Whole: true, serve: away(307)},
	{Kind: leads, Server: "redirects (308) to another origin", Outcome: exobench.HTTPError, Says: "give that one", serve: away(308)},
	{Kind: leads, Server: "redirects (302) within its origin, which drops the POST", Outcome: exobench.HTTPError, Says: "HTTP 302 redirects to http://",
		serve: refusal(302, "", "Location: "+movedPath)},
	{Kind: leads, Server: "redirects (307) within its origin", Outcome: exobench.OK, Whole: true,
		serve: func(c *Conn) { c.answer(307, "text/plain", "", "Location: "+movedPath, "Connection: close") }},
	{Kind: leads, Server: "redirects (303) to nowhere", Outcome: exobench.HTTPError, Says: "HTTP 303", serve: refusal(303, "")},

	{Kind: breaks, Server: "takes the request on a kept-alive connection, works, and resets it: not sent again", Outcome: exobench.ConnectError, Says: "reset", Whole: true, serve: (*Conn).reset},
	{Kind: breaks, Server: "takes the request and closes the connection: not sent again", Outcome: exobench.ConnectError, Says: "closed the connection without an answer",
		serve: func(c *Conn) { time.Sleep(50 * time.Millisecond) }},
	{Kind: breaks, Server: "closes the connection in mid-stream", Outcome: exobench.Truncated, Says: "closed the connection", Whole: true, serve: begun(func(*Conn) {})},
	{Kind: breaks, Server: "resets the connection in mid-stream", Outcome: exobench.Truncated, Says: "reset", serve: begun((*Conn).reset)},
	{Kind: breaks, Server: "ends the stream well, without a finish reason and without `[DONE]`", Outcome: exobench.Truncated, Says: "without [DONE]", serve: whole(role, word, word)},
	{Kind: breaks, Server: "resets the connection after `[DONE]`", Outcome: exobench.OK,
		serve: func(c *Conn) { c.begin(); c.chunk(strings.Join(Good, "")); c.reset() }},
	{Kind: breaks, Server: "is away for 0.3 s in mid-stream", Outcome: exobench.Truncated, Says: "closed the connection", Whole: true, Away: true,
		serve: begun(func(c *Conn) { go c.server.restart(quiet); c.hang() })},
	{Kind: breaks, Server: "announces a longer body than it sends", Outcome: exobench.Truncated, Says: "closed the connection",
		serve: raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100000\r\n\r\n" + role + word)},

	{Kind: figures, Server: "counts 1.7e308 tokens of prompt", Outcome: exobench.OK, Whole: true,
		serve: whole(role, word, word, word, word, finish, strings.Replace(usage, `"prompt_tokens":7`, `"prompt_tokens":1.7e308`, 1), done)},
	{Kind: figures, Server: "counts 10^12 tokens of output for 4 events", Outcome: exobench.OK, Whole: true,
		serve: whole(role, word, word, word, word, finish, strings.Replace(usage, `"completion_tokens":4`, `"completion_tokens":1000000000000`, 1), done)},
	{Kind: figures, Server: "counts -4 tokens", Outcome: exobench.OK,
		serve: whole(role, word, word, word, word, finish, strings.Replace(usage, `"completion_tokens":4`, `"completion_tokens":-4`, 1), done)},

	{Kind: large, Server: "sends events without end", Outcome: exobench.Malformed, Says: "the answer is over 1088 KiB long, and 4 tokens were asked for", serve: endless(word)},
	{Kind: large, Server: "sends events without end, of thousands of tokens that were asked for", Outcome: exobench.Malformed, Says: "the answer is over 65024 KiB long", MaxTokens: 4000, Whole: true, serve: endless(word)},
	{Kind: large, Server: "sends a line without end", Outcome: exobench.Malformed, Says: "a line of the answer is over 1 MiB long", Whole: true, serve: endless("data: word ")},
	{Kind: large, Server: "sends comments without end and without a pause", Outcome: exobench.Malformed, Says: "the answer is over 1088 KiB long", serve: endless(": keep-alive\n\n")},
	{Kind: large, Server: "sends line ends without end", Outcome: exobench.Malformed, Says: "the answer is over 1088 KiB long", serve: endless("\n")},
	{Kind: large, Server: "sends the text of an error without end", Outcome: exobench.HTTPError, Says: "HTTP 500: so sorry", Whole: true,
		serve: func(c *Conn) {
			c.send("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
			c.forever(strings.Repeat("so sorry ", 6000), 0)
		}},
	{Kind: large, Server: "sends events without end, compressed by gzip", Outcome: exobench.Malformed, Says: "the answer is over 65024 KiB long", MaxTokens: 4000,
		serve: zippedWithoutEnd(200, word)},
	{Kind: large, Server: "sends a line without end, compressed by gzip", Outcome: exobench.Malformed, Says: "a line of the answer is over 1 MiB long",
		serve: zippedWithoutEnd(200, "data: word ")},
	{Kind: large, Server: "sends the text of an error without end, compressed by gzip", Outcome: exobench.HTTPError, Says: "HTTP 500: so sorry",
		serve: zippedWithoutEnd(500, "so sorry ")},
	{Kind: large, Server: "sends the head of an answer without end", Outcome: exobench.Malformed, Says: "the head of the answer is over 256 KiB long",
		serve: func(c *Conn) {
			for c.send("HTTP/1.1 200 OK\r\n"); c.send(strings.Repeat("X-Word: word\r\n", 1000)); {
			}
		}},
	{Kind: large, Server: "says 100 (continue) without end and without a pause", Outcome: exobench.Malformed, Says: "the head of the answer is over 256 KiB long",
		serve: func(c *Conn) {
			for c.send(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000)) {
			}
		}},
	{Kind: large, Server: "sends a header of 20 MiB", Outcome: exobench.Malformed, Says: "the head of the answer is over 256 KiB long",
		serve: func(c *Conn) {
			c.send("HTTP/1.1 200 OK\r\n")
			for i := 0; i < 20<<10 && c.send(fmt.Sprintf("X-%d: %s\r\n", i, strings.Repeat("x", 1000))); i++ {
			}
		}},

	{Kind: hostile, Server: "refuses with escape sequences, marks of direction, HTML and forged lines", Outcome: exobench.HTTPError, Says: "HTTP 500: ", Whole: true,
		serve: func(c *Conn) { c.answer(500, "text/plain", said) }},

	{Kind: refuses, Server: "400 in OpenAI's shape", Outcome: exobench.HTTPError, Says: "HTTP 400: bad prompt", serve: refusal(400, `{"error":{"message":"bad prompt","type":"invalid_request_error"}}`)},
	{Kind: refuses, Server: "401", Outcome: exobench.HTTPError, Says: "HTTP 401: no key", serve: refusal(401, `{"error":"no key"}`)},
	{Kind: refuses, Server: "404 in FastAPI's shape", Outcome: exobench.HTTPError, Says: "HTTP 404: Not Found", serve: refusal(404, `{"detail":"Not Found"}`)},
	{Kind: refuses, Server: "429 with Retry-After", Outcome: exobench.HTTPError, Says: "HTTP 429: slow down", serve: refusal(429, `{"error":{"message":"slow down"}}`, "Retry-After: 1")},
	{Kind: refuses, Server: "503 without a body", Outcome: exobench.HTTPError, Says: "HTTP 503: Service Unavailable", serve: refusal(503, "")},
	{Kind: refuses, Server: "an error in mid-stream and then `[DONE]`", Outcome: exobench.StreamError, Says: "runner died", Whole: true,
		serve: whole(role, word, `data: {"error":{"message":"runner died","code":500}}`+"\n\n", done)},
	{Kind: refuses, Server: "200 without a body", Outcome: exobench.Empty, Says: "no body", serve: func(c *Conn) { c.answer(200, "application/json", "") }},
	{Kind: refuses, Server: "a whole stream without output", Outcome: exobench.Empty, Says: "no output", serve: whole(role, finish, done)},
	{Kind: refuses, Server: "an HTML page", Outcome: exobench.Malformed, Says: "no event stream: <html>", serve: func(c *Conn) { c.answer(200, "text/html", "<html>hello</html>") }},

	{Kind: protocols, Server: "speaks HTTP/2 only", Outcome: exobench.Malformed, Says: "HTTP/2 only", Whole: true,
		serve: raw("\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff")},
	{Kind: protocols, Server: "speaks no HTTP", Outcome: exobench.Malformed, Says: "no HTTP", Whole: true, serve: raw("SSH-2.0-OpenSSH_9.9\r\n")},
	{Kind: protocols, Server: "speaks TLS where plain HTTP was due", Outcome: exobench.Malformed, Says: "no HTTP", serve: raw("\x15\x03\x01\x00\x02\x02\x46")},
	{Kind: protocols, Server: "sends a head that cannot be read", Outcome: exobench.Malformed, Says: "no HTTP", serve: raw("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")},
	{Kind: protocols, Server: "answers with a status that there is not (99)", Outcome: exobench.Malformed, Says: "HTTP 99 where an answer was due", serve: raw("HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n")},
	{Kind: protocols, Server: "sends a chunk whose length cannot be read", Outcome: exobench.Truncated, Says: "chunk",
		serve: func(c *Conn) { c.begin(); c.chunk(role); c.send("zzz\r\n") }},
	{Kind: protocols, Server: "sends JSON in the stream that cannot be read", Outcome: exobench.Malformed, Says: "bad JSON in the stream", serve: whole(role, word, "data: {oops\n\n", done)},
	{Kind: protocols, Server: "compresses by gzip though not asked to", Outcome: exobench.OK, serve: zipped(strings.Join(Good, ""), "gzip")},
	{Kind: protocols, Server: "compresses in a way that cannot be read (br)", Outcome: exobench.Malformed, Says: "encoded by br", serve: zipped(strings.Join(Good, ""), "br")},
}

// away redirects to another origin.
func away(status int) func(c *Conn) {
	return func(c *Conn) {
		c.answer(status, "text/plain", "", "Location: "+c.server.Elsewhere+"/v1/chat/completions")
	}
}

// zippedWithoutEnd answers with a text again and again, by gzip, some hundred
// times as long as what is sent.
func zippedWithoutEnd(status int, text string) func(c *Conn) {
	zip := sync.OnceValue(func() string { return gzipped(strings.Repeat(text, 1<<20/len(text))) })
	return func(c *Conn) {
		c.send(fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", status, http.StatusText(status)))
		c.forever(zip(), 0)
	}
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // into memory
	_ = w.Close()
	return b.String()
}

// zipped answers with a body by gzip that is said to be encoded otherwise.
func zipped(text, encoding string) func(c *Conn) {
	return func(c *Conn) {
		c.answer(200, "text/event-stream", gzipped(text), "Content-Encoding: "+encoding)
	}
}
