package api

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// endpoints are what follows the base in the URLs of OpenAI's API, as people
// copy them from manuals.
var endpoints = []string{"/chat/completions", "/v1/completions", "/v1/models", "/v1/responses"}

// ParseURL reads the base URL of a server. A base that ends in /v1, as clients
// of OpenAI's API take it, stands for what comes before that, and so does the
// full URL of one of its endpoints. A query, such as a gateway may want, is
// sent with every call.
func ParseURL(raw string) (*url.URL, error) {
	u, _, err := parse(raw)
	return u, err
}

// parse reads a base URL, and returns below which paths of it OpenAI's API may
// be, as [Client.Roots] does.
func parse(raw string) (base *url.URL, roots []string, err error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, errors.New("it must be like http://127.0.0.1:8000")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for _, endpoint := range endpoints {
		if before, found := strings.CutSuffix(path, endpoint); found {
			path = before
			if strings.HasPrefix(endpoint, "/v1/") {
				path += "/v1"
			} else {
				roots = []string{""}
			}
			break
		}
	}
	before, v1 := strings.CutSuffix(path, "/v1")
	switch {
	case v1:
		path, roots = strings.TrimRight(before, "/"), []string{"/v1"}
	case roots == nil:
		roots = rootsOf(path)
	}
	if u.Path, err = url.PathUnescape(path); err != nil {
		return nil, nil, err
	}
	u.RawPath, u.Fragment, u.RawFragment = path, "", ""
	return u, roots, nil
}

// versioned is an element of a path that names a version of an API.
var versioned = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^v\d+(?:(?:alpha|beta|p|preview)\d*)?$`) })

// rootsOf returns where OpenAI's API may be below a path that does not end in
// /v1. Clients of that API take a base with its version, servers tell theirs
// without: where the path names a version, it is taken for the former.
func rootsOf(path string) []string {
	elements := strings.Split(path, "/")
	for i, element := range elements {
		switch {
		case !versioned().MatchString(element):
		case i == len(elements)-1:
			return []string{""}
		default:
			return []string{"", "/v1"}
		}
	}
	return []string{"/v1", ""}
}

// Roots returns the paths below which an OpenAI-compatible API may be, the
// likeliest first: "/v1", or "" where the URL given has a version already.
func (c *Client) Roots() []string { return c.roots }

// URL returns the address of a path of the server, where the path may have a
// query of its own. It may hold secrets of the base.
func (c *Client) URL(path string) string {
	u := *c.base
	path, query, _ := strings.Cut(path, "?")
	if plain, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = u.Path+plain, u.EscapedPath()+path
	}
	u.RawQuery = strings.Trim(u.RawQuery+"&"+query, "&")
	return u.String()
}

// Base returns the server's base as it may be shown: without a query or a user,
// which may be secrets.
func (c *Client) Base() string {
	u := *c.base
	u.User, u.RawQuery, u.ForceQuery = nil, "", false
	return u.String()
}

// Address returns the host and port that the server listens at.
func (c *Client) Address() string {
	return net.JoinHostPort(c.base.Hostname(), portOf(c.base))
}

func portOf(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// sameOrigin reports whether two URLs are of one scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

// Path joins elements to a path, each escaped.
func Path(elements ...string) string {
	var path strings.Builder
	for _, element := range elements {
		path.WriteString("/" + url.PathEscape(element))
	}
	return path.String()
}

// name is what errors call a call. It shows no query, which may be a secret.
func (c *Client) name(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	return method + " " + c.Base() + path
}
