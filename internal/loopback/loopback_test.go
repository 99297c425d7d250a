package loopback

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestATokenIsWantedWhereThereIsOne(t *testing.T) {
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, c := range []struct {
		token, sent, host string
		want              int
	}{
		{"", "", "127.0.0.1:1", http.StatusNoContent},
		{"", "Bearer other", "localhost", http.StatusNoContent},
		{"abc", "Bearer abc", "[::1]:8", http.StatusNoContent},
		{"abc", "", "127.0.0.1", http.StatusUnauthorized},
		{"abc", "Bearer ab", "127.0.0.1", http.StatusUnauthorized},
		{"abc", "abc", "127.0.0.1", http.StatusUnauthorized},
		{"abc", "Bearer abc", "evil.example", http.StatusForbidden},
		{"", "", "", http.StatusForbidden},
	} {
		answer, request := httptest.NewRecorder(), httptest.NewRequest("DELETE", "/instance/1", nil)
		request.Host = c.host
		if c.sent != "" {
			request.Header.Set("Authorization", c.sent)
		}
		Guard(served, "the server", c.token).ServeHTTP(answer, request)
		if answer.Code != c.want || c.want >= 400 && !strings.Contains(answer.Body.String(), `"message":"the server `) {
			t.Errorf("%+v: %d %s", c, answer.Code, answer.Body)
		}
	}
}
