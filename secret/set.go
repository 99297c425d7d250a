// Package secret keeps secrets out of what exobench shows and stores: API keys,
// values of headers, and what stands in addresses that only the server is to
// see. Servers repeat what they are sent, in errors, in ids, anywhere.
//
// A [Set] knows the secrets of a process. Whatever text may come from a server,
// or name an address, passes [Set.Hide] on its way to a terminal or a file.
package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// Mark stands in the place of a secret.
const Mark = "…"

// Set is what must not be shown. Its methods are safe for concurrent use; the
// zero Set, and a nil one that nothing is added to, know no secret.
type Set struct {
	mu    sync.Mutex
	known map[string]bool
	// inOrder are the known ones, the longest first, so that none is cut up by
	// another that is a part of it.
	inOrder atomic.Pointer[[]string]
}

// The lengths of secrets, in bytes. What is shorter than shortest would make
// every text unreadable, and is no secret worth the name; what is shorter than
// anywhere is taken for a secret only where it is a word of its own.
const (
	shortest = 3
	anywhere = 8
)

// Add adds secrets, each in all forms in which servers repeat them.
func (s *Set) Add(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]bool{}
	}
	for _, secret := range secrets {
		for _, form := range forms(strings.TrimSpace(secret)) {
			s.known[form] = true
		}
	}
	all := make([]string, 0, len(s.known))
	for form := range s.known {
		all = append(all, form)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	s.inOrder.Store(&all)
}

// forms returns the forms in which a secret may come back; none of what is too
// short or too plain for one.
func forms(secret string) []string {
	if len(secret) < shortest || plain(secret) {
		return nil
	}
	all := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
		inJSON(secret), strings.ReplaceAll(inJSON(secret), "/", `\/`), (&url.URL{User: url.User(secret)}).User.String(),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		all = append(all, encoding.EncodeToString([]byte(secret)))
	}
	all = append(all, url.QueryEscape(all[1]), hex.EncodeToString([]byte(secret)))
	if len(secret) >= anywhere { // of a short one, these are words that stand everywhere
		all = append(all, strings.ToLower(secret), strings.ToUpper(secret))
	}
	return append(all, strings.ToUpper(hex.EncodeToString([]byte(secret))))
}

// plain reports whether a text is one of the values that stand everywhere: a
// small number, yes or no.
func plain(text string) bool {
	switch strings.ToLower(text) {
	case "true", "false", "null", "none", "yes", "off":
		return true
	}
	digits := strings.TrimFunc(text, unicode.IsDigit) == ""
	return digits && len(text) < anywhere
}

// inJSON returns a text as it stands between the quotes of JSON.
func inJSON(text string) string {
	quoted, _ := json.Marshal(text) // a string can always be encoded
	return string(quoted[1 : len(quoted)-1])
}

// harmless are headers whose values are no secrets.
var harmless = []string{"Accept", "Accept-Encoding", "Accept-Language", "Connection", "Content-Type", "Host", "User-Agent"}

// AddHeader adds the values of a header, and of those that begin with the name
// of a scheme, as "Bearer KEY", what comes after it. What is a part of one of but,
// the names that a run shows anyway, is no secret.
func (s *Set) AddHeader(header http.Header, but ...string) {
	for name, values := range header {
		if slices.Contains(harmless, http.CanonicalHeaderKey(name)) {
			continue
		}
		for _, value := range values {
			if slices.ContainsFunc(but, func(name string) bool { return strings.Contains(name, value) }) {
				continue
			}
			scheme, credentials, ok := strings.Cut(strings.TrimSpace(value), " ")
			s.Add(value)
			if !ok {
				continue
			}
			s.Add(credentials)
			// Cookies, and schemes with parameters.
			for _, part := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ';' || r == ',' }) {
				if _, word, named := strings.Cut(part, "="); named && len(word) >= anywhere {
					s.Add(strings.Trim(word, `"`))
				}
			}
			if pair, err := base64.StdEncoding.DecodeString(credentials); err == nil && strings.EqualFold(scheme, "Basic") {
				user, password, _ := strings.Cut(string(pair), ":")
				s.addUser(user, password)
			}
		}
	}
}

// addUser adds what a URL or a Basic authorization says of a user. A name is a
// secret where it stands for the password, and where it is as long as one.
func (s *Set) addUser(name, password string) {
	s.Add(name+":"+password, password)
	if password == "" || len(name) >= anywhere {
		s.Add(name)
	}
}

// AddURL adds the user part of an address and those values of its query that
// look like keys. The address may be mistyped.
func (s *Set) AddURL(raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		_, rest, ok := strings.Cut(raw, "://")
		if !ok {
			rest = raw
		}
		if i := strings.LastIndex(rest, "@"); i >= 0 {
			name, password, _ := strings.Cut(rest[:i], ":")
			s.addUser(name, password)
		}
		return
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.addUser(u.User.Username(), password)
		s.Add(u.User.String())
	}
	for member := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(member, "=")
		if keyLike(name, value) {
			s.Add(value)
			if plain, err := url.QueryUnescape(value); err == nil {
				s.Add(plain)
			}
		}
	}
}

// Hide returns the text with [Mark] in the place of each known secret, and of
// what is one in any address: the text of a mistyped one may come from anywhere.
func (s *Set) Hide(text string) string {
	text = hideInAddresses(text)
	if s == nil {
		return text
	}
	known := s.inOrder.Load()
	if known == nil {
		return text
	}
	for _, secret := range *known {
		text = hideOne(text, secret)
	}
	return text
}

// hideOne hides one secret.
func hideOne(text, secret string) string {
	if strings.Contains(text, secret) {
		var b strings.Builder
		for {
			i := strings.Index(text, secret)
			if i < 0 {
				break
			}
			after := text[i+len(secret):]
			if len(secret) >= anywhere || !joins(text[:i], after) {
				b.WriteString(text[:i] + Mark)
			} else {
				b.WriteString(text[:i+len(secret)])
			}
			text = after
		}
		b.WriteString(text)
		text = b.String()
	}
	return hideCut(text, secret)
}

// joins reports whether a word goes on over the place between two texts' ends.
func joins(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	isWord := func(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
	return isWord(last) || isWord(next)
}

// The beginnings of a secret that are hidden where a text was cut off within it:
// before a mark of that, and at the end of a text, where it may be a word that
// means nothing.
const (
	leastCut = 4
	leastEnd = 6
)

// hideCut hides the beginning of a secret that a text was cut off in. Texts of
// servers are bounded before they come here.
func hideCut(text, secret string) string {
	for from := 0; ; {
		end, least := len(text), leastEnd
		if i := strings.Index(text[from:], Mark); i >= 0 {
			end, least = from+i, leastCut
		}
		for n := min(len(secret)-1, end); n >= least; n-- {
			if strings.HasSuffix(text[:end], secret[:n]) {
				text = text[:end-n] + Mark + strings.TrimPrefix(text[end:], Mark)
				end -= n
				break
			}
		}
		if from = end + len(Mark); from > len(text) {
			return text
		}
	}
}
