// Package loopback guards the servers of exobench's own: they serve this machine
// only, no web page, and, where they have a token, only who knows it.
package loopback

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Guard returns a handler that passes on what may be served. What names the
// server in errors, as "the embedded engine". Token, where it is not empty, is
// what every request must carry as a bearer token: other processes of this
// machine, which could disturb a run, do not know it.
func Guard(handler http.Handler, what, token string) http.Handler {
	foreign := http.NewCrossOriginProtection()
	wanted := []byte("Bearer " + token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			refuse(w, http.StatusForbidden, fmt.Sprintf(
				"%s answers to localhost, 127.0.0.1 and ::1 only, and this request is for host %q", what, r.Host))
			return
		}
		if err := foreign.Check(r); err != nil {
			refuse(w, http.StatusForbidden, what+" takes no requests from web pages of other sites: "+err.Error())
			return
		}
		if token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), wanted) != 1 {
			refuse(w, http.StatusUnauthorized, what+" takes requests with its token only")
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// isLoopback reports whether the host of a request, with or without a port, is
// this machine by a name that no name server decides on. Any other name may be
// that of a web page which had its own name resolved to 127.0.0.1, and then a
// browser would show it all answers.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// refuse answers with an error as OpenAI's API has them.
func refuse(w http.ResponseWriter, status int, message string) {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{ // of plain text and a number
		"message": message, "type": http.StatusText(status), "code": status,
	}})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is nobody to tell
}
