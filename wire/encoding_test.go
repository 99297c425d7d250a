package wire

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"exobench"
)

// compressing serves a stream through what open makes, flushed after each part.
func compressing(t *testing.T, encoding string, code int, open func(io.Writer) interface {
	io.WriteCloser
	Flush() error
}, parts ...string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("asked for the encoding %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", encoding)
		w.WriteHeader(code)
		to := open(w)
		for _, part := range parts {
			io.WriteString(to, part)
			to.Flush()
			w.(http.Flusher).Flush()
			time.Sleep(2 * ms) // so that they come in reads of their own
		}
		to.Close()
	}))
	t.Cleanup(server.Close)
	return server.URL
}

type compressor = interface {
	io.WriteCloser
	Flush() error
}

func openGzip(w io.Writer) compressor { return gzip.NewWriter(w) }
func openZlib(w io.Writer) compressor { return zlib.NewWriter(w) }

func TestACompressedStreamIsRead(t *testing.T) {
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	for encoding, open := range map[string]func(io.Writer) compressor{"gzip": openGzip, "X-GZIP": openGzip, "deflate": openZlib} {
		url := compressing(t, encoding, 200, open, content("a"), content("b"), content("c"), finish, usageOnly, terminate)
		r := client.Do(t.Context(), Call{URL: url, Body: []byte("{}"), Timeout: 20 * time.Second})
		if r.Outcome != exobench.OK || len(r.Chunks) != 3 || r.Chunks[0].At == r.Chunks[2].At {
			t.Errorf("%s: outcome %s %s, chunks %v", encoding, r.Outcome, r.Error, r.Chunks)
		}
		if len(r.Doubts) != 1 || r.Doubts[0] != (exobench.Doubt{Kind: exobench.Compressed, Text: strings.ToLower(encoding)}) {
			t.Errorf("%s: doubts %+v", encoding, r.Doubts)
		}
		checkOrder(t, &r)
	}
}

func TestACompressedErrorIsRead(t *testing.T) {
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	url := compressing(t, "gzip", 404, openGzip, `{"error":{"message":"No instance found"}}`)
	if r := client.Do(t.Context(), Call{URL: url, Timeout: 20 * time.Second}); r.Outcome != exobench.HTTPError || r.Error != "HTTP 404: No instance found" {
		t.Errorf("outcome %s %q", r.Outcome, r.Error)
	}
}

func TestWhatCannotBeDecodedIsNamedAndNotShown(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	io.WriteString(w, content("a")+content("b")+finish+terminate)
	w.Close()
	damaged := bytes.Clone(packed.Bytes())
	damaged[len(damaged)/2] ^= 0xff
	answer := func(encoding string, body []byte) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%sContent-Length: %d\r\n\r\n%s", encoding, len(body), body)
	}
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	for _, c := range []struct {
		name, answer, text string
		want               exobench.Outcome
	}{
		{"br", answer("Content-Encoding: br\r\n", []byte("\x1b\x00")), "encoded by br", exobench.Malformed},
		{"zstd", answer("Content-Encoding: zstd\r\n", []byte("\x28\xb5")), "encoded by zstd", exobench.Malformed},
		{"damaged", answer("Content-Encoding: gzip\r\n", damaged), "gzip, and is damaged", exobench.Malformed},
		{"not gzip at all", answer("Content-Encoding: gzip\r\n", []byte(content("a")+finish+terminate)), "gzip, and is damaged", exobench.Malformed},
		{"cut off", answer("Content-Encoding: gzip\r\n", packed.Bytes()[:packed.Len()/2]), "", exobench.Truncated},
		{"nothing", answer("Content-Encoding: gzip\r\n", nil), "no body", exobench.Empty},
		{"gzip that is not called so", answer("", packed.Bytes()), "binary data", exobench.Malformed},
	} {
		r := client.Do(t.Context(), Call{URL: rawServer(t, c.answer, false), Body: []byte("{}"), Timeout: 20 * time.Second})
		if r.Outcome != c.want || !strings.Contains(r.Error, c.text) {
			t.Errorf("%s: outcome %s %q, want %s and %q", c.name, r.Outcome, r.Error, c.want, c.text)
		}
		for _, b := range r.Error {
			if b < ' ' || b == '\ufffd' {
				t.Errorf("%s: %q", c.name, r.Error)
			}
		}
	}
}
