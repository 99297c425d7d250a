package wire

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
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
				server := start(redirecting(code, handler))
				defer server.Close()
				handler.checkStamped(t, Call{URL: server.URL + "/first", Body: []byte(`{"x":1}`), Timeout: time.Minute})
				if got := handler.asked[0]; got != `POST {"x":1}` {
					t.Errorf("the final server was asked %q", got)
				}
			})
		}
	}
}

// redirecting redirects from one path of a handler to another.
func redirecting(code int, to http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/first", http.RedirectHandler("/v1", code))
	mux.Handle("/", to)
	return mux
}

func TestARedirectToAnotherOriginIsNotFollowed(t *testing.T) {
	var asked atomic.Int64
	count := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	plain, secure := httptest.NewServer(count), httptest.NewTLSServer(count)
	defer plain.Close()
	defer secure.Close()
	client := NewClient(Config{Clock: exobench.NewClock(), Insecure: true})
	defer client.Close()
	for _, code := range []int{307, 308} {
		for _, to := range []string{
			plain.URL, secure.URL, "http://localhost:1/v1", strings.Replace(plain.URL, "//", "//me:secret@", 1) + "/v1?a=b",
		} {
			for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
				first := start(http.RedirectHandler(to, code))
				r := client.Do(t.Context(), Call{URL: first.URL, Body: []byte("{}"), Header: http.Header{"Authorization": {"Bearer key"}}})
				want := fmt.Sprintf("HTTP %d redirects to %s: give that one", code, strings.Replace(to, "me:secret@", "", 1))
				if r.Outcome != exobench.HTTPError || r.HTTPStatus != code || r.Error != want {
					t.Errorf("outcome %s, status %d, %q; want %q", r.Outcome, r.HTTPStatus, r.Error, want)
				}
				first.Close()
			}
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d requests went to another origin", n)
	}
}

func TestARedirectOfTheSameOriginKeepsTheHeaders(t *testing.T) {
	server := httptest.NewServer(redirecting(http.StatusTemporaryRedirect, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, content("a")+finish+terminate)
	})))
	defer server.Close()
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	r := client.Do(t.Context(), Call{URL: server.URL + "/first", Body: []byte("{}"), Header: http.Header{"Authorization": {"Bearer key"}}})
	if r.Outcome != exobench.OK {
		t.Errorf("outcome %s %s", r.Outcome, r.Error)
	}
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
		want := fmt.Sprintf("HTTP %d redirects to http://%s/v1: give that one", code, strings.TrimPrefix(final.URL, "http://"))
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
		{"in a circle", round.URL, "10 redirects", exobench.HTTPError},
		{"without a place", rawServer(t, status(302, "text/plain", "elsewhere"), false), "HTTP 302: elsewhere", exobench.HTTPError},
		{"to choose from", rawServer(t, status(300, "text/plain", ""), false), "HTTP 300: Multiple Choices", exobench.HTTPError},
	} {
		if r := client.Do(t.Context(), Call{URL: c.url, Timeout: 20 * time.Second}); r.Outcome != c.want || !strings.Contains(r.Error, c.text) {
			t.Errorf("%s: outcome %s %q, want %s and %q", c.name, r.Outcome, r.Error, c.want, c.text)
		}
	}
}
