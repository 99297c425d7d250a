package secret

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"
)

const key = "sk-Live+0123/89ab\"cdef"

func set() *Set {
	s := new(Set)
	s.AddHeader(http.Header{"Authorization": {"Bearer " + key}, "X-Debug": {"true"}, "X-Model": {"llama"}, "X-Pin": {"KEY"}, "Cookie": {"a=1; session=cookie-word1"}}, "llama-3.2-1b")
	s.AddURL("http://someone:pass%40word1@host:1/v1?api-version=2024-02-01&subscription-key=qwertyuiop")
	return s
}

func TestKnownSecretsAreHiddenInEveryForm(t *testing.T) {
	s := set()
	pair := base64.StdEncoding.EncodeToString([]byte("someone:pass@word1"))
	for _, text := range []string{
		key, "Bearer " + key + ": no", `{"Authorization":"Bearer sk-Live+0123/89ab\"cdef"}`, "sk-Live%2B0123%2F89ab%22cdef",
		"sk-Live+0123/89ab&#34;cdef", "someone:pass%40word1", "pass@word1", "Basic " + pair, "qwertyuiop",
		base64.StdEncoding.EncodeToString([]byte(key)), `sk-Live+0123\/89ab\"cdef`, "sk-Live%252B0123%252F89ab%2522cdef", "sk-live+0123/89ab\"cdef",
		"SK-LIVE+0123/89AB\"CDEF", hex.EncodeToString([]byte(key)), strings.ToUpper(hex.EncodeToString([]byte(key))),
		"xx" + key + "xx", "cookie-word1", "KEY", "the KEY, again KEY.",
		`wrong password for {"user":"someone","key":"pass@word1"}`, "cut in sk-Live+012…: and more", "cut at its end sk-Live+012", "cut in " + strings.TrimRight(pair, "=")[:9] + "…",
	} {
		got := s.Hide(text)
		for _, bad := range []string{"0123", "736b2d", "736B2D", "LIVE", "Live", "pass%40", "pass@", "word1", "qwerty", "KEY", pair[:9]} {
			if strings.Contains(got, bad) {
				t.Errorf("%q is shown as %q", text, got)
			}
		}
		if !strings.Contains(got, Mark) {
			t.Errorf("%q is shown as %q without a mark", text, got)
		}
	}
}

func TestWhatIsNoSecretIsShown(t *testing.T) {
	s := set()
	for _, text := range []string{
		"", "true", "the model llama", "llama-3.2-1b", "KEYBOARD and monKEY", "api-version=2024-02-01", "a b@c", "hf.co://x",
		"http://127.0.0.1:8000/v1?api-version=1: HTTP 404", "a text that was cut…", "http://host/a/b@c", "sk-", "5 > 3 && 2 < 4",
	} {
		if got := s.Hide(text); got != text {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

func TestAddressesAreShownWithoutTheirSecrets(t *testing.T) {
	var none *Set
	for text, want := range map[string]string{
		`parse "http://user:KEY@ho st": no`:                     `parse "http://ho st": no`,
		"POST https://KEY@host:1/v1 failed":                     "POST https://host:1/v1 failed",
		"http://h/?key=abc&v=1 and http://g/?v=2&sig=A%2FB: no": "http://h/?key=…&v=1 and http://g/?v=2&sig=…: no",
	} {
		if got := none.Hide(text); strings.Contains(got, "abc") || got != want && !strings.HasPrefix(want, "http://h/") {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	for raw, want := range map[string]string{
		"http://user:KEY@host:1/a":                       "http://host:1/a",
		"http://host/?api-version=1&api_key=abc&x=1":     "http://host/?api-version=1&api_key=…&x=1",
		"http://host/?v=abcdefghij0123456789z":           "http://host/?v=…",
		"http://host:80/v1?api-version=2024-02-01&code=": "http://host:80/v1?api-version=2024-02-01&code=",
		"":             "",
		"mac-studio:1": "mac-studio:1",
	} {
		if got, hidden := Shown(raw); got != want || hidden != (raw != want) {
			t.Errorf("%q is shown as %q, %v; want %q", raw, got, hidden, want)
		}
	}
}

// A mistyped address has its secrets too.
func TestTheUserPartOfWhatIsNoAddressIsHidden(t *testing.T) {
	for _, raw := range []string{"someone:hunter22@host:80", "http://someone:hunt/er22@host"} {
		s := new(Set)
		s.AddURL(raw)
		if got := s.Hide("--url " + raw + ": no"); strings.Contains(got, "er22") {
			t.Errorf("%q is shown as %q", raw, got)
		}
	}
}

func TestACopyHidesAndLeavesTheOriginal(t *testing.T) {
	type kind string
	type inner struct {
		Texts []string
		By    map[string]*inner
		Kind  kind
		At    time.Time
	}
	now := time.Now()
	v := &inner{Texts: []string{"a " + key}, By: map[string]*inner{key: {Kind: kind(key), At: now}}}
	got := Map(v, set().Hide)
	if got.Texts[0] != "a …" || got.By["…"].Kind != kind(key) || !got.By["…"].At.Equal(now) {
		t.Errorf("%+v", got)
	}
	if v.Texts[0] != "a "+key || v.By[key] == nil {
		t.Errorf("the original is %+v", v)
	}
}

func FuzzHidingEndsAndLeavesNoSecret(f *testing.F) {
	f.Add("a "+key+" b…", "longsecret1")
	f.Add("……cut longsec…", "longsecret1")
	f.Fuzz(func(t *testing.T, text, word string) {
		if len(word) < anywhere || strings.Contains(word, Mark) || strings.TrimSpace(word) != word {
			return
		}
		s := new(Set)
		s.Add(word)
		if plain(word) {
			return
		}
		if got := s.Hide(text); strings.Contains(got, word) {
			t.Errorf("%q with %q is shown as %q", text, word, got)
		}
	})
}
