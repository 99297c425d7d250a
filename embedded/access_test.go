package embedded

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOnlyLoopbackNamesAreServed(t *testing.T) {
	c := serve(t, tinyConfig())
	ask := func(method, path, host string, header http.Header) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		for name := range header {
			req.Header.Set(name, header.Get(name))
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	for _, host := range []string{"localhost", "LOCALHOST:52415", "127.0.0.1", "127.0.0.1:80", "127.8.9.10:1", "[::1]", "[::1]:52415", "[::ffff:127.0.0.1]:1"} {
		if status, body := ask("GET", "/node_id", host, nil); status != http.StatusOK {
			t.Errorf("Host %s: %d %s", host, status, body)
		}
	}
	for _, host := range []string{"evil.example", "evil.example:52415", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0:52415", "[::2]:1", "localhost:80:80"} {
		for _, path := range []string{"/node_id", "/v1/chat/completions", "/nothing"} {
			status, body := ask("POST", path, host, nil)
			if status != http.StatusForbidden || !strings.Contains(body, "answers to localhost, 127.0.0.1 and ::1 only") {
				t.Errorf("%s for Host %s: %d %s, want 403 and why", path, host, status, body)
			}
		}
	}
	// What a browser sends for the page of another site, by a name that is
	// ours.
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}},
		{"Origin": {"http://evil.example"}},
	} {
		status, body := ask("POST", "/v1/chat/completions", "localhost:52415", header)
		if status != http.StatusForbidden || !strings.Contains(body, "web pages of other sites") {
			t.Errorf("%v: %d %s, want 403 and why", header, status, body)
		}
	}
}

// HTTP/1.0 has no Host header, and a client without one names no host.
func TestARequestWithoutHostIsRefused(t *testing.T) {
	s, err := New(tinyConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	answer, request := httptest.NewRecorder(), httptest.NewRequest("GET", "/node_id", nil)
	request.Host = ""
	s.Handler().ServeHTTP(answer, request)
	if answer.Code != http.StatusForbidden {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestTheBodyOfARequestIsBounded(t *testing.T) {
	c := serve(t, tinyConfig())
	for _, path := range []string{"/v1/chat/completions", "/bench/chat/completions", "/instance", "/models/add"} {
		status, body := c.do("POST", path, `{"model":"`+strings.Repeat("m", maxBody)+`"}`)
		if status != http.StatusRequestEntityTooLarge || !strings.Contains(body, "longer than 4 MiB") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
