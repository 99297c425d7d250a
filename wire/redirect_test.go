package wire

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestARedirectedStreamHasTheInstantsOfTheServerThatStreams(t *testing.T) {
	for _, code := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
			t.Run(http.StatusText(code), func(t *testing.T) {
				t.Parallel()
				clock := exobench.NewClock()
				handler := &paced{clock: clock, client: NewClient(Config{Clock: clock, Insecure: true})}
				defer handler.client.Close()
				final := start(handler)
				defer final.Close()
				first := start(http.RedirectHandler(final.URL+"/v1", code))
				defer first.Close()
				handler.checkStamped(t, Call{URL: first.URL, Body: []byte(`{"x":1}`), Timeout: time.Minute})
				if got := handler.asked[0]; got != `POST {"x":1}` {
					t.Errorf("the final server was asked %q", got)
				}
			})
		}
	}
}

func TestWhatARedirectingServerSendsLaterIsNotOfTheStream(t *testing.T) {
	clock := exobench.NewClock()
	handler := &paced{clock: clock, client: NewClient(Config{Clock: clock})}
	defer handler.client.Close()
	final := httptest.NewServer(handler)
	defer final.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	redirecting := make(chan net.Conn, 1)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		redirecting <- c
		if request, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.Copy(io.Discard, request.Body)
		}
		fmt.Fprintf(c, "HTTP/1.1 307 \r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", final.URL)
	}()

	call := Call{URL: "http://" + listener.Addr().String()}
	ctx, watchdog := watch(t.Context(), clock, time.Minute, 0)
	defer watchdog.stop()
	x := &exchange{client: handler.client, call: call, watchdog: watchdog, arrivals: new(arrivals)}
	handler.between = func() {
		select {
		case c := <-redirecting:
			defer c.Close()
			reads := x.arrivals.reads.Load()
			io.WriteString(c, "stray")
			io.Copy(io.Discard, c) // to the end: the client has read it and hung up
			if got := x.arrivals.reads.Load(); got != reads {
				t.Errorf("%d reads of the stream, %d before the other connection had one", got, reads)
			}
		default:
		}
	}
	x.run(ctx)
	handler.check(t, x.record)
}

func TestARedirectThatDropsThePostIsAnHTTPError(t *testing.T) {
	asked := 0
	final := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		io.WriteString(w, content("a")+finish+terminate) // as if all were well
	}))
	defer final.Close()
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	for _, code := range []int{301, 302, 303} {
		first := httptest.NewServer(http.RedirectHandler(strings.Replace(final.URL, "//", "//me:secret@", 1)+"/v1", code))
		r := client.Do(t.Context(), Call{URL: first.URL, Body: []byte("{}")})
		want := fmt.Sprintf("HTTP %d: a redirect to http://me:xxxxx@%s/v1, which would turn the POST into a GET; use that URL", code, strings.TrimPrefix(final.URL, "http://"))
		if r.Outcome != exobench.HTTPError || r.HTTPStatus != code || r.Error != want {
			t.Errorf("outcome %s, status %d, %q; want %q", r.Outcome, r.HTTPStatus, r.Error, want)
		}
		first.Close()
	}
	if asked > 0 {
		t.Errorf("%d requests were redirected", asked)
	}
}

func TestOtherRedirectsThatLeadNowhere(t *testing.T) {
	round := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
	}))
	defer round.Close()
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	for _, c := range []struct {
		name, url, text string
		want            exobench.Outcome
	}{
		{"in a circle", round.URL, "10 redirects", exobench.ConnectError},
		{"without a place", rawServer(t, status(302, "text/plain", "elsewhere"), false), "HTTP 302: elsewhere", exobench.HTTPError},
		{"to choose from", rawServer(t, status(300, "text/plain", ""), false), "HTTP 300: Multiple Choices", exobench.HTTPError},
	} {
		if r := client.Do(t.Context(), Call{URL: c.url, Timeout: 20 * time.Second}); r.Outcome != c.want || !strings.Contains(r.Error, c.text) {
			t.Errorf("%s: outcome %s %q, want %s and %q", c.name, r.Outcome, r.Error, c.want, c.text)
		}
	}
}
