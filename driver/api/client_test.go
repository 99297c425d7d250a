package api

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exobench/internal/rawserver"
)

// dial returns a client of the server.
func dial(t *testing.T, c Config, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c.URL = server.URL + c.URL
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// dialRaw returns a client of something that answers each request with the
// text and then holds the connection open.
func dialRaw(t *testing.T, c Config, answer string) *Client {
	t.Helper()
	c.URL = "http://" + rawserver.Start(t, func(connection *net.TCPConn) {
		defer connection.Close()
		requests := bufio.NewReader(connection)
		for {
			if _, err := http.ReadRequest(requests); err != nil {
				return
			}
			io.WriteString(connection, answer)
		}
	})
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// wantError checks that the error is one line with all the parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range append(parts, "") {
		if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q", err, part)
		}
	}
}

func TestACallSendsItsBodyAndHeadersAndReadsTheAnswer(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Gateway": {"a"}, "Authorization": {"Bearer k"}}
	client := dial(t, Config{URL: "/gate/v1/?version=2", Header: header}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"got":%q}`, fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Header.Get("X-Gateway"), " ",
			r.Header.Get("Content-Type"), " ", string(body)))
	})
	var answer struct{ Got string }
	if err := client.Call(t.Context(), http.MethodPost, "/models"+Path("a/b", "..")+"?full=1", Ask("m", "<hi>"), &answer); err != nil {
		t.Fatal(err)
	}
	want := `POST /gate/models/a%2Fb/..?version=2&full=1 a application/json {"model":"m","messages":[{"role":"user","content":"<hi>"}],"stream":true}`
	if answer.Got != want {
		t.Errorf("the server got\n%s\nwant\n%s", answer.Got, want)
	}
	if len(header) != 2 {
		t.Errorf("the header given was changed: %v", header)
	}
}

func TestWhatIsNoUsableAnswerIsAnErrorInOneLine(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, row := range []struct {
		claim, answer string
		says          string
		answered      bool
		passing       bool
	}{
		{"a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "HTTP 101 where an answer was due", true, false},
		{"a switch of protocols that names none", "HTTP/1.1 101 \r\n\r\n", "HTTP 101 where an answer was due", true, false},
		{"no HTTP", "SSH-2.0-OpenSSH_9.6\r\n\r\n", `malformed HTTP`, false, true},
		{"binary rubbish", "\x15\x03\x01\x00\x02\x02\x28\n\n", "malformed HTTP", false, true},
		{"a body that breaks off", ok + "Content-Length: 10\r\nConnection: close\r\n\r\n{", "no answer in time", false, true},
		{"a body with no end", ok + "\r\n{", "no answer in time", false, true},
		{"silence", "", "no answer in time", false, true},
		{"headers with no end", ok + "A: b\r\n", "no answer in time", false, true},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", "the answer is empty", true, true},
		{"a web page", ok + "Content-Length: 8\r\n\r\n<html>..", "an HTML page", true, true},
		{"another shape", ok + "Content-Length: 3\r\n\r\n[1]", "the answer is not what was expected: json: cannot", true, true},
		{"a key that is wanted", "HTTP/1.1 401 \r\nContent-Length: 0\r\n\r\n", "HTTP 401: unauthorized; where it wants an API key", true, false},
		{"a gateway without a server", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "HTTP 502: bad gateway", true, true},
	} {
		t.Run(row.claim, func(t *testing.T) {
			t.Parallel()
			client := dialRaw(t, Config{Timeout: 200 * time.Millisecond}, row.answer)
			var object struct{ A int }
			err := client.Get(t.Context(), "/x?secret=1", &object)
			wantError(t, err, "GET "+client.Base()+"/x: ", row.says)
			if Answered(err) != row.answered || Passing(err) != row.passing {
				t.Errorf("answered %v, passing %v: want %v, %v", Answered(err), Passing(err), row.answered, row.passing)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			for _, lost := range client.Lines(ctx, http.MethodGet, "/x", nil) {
				if Status(lost) != Status(err) {
					t.Errorf("read by lines: %v", lost)
				}
				break // of a body with no end
			}
		})
	}
}

func TestACallThatWouldTurnIntoAGetIsRefused(t *testing.T) {
	t.Parallel()
	client := dial(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "http://u:secret@there/place", http.StatusFound)
		case "/moves":
			http.Redirect(w, r, "/here", http.StatusTemporaryRedirect)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusTemporaryRedirect)
		default:
			fmt.Fprintf(w, "%q", r.Method)
		}
	})
	var method string
	if err := client.Call(t.Context(), http.MethodPost, "/moves", []byte("{}"), &method); err != nil || method != "POST" {
		t.Errorf("a redirect that keeps the method: %q, %v", method, err)
	}
	err := client.Call(t.Context(), http.MethodPost, "/moved", nil, nil)
	wantError(t, err, "/moved: HTTP 302 redirects to http://there/place: give that one")
	wantError(t, client.Get(t.Context(), "/round", nil), "stopped after 10 redirects")
}

func TestNoHeaderOfTheUserLeavesTheOriginThatWasNamed(t *testing.T) {
	t.Parallel()
	var astray atomic.Int64
	other := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { astray.Add(1) })
	plain, secure := httptest.NewServer(other), httptest.NewTLSServer(other)
	defer plain.Close()
	defer secure.Close()
	header := http.Header{"Authorization": {"Bearer key"}, "Cookie": {"a=key"}, "X-Key": {"key"}}
	for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			for _, to := range []string{plain.URL, secure.URL, strings.Replace(plain.URL, "127.0.0.1", "localhost", 1)} {
				server := start(http.RedirectHandler(strings.Replace(to, "//", "//me:secret@", 1)+"/v1/models", code))
				client, err := New(Config{URL: server.URL, Header: header, Insecure: true})
				if err != nil {
					t.Fatal(err)
				}
				says := fmt.Sprintf("HTTP %d redirects to %s/v1/models: give that one", code, to)
				wantError(t, client.Get(t.Context(), "/models", nil), says)
				wantError(t, client.Call(t.Context(), http.MethodPost, "/chat", []byte("{}"), nil), says)
				for _, err := range client.Lines(t.Context(), http.MethodPost, "/chat", nil) {
					wantError(t, err, says)
				}
				client.Close()
				server.Close()
			}
		}
	}
	if n := astray.Load(); n > 0 {
		t.Errorf("%d calls went to another origin", n)
	}
}

func TestARedirectOfTheSameOriginKeepsTheHeadersAndTheUser(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			http.Redirect(w, r, "/second", http.StatusPermanentRedirect)
			return
		}
		user, password, _ := r.BasicAuth()
		fmt.Fprintf(w, "%q", r.URL.Path+" "+r.Header.Get("X-Key")+" "+user+" "+password)
	}))
	defer server.Close()
	client, err := New(Config{URL: strings.Replace(server.URL, "//", "//me:word@", 1), Header: http.Header{"X-Key": {"key"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var got string
	if err := client.Get(t.Context(), "/first", &got); err != nil || got != "/second key me word" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAServerOfHTTP2OnlyIsToldOf(t *testing.T) {
	t.Parallel()
	const says = "speaks HTTP/2 only; exobench needs HTTP/1.1"
	// Of "h2" alone, Go's own TLS would let a client of HTTP/1.1 in.
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{NextProtos: []string{"h3"}}
	server.StartTLS()
	defer server.Close()
	client, err := New(Config{URL: server.URL, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, client.Get(t.Context(), "/", nil), says)
	// The first frames of a server without TLS.
	plain := dialRaw(t, Config{}, "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff\n\n")
	wantError(t, plain.Get(t.Context(), "/", nil), says)
}

func TestOfARefusalTheBeginningWillDo(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	endless := dial(t, Config{Timeout: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for block := []byte(strings.Repeat("no. ", 1<<12)); ; {
			n, err := w.Write(block)
			if written.Add(int64(n)); err != nil {
				return
			}
		}
	})
	err := endless.Get(t.Context(), "/", nil)
	wantError(t, err, "HTTP 500: no. no. ")
	refused, _ := errors.AsType[*StatusError](err)
	if len(refused.Body) != maxRefusal {
		t.Errorf("%d bytes of it were kept", len(refused.Body))
	}
	broken := dialRaw(t, Config{Timeout: 200 * time.Millisecond}, "HTTP/1.1 404 \r\nContent-Length: 99\r\n\r\nnot here")
	wantError(t, broken.Get(t.Context(), "/", nil), "HTTP 404: not here")
	headers := dialRaw(t, Config{Timeout: time.Minute}, "HTTP/1.1 200 OK\r\nA: "+strings.Repeat("a", 2*maxHeader)+"\r\n\r\n")
	wantError(t, headers.Get(t.Context(), "/", nil), "exceeded")
}

func TestHowLongToWaitIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"0": 0, "3": 3 * time.Second, " 1.5": 1500 * time.Millisecond, "Fri, 31 Dec 1999 23:59:59 GMT": 0} {
		e := &StatusError{Header: http.Header{"Retry-After": {text}}}
		if got, ok := e.RetryAfter(); got != want || !ok {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "soon", "-1", "NaN", "1e300"} {
		e := &StatusError{Header: http.Header{"Retry-After": {text}}}
		if got, ok := e.RetryAfter(); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestWhyNothingAnswersIsSaidInAFewWords(t *testing.T) {
	t.Parallel()
	client := dialRaw(t, Config{}, "")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	err := client.Get(cancelled, "/", nil)
	wantError(t, err, ": cancelled")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
	wantError(t, client.Within(time.Millisecond).Get(t.Context(), "/", nil), ": no answer in time")
	server := httptest.NewServer(http.NotFoundHandler())
	gone, err := New(Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	err = gone.Get(t.Context(), "/", nil)
	wantError(t, err, "connection refused")
	if !Refused(err) || Answered(err) || !Passing(err) {
		t.Errorf("%v: refused %v, answered %v, passing %v", err, Refused(err), Answered(err), Passing(err))
	}
}

func TestAnAnswerOfAnySizeEnds(t *testing.T) {
	t.Parallel()
	client := dial(t, Config{Timeout: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<20)
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	wantError(t, client.Get(t.Context(), "/", nil), "longer than 16 MiB")
}

// What is short as text may be long once it is read.
func TestAnAnswerOfVeryManyValuesIsRefused(t *testing.T) {
	t.Parallel()
	client := dial(t, Config{Timeout: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"data":[`+strings.Repeat(`{},`, 2*maxValues)+`{}]}`)
	})
	wantError(t, client.Get(t.Context(), "/", nil), "more than 250000 values")
}

func TestLinesComeAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	next := make(chan string)
	client := dial(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		for line := range next {
			io.WriteString(w, line)
			w.(http.Flusher).Flush()
		}
	})
	go func() { next <- "first\r\n" }()
	var lines []string
	for line, err := range client.Lines(t.Context(), http.MethodGet, "/", nil) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
		switch len(lines) {
		case 1:
			go func() { next <- "\nlast"; close(next) }()
		case 3:
			lines = append(lines, "end")
		}
	}
	if got := strings.Join(lines, "|"); got != "first||last|end" {
		t.Errorf("lines %q", got)
	}
}

func TestLinesEndWithTheirContextOrAnError(t *testing.T) {
	t.Parallel()
	client := dialRaw(t, Config{Timeout: time.Hour}, "HTTP/1.1 200 OK\r\n\r\na\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for line, err := range client.Lines(ctx, http.MethodGet, "/", nil) {
		if string(line) == "a" {
			cancel()
		}
		last = err
	}
	wantError(t, last, ": cancelled")
	broken := dialRaw(t, Config{}, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"+"abc")
	for line, err := range broken.Lines(t.Context(), http.MethodGet, "/", nil) {
		if string(line) != "abc" || err != nil {
			t.Errorf("line %q, %v", line, err)
		}
	}
	refusing := dialRaw(t, Config{Timeout: 100 * time.Millisecond}, "HTTP/1.1 500 \r\n\r\n{") // and no end
	for _, err := range refusing.Lines(t.Context(), http.MethodGet, "/", nil) {
		wantError(t, err, "GET "+refusing.Base())
	}
	long := dial(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 2*maxLine)) })
	for _, err := range long.Lines(t.Context(), http.MethodGet, "/", nil) {
		wantError(t, err, "too long")
	}
}

func TestAliveAsksTheWayThatTheCallsGo(t *testing.T) {
	t.Parallel()
	busy := dialRaw(t, Config{}, "") // takes the connection and says nothing
	if err := busy.Alive(t.Context()); err != nil {
		t.Errorf("a busy server: %v", err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	gone, err := New(Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	wantError(t, gone.Alive(t.Context()), "connect to "+server.URL+": connection refused")

	for status, alive := range map[int]bool{200: true, 404: true, 502: false, 503: false, 504: false} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Host != "engine.invalid:80" {
				t.Errorf("the proxy was asked for %v", r.URL)
			}
			w.WriteHeader(status)
		}))
		address, err := url.Parse(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		client, err := New(Config{URL: "http://engine.invalid:80", Proxy: http.ProxyURL(address)})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Alive(t.Context()); (err == nil) != alive {
			t.Errorf("behind a proxy that answers %d: %v", status, err)
		}
		client.Close()
		proxy.Close()
	}
}

func TestACallOverAnIdleConnectionThatTheServerClosedIsRepeated(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	closed := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			reader := bufio.NewReader(connection)
			for range 2 {
				if _, err := http.ReadRequest(reader); err != nil {
					break
				}
				io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
				if first { // the next request on it gets no answer
					_, _ = http.ReadRequest(reader)
					connection.Close()
					close(closed)
					break
				}
			}
		}
	}()
	client, err := New(Config{URL: "http://" + listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 2 {
		if err := client.Call(t.Context(), http.MethodPost, "/", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-closed:
	default:
		t.Error("the second call did not go over the first connection")
	}
}
