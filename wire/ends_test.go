package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

// bubble runs the test on virtual time with a client whose connections serve
// handles, each for itself; it ends a connection by returning.
func bubble(t *testing.T, serve func(c net.Conn), test func(t *testing.T, client *Client)) {
	synctest.Test(t, func(t *testing.T) {
		client := NewClient(Config{Clock: exobench.NewClock(), Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				serve(far)
			}()
			return near, nil
		}})
		test(t, client)
		client.Close()
		time.Sleep(time.Hour) // in which whatever was left over ends
	})
}

// asks reads a request and reports whether there was one.
func asks(r *bufio.Reader) bool {
	request, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	io.Copy(io.Discard, request.Body)
	return true
}

func TestAStreamIsOverAtItsTerminator(t *testing.T) {
	for _, c := range []struct {
		name, last string
		dialect    Dialect
	}{
		{"[DONE]", terminate, OpenAI{}},
		{"[DONE] without its line end", "data: [DONE]", OpenAI{}},
		{"[DONE] with CR", "data:[DONE]\r", OpenAI{}},
		{"legacy exo's finish reason", "", LegacyExo{}},
		{"Ollama's last line", ended("stop", fourTokens), Ollama{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve := func(conn net.Conn) {
				if !asks(bufio.NewReader(conn)) {
					return
				}
				time.Sleep(100 * ms)
				text := strings.Repeat(content("a"), 4) + finish
				if c.dialect == (Dialect)(Ollama{}) {
					text = strings.Repeat(said("a"), 4)
				}
				io.WriteString(conn, chunkedHead+httpChunkOf(text))
				time.Sleep(200 * ms)
				if c.last != "" {
					io.WriteString(conn, httpChunkOf(c.last))
				}
				io.Copy(io.Discard, conn) // until the client hangs up
			}
			bubble(t, serve, func(t *testing.T, client *Client) {
				began := time.Now()
				for range 4 {
					r := client.Do(t.Context(), Call{URL: "http://engine/v1", Dialect: c.dialect, Body: []byte("{}"), Idle: time.Minute})
					if r.Outcome != exobench.OK || len(r.Chunks) < 4 || r.Ended.Sub(r.Sent) > 300*ms {
						t.Errorf("outcome %s %s, %d chunks, ended after %v", r.Outcome, r.Error, len(r.Chunks), r.Ended.Sub(r.Sent))
					}
				}
				if wall := time.Since(began); wall > 4*300*ms+4*leaveTime {
					t.Errorf("four requests took %v", wall)
				}
			})
		})
	}
}

const chunkedHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

func httpChunkOf(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(chunked(text), streamHead+"Transfer-Encoding: chunked\r\n\r\n"), "0\r\n\r\n")
}

func TestAConnectionIsUsedAgainWhereTheBodyEnds(t *testing.T) {
	var conns atomic.Int64
	serve := func(conn net.Conn) {
		conns.Add(1)
		for r := bufio.NewReader(conn); asks(r); {
			io.WriteString(conn, chunkedHead+httpChunkOf(content("a")+finish+terminate))
			time.Sleep(ms) // the end of the body comes by itself
			io.WriteString(conn, "0\r\n\r\n")
		}
	}
	bubble(t, serve, func(t *testing.T, client *Client) {
		for range 5 {
			if r := client.Do(t.Context(), Call{URL: "http://engine/v1", Body: []byte("{}")}); r.Outcome != exobench.OK {
				t.Errorf("outcome %s %s", r.Outcome, r.Error)
			}
		}
		if n := conns.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestLifeIsData(t *testing.T) {
	for _, c := range []struct {
		name, text string
		dialect    Dialect
		alive      bool
	}{
		{"a comment", ": keep-alive\n\n", OpenAI{}, false},
		{"an empty comment", ":\n\n", OpenAI{}, false},
		{"the name of an event", "event: ping\n\n", OpenAI{}, false},
		{"an event that is a ping", "event: ping\ndata: {\"type\": \"ping\"}\n\n", OpenAI{}, false},
		{"other fields", "id: 5\nretry: 10\n\n", OpenAI{}, false},
		{"empty lines", "\r\n\n\r", OpenAI{}, false},
		{"empty data", "data:\n\n", OpenAI{}, false},
		{"a role", roleOnly, OpenAI{}, true},
		{"data by CR", strings.ReplaceAll(roleOnly, "\n", "\r"), OpenAI{}, true},
		{"exo's prefill", exoPrefill(1, 2), OpenAI{}, true},
		{"legacy exo's data", roleOnly, LegacyExo{}, true},
		{"legacy exo's comment", ": x\n\n", LegacyExo{}, false},
		{"Ollama's lines", said(""), Ollama{}, true},
		{"Ollama's empty lines", "\n", Ollama{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve := func(conn net.Conn) {
				asks(bufio.NewReader(conn))
				io.WriteString(conn, chunkedHead)
				for range 30 {
					time.Sleep(10 * time.Second)
					for i := range c.text { // each byte in a read of its own
						io.WriteString(conn, httpChunkOf(c.text[i:i+1]))
					}
				}
			}
			bubble(t, serve, func(t *testing.T, client *Client) {
				r := client.Do(t.Context(), Call{URL: "http://engine/v1", Dialect: c.dialect, Idle: time.Minute})
				if dead := r.Outcome == exobench.IdleTimeout; dead == c.alive || dead && r.Error != "nothing but keep-alives came for 1m0s (--idle-timeout)" {
					t.Errorf("outcome %s %s after %v", r.Outcome, r.Error, r.Ended.Sub(r.Sent))
				}
			})
		})
	}
}

func TestSwitchedProtocolsEndAtOnce(t *testing.T) {
	serve := func(conn net.Conn) {
		asks(bufio.NewReader(conn))
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n")
		io.Copy(io.Discard, conn)
	}
	bubble(t, serve, func(t *testing.T, client *Client) {
		r := client.Do(t.Context(), Call{URL: "http://engine/v1", Body: []byte("{}")})
		if r.Outcome != exobench.Malformed || r.Error != "HTTP 101 where an answer was due" || r.Ended != r.Sent {
			t.Errorf("outcome %s %q after %v", r.Outcome, r.Error, r.Ended.Sub(r.Sent))
		}
	})
}

func TestTheBodyOfAnErrorIsBounded(t *testing.T) {
	for _, c := range []struct {
		name string
		body func(c io.Writer)
	}{
		{"it has no end", func(c io.Writer) {
			for {
				if _, err := io.WriteString(c, httpChunkOf(strings.Repeat("so sorry ", 1000))); err != nil {
					return
				}
			}
		}},
		{"it does not close", func(c io.Writer) {
			io.WriteString(c, httpChunkOf("so sorry "))
			time.Sleep(time.Hour)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve := func(conn net.Conn) {
				asks(bufio.NewReader(conn))
				io.WriteString(conn, strings.Replace(chunkedHead, "200 OK", "500 Oh", 1))
				c.body(conn)
			}
			bubble(t, serve, func(t *testing.T, client *Client) {
				r := client.Do(t.Context(), Call{URL: "http://engine/v1"})
				if r.Outcome != exobench.HTTPError || !strings.HasPrefix(r.Error, "HTTP 500: so sorry") || r.Ended.Sub(r.Sent) > errorBodyTime {
					t.Errorf("outcome %s %q after %v", r.Outcome, r.Error, r.Ended.Sub(r.Sent))
				}
			})
		})
	}
}

func TestHTTP2AloneIsSaidInASentence(t *testing.T) {
	const settings = "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff"
	withCertificate := httptest.NewTLSServer(nil)
	defer withCertificate.Close()
	secure := func(protocol string) string {
		listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: withCertificate.TLS.Certificates, NextProtos: []string{protocol}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				io.WriteString(c, settings) // shakes hands before
				c.Close()
			}
		}()
		return "https://" + listener.Addr().String()
	}
	client := NewClient(Config{Clock: exobench.NewClock(), Insecure: true})
	defer client.Close()
	for name, url := range map[string]string{
		"in the clear": rawServer(t, settings, false), "over TLS": secure("h2"), "refused by TLS": secure("h3"),
	} {
		r := client.Do(t.Context(), Call{URL: url, Body: []byte("{}"), Timeout: 20 * time.Second})
		if r.Outcome != exobench.Malformed || !strings.Contains(r.Error, "HTTP/2 only") {
			t.Errorf("%s: outcome %s %q", name, r.Outcome, r.Error)
		}
	}
}

func TestRubbishIsNoHTTP(t *testing.T) {
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	for _, answer := range []string{"SSH-2.0-OpenSSH_9.9\r\n", "\x1b]0;title\x07\xff\xfe\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"} {
		r := client.Do(t.Context(), Call{URL: rawServer(t, answer, false), Body: []byte("{}"), Timeout: 20 * time.Second})
		if r.Outcome != exobench.Malformed || !strings.Contains(r.Error, "no HTTP") || strings.ContainsAny(r.Error, "\x1b\x07\xff") {
			t.Errorf("%q: outcome %s %q", answer, r.Outcome, r.Error)
		}
	}
}
