package api

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestABaseIsAURLOfAServer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ raw, base, models, address string }{
		{"http://node:1", "http://node:1", "http://node:1/models", "node:1"},
		{"http://node/", "http://node", "http://node/models", "node:80"},
		{"https://node/v1", "https://node", "https://node/models", "node:443"},
		{"https://node/a%2Fb/v1//", "https://node/a%2Fb", "https://node/a%2Fb/models", "node:443"},
		{"https://node/v1x", "https://node/v1x", "https://node/v1x/models", "node:443"},
		{"http://[::1]:5/x?key=s#part", "http://[::1]:5/x", "http://[::1]:5/x/models?key=s", "[::1]:5"},
		{"http://node/api/paas/v4/", "http://node/api/paas/v4", "http://node/api/paas/v4/models", "node:80"},
		{"http://node/openai/v1?api-version=X", "http://node/openai", "http://node/openai/models?api-version=X", "node:80"},
		{"http://node/v1/chat/completions", "http://node", "http://node/models", "node:80"},
		{"http://node/v1/models?a=b", "http://node", "http://node/models?a=b", "node:80"},
		{"http://node/models", "http://node/models", "http://node/models/models", "node:80"},
		{"http://u:pw@node", "http://node", "http://u:pw@node/models", "node:80"},
	} {
		c, err := New(Config{URL: row.raw})
		if err != nil {
			t.Errorf("%s: %v", row.raw, err)
			continue
		}
		if c.Base() != row.base || c.URL("/models") != row.models || c.Address() != row.address {
			t.Errorf("%s: base %s, URL %s, address %s; want %s, %s, %s", row.raw, c.Base(), c.URL("/models"), c.Address(), row.base, row.models, row.address)
		}
	}
	for _, bad := range []string{"", "node:1", "localhost", "ftp://node", "http://", "http://:80", "http://a b", "http://%zz", "/v1"} {
		if _, err := New(Config{URL: bad}); err == nil {
			t.Errorf("%q was taken for a base", bad)
		}
	}
}

func TestAnOpenAICompatibleAPIIsBelowTheBase(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://node":                            "/v1 ",
		"http://node/gate":                       "/v1 ",
		"http://node/v1x":                        "/v1 ",
		"http://node/gate/v1/":                   "/v1",
		"http://node/v2/gate/v1":                 "/v1",
		"http://node/api/v3":                     "",
		"http://node/v1beta":                     "",
		"http://node/v1beta/openai":              " /v1",
		"http://node/v1/a/b/openai":              " /v1",
		"http://node/gate/v1/completions":        "/v1",
		"http://node/inference/chat/completions": "",
	} {
		c, err := New(Config{URL: raw})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Roots(), " "); got != want {
			t.Errorf("%s: roots %q, want %q", raw, got, want)
		}
	}
}

func TestProblemSpeaksAllShapesOfErrors(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error":{"message":"Instance not found","type":"Not Found","param":null,"code":404}}`: "Instance not found",
		`{"error":"Unsupported\n model"}`:                "Unsupported model",
		`{"detail":"Not Found"}`:                         "Not Found",
		`{"object":"error","message":"no such model"}`:   "no such model",
		`{"error":null,"detail":"","message":"at last"}`: "at last",
		`{"detail":[{"type":"missing","loc":["body","model"],"msg":"Field required","input":{}},
			{"loc":["body",0],"msg":"no"}]}`: "body.model: Field required; body.0: no",
		`{"error":{"code":404}}`:   `{"error":{"code":404}}`,
		"Internal Server Error\n":  "Internal Server Error",
		" <!doctype html><p>x</p>": "an HTML page",
		"":                         "not found",
		"\xff\xfe":                 "�",
		`{"error":{"message":"` + strings.Repeat("ü", 400) + `"}}`: strings.Repeat("ü", 300) + "…",
	} {
		if got := Problem(404, []byte(body)); got != want {
			t.Errorf("Problem(%q) = %q, want %q", body, got, want)
		}
	}
}

func TestPauseEndsWithItsTimeOrItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := Pause(t.Context(), time.Second); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := Pause(ctx, time.Hour); err != context.DeadlineExceeded || time.Since(began) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
