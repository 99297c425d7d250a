package api

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// ParseURL reads the base URL of a server. A base that ends in /v1, as clients
// of OpenAI's API take it, stands for what comes before that. A query, such as
// a gateway may want, is sent with every call.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("it must be like http://127.0.0.1:8000")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.TrimRight(strings.TrimSuffix(path, "/v1"), "/")
	if u.Path, err = url.PathUnescape(path); err != nil {
		return nil, err
	}
	u.RawPath, u.Fragment, u.RawFragment = path, "", ""
	return u, nil
}

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

// Base returns the server's base as it may be shown: without a query or
// password, which may be secrets.
func (c *Client) Base() string {
	u := *c.base
	u.RawQuery, u.ForceQuery = "", false
	return u.Redacted()
}

// Address returns the host and port that the server listens at.
func (c *Client) Address() string {
	port := c.base.Port()
	switch {
	case port != "":
	case c.base.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(c.base.Hostname(), port)
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
