package reference

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTheReferenceServesThisMachineAndWhoHasItsToken(t *testing.T) {
	s, err := New(Config{Token: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		host, sent string
		want       int
	}{
		{"127.0.0.1:8089", "Bearer abc", http.StatusOK},
		{"127.0.0.1:8089", "", http.StatusUnauthorized},
		{"evil.example:8089", "Bearer abc", http.StatusForbidden},
	} {
		answer, request := httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/models", nil)
		request.Host = c.host
		request.Header.Set("Authorization", c.sent)
		if s.ServeHTTP(answer, request); answer.Code != c.want {
			t.Errorf("%+v: %d %s", c, answer.Code, answer.Body)
		}
	}
}
