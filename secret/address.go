package secret

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

var (
	// userPart is that of an address within a text.
	userPart = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`://[^/\s"'<>?#]*@`) })
	// member is one of a query within a text.
	member = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([?&])([^\s=&?"'<>]+)=([^\s&"'<>;,)]+)`) })
	// keyName is in the names of what is secret.
	keyName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)key|token|secret|passw|pwd|auth|signature|credential|session|jwt|^(?:sig|sas|code)$`)
	})
)

// keyLike reports whether a member of a query looks like a key: by its name, or
// since its value is long and both of letters and of digits.
func keyLike(name, value string) bool {
	if value == "" || value == Mark {
		return false
	}
	if keyName().MatchString(name) {
		return true
	}
	const long = 20
	return len(value) >= long && strings.ContainsFunc(value, unicode.IsDigit) && strings.ContainsFunc(value, unicode.IsLetter)
}

// hideInAddresses hides what is secret in the addresses in a text.
func hideInAddresses(text string) string {
	if strings.Contains(text, "@") {
		text = userPart().ReplaceAllString(text, "://")
	}
	if !strings.Contains(text, "://") || !strings.ContainsAny(text, "?&") {
		return text
	}
	return member().ReplaceAllStringFunc(text, func(found string) string {
		parts := member().FindStringSubmatch(found)
		if !keyLike(parts[2], parts[3]) {
			return found
		}
		return parts[1] + parts[2] + "=" + Mark
	})
}

// Shown returns an address as it may be shown and stored: without its user part,
// and with [Mark] in place of the values of its query that look like keys. It
// reports whether anything is left out. What is no address is returned as it is.
func Shown(raw string) (shown string, hidden bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return raw, false
	}
	hidden = u.User != nil
	u.User = nil
	var members []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		if name, value, _ := strings.Cut(part, "="); keyLike(name, value) {
			part, hidden = name+"="+Mark, true
		}
		members = append(members, part)
	}
	if !hidden {
		return raw, false
	}
	u.RawQuery = strings.Join(members, "&")
	return u.String(), true
}
