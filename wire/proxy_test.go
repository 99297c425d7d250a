package wire

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
	"exobench/internal/rawserver"
)

// The proxies take whatever host they are asked for to be the target, and the
// tests ask for one that does not exist: what comes past a proxy fails.
const nowhere = "engine.invalid"

// proxy is an HTTP proxy in front of one target.
type proxy struct {
	target              string // host and port
	forwarded, tunneled atomic.Int64
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.HasPrefix(r.Host, nowhere):
		http.Error(w, "asked for "+r.Host, http.StatusBadRequest)
	case r.Method == http.MethodConnect:
		p.tunneled.Add(1)
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		splice(c, buffered, p.target)
	case r.URL.Host == "":
		http.Error(w, "no absolute URL: "+r.RequestURI, http.StatusBadRequest)
	default:
		p.forwarded.Add(1)
		forward := httputil.ReverseProxy{
			Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Host = p.target },
			Transport:     &http.Transport{DisableKeepAlives: true},
			FlushInterval: -1,
		}
		forward.ServeHTTP(w, r)
	}
}

// splice joins a connection, what was read of it already included, with one to
// the target.
func splice(c net.Conn, from io.Reader, target string) {
	defer c.Close()
	there, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer there.Close()
	var group sync.WaitGroup
	group.Go(func() { io.Copy(there, from); there.(*net.TCPConn).CloseWrite() })
	io.Copy(c, there)
	c.Close()
	group.Wait()
}

// socks5 serves SOCKS5 (RFC 1928) without authentication, for hosts by name. It
// returns its URL.
func socks5(t *testing.T, target string, tunneled *atomic.Int64) string {
	t.Helper()
	return "socks5://" + rawserver.Start(t, func(c *net.TCPConn) {
		r := bufio.NewReader(c)
		read := func(n int) []byte { b := make([]byte, n); io.ReadFull(r, b); return b }
		read(int(read(2)[1])) // version, methods
		c.Write([]byte{5, 0}) // no authentication
		head := read(5)       // version, connect, 0, by name, its length
		host := read(int(head[4]))
		read(2) // port
		if head[1] != 1 || head[3] != 3 || string(host) != nowhere {
			c.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0}) // host unreachable
			c.Close()
			return
		}
		tunneled.Add(1)
		c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		splice(c, r, target)
	})
}

func mustParse(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestStreamsThroughProxiesHaveTheKernelsInstants(t *testing.T) {
	for _, c := range []struct {
		name                string
		target, proxy       func(http.Handler) *httptest.Server // proxy: nil is SOCKS5
		forwarded, tunneled bool
	}{
		{name: "a forward proxy", target: httptest.NewServer, proxy: httptest.NewServer, forwarded: true},
		{name: "a forward proxy over TLS", target: httptest.NewServer, proxy: httptest.NewTLSServer, forwarded: true},
		{name: "CONNECT to TLS", target: httptest.NewTLSServer, proxy: httptest.NewServer, tunneled: true},
		{name: "CONNECT over TLS to TLS", target: httptest.NewTLSServer, proxy: httptest.NewTLSServer, tunneled: true},
		{name: "SOCKS5", target: httptest.NewServer, tunneled: true},
		{name: "SOCKS5 to TLS", target: httptest.NewTLSServer, tunneled: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := exobench.NewClock()
			handler := &paced{clock: clock}
			target := c.target(handler)
			defer target.Close()
			at := mustParse(t, target.URL)
			middle := &proxy{target: at.Host}
			var through string
			if c.proxy != nil {
				server := c.proxy(middle)
				defer server.Close()
				through = server.URL
			} else {
				through = socks5(t, at.Host, &middle.tunneled)
			}
			client := NewClient(Config{Clock: clock, Insecure: true, Proxy: http.ProxyURL(mustParse(t, through))})
			defer client.Close()
			handler.client = client

			handler.checkStamped(t, Call{URL: at.Scheme + "://" + nowhere + "/v1", Body: []byte(`{"x":1}`), Timeout: time.Minute})
			if got := handler.asked[0]; got != `POST {"x":1}` {
				t.Errorf("the target was asked %q", got)
			}
			if middle.forwarded.Load() > 0 != c.forwarded || middle.tunneled.Load() > 0 != c.tunneled {
				t.Errorf("%d requests forwarded, %d tunnels", middle.forwarded.Load(), middle.tunneled.Load())
			}
		})
	}
}

func TestAProxyThatRefusesFailsTheRequest(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
	}))
	defer refusing.Close()
	client := NewClient(Config{Clock: exobench.NewClock(), Proxy: http.ProxyURL(mustParse(t, refusing.URL))})
	defer client.Close()
	for _, c := range []struct {
		url, text string
		want      exobench.Outcome
	}{
		{"http://" + nowhere, "HTTP 407: who are you?", exobench.HTTPError},
		{"https://" + nowhere, "Proxy Authentication Required", exobench.ConnectError},
	} {
		if r := client.Do(t.Context(), Call{URL: c.url}); r.Outcome != c.want || r.Error != c.text {
			t.Errorf("%s: outcome %s %q, want %s %q", c.url, r.Outcome, r.Error, c.want, c.text)
		}
	}
}

// proxiedEnv has the process make one call through the environment's proxy.
const proxiedEnv = "EXOBENCH_WIRE_PROXIED"

func TestProxiesOfTheEnvironmentAreUsed(t *testing.T) {
	if os.Getenv(proxiedEnv) != "" {
		client := NewClient(Config{Clock: exobench.NewClock()})
		defer client.Close()
		if r := client.Do(t.Context(), Call{URL: "http://" + nowhere}); r.Outcome != exobench.OK {
			t.Errorf("outcome %s %s", r.Outcome, r.Error)
		}
		return
	}
	// net/http reads the environment once in a process, so this takes another.
	middle := &proxy{target: mustParse(t, rawServer(t, chunked(content("a"), finish, terminate), false)).Host}
	server := httptest.NewServer(middle)
	defer server.Close()
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), proxiedEnv+"=1", "HTTP_PROXY="+server.URL, "http_proxy=", "NO_PROXY=", "no_proxy=", "REQUEST_METHOD=")
	if out, err := child.CombinedOutput(); err != nil || middle.forwarded.Load() != 1 {
		t.Errorf("%d requests forwarded, %v: %s", middle.forwarded.Load(), err, out)
	}
}
