package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Alive returns nil if the server takes connections now. One that is busy does,
// so no answer is waited for, except where a proxy stands before it: that takes
// connections for a server that is gone.
func (c *Client) Alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if proxy, err := c.proxy(); err == nil && proxy == nil {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", c.Address())
		if err != nil {
			return &CallError{Call: "connect to " + c.Base(), Err: err}
		}
		return connection.Close()
	}
	answer, err := c.Send(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return err
	}
	switch answer.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return c.statusError(http.MethodGet, "/", answer)
	}
	return nil
}

// proxy returns the proxy that the calls go through; nil where there is none.
func (c *Client) proxy() (*url.URL, error) {
	request, err := http.NewRequest(http.MethodGet, c.URL("/"), nil)
	if err != nil {
		return nil, err
	}
	return c.transport.Proxy(request)
}

// Notices says what the reader of a report must know of the way to the server,
// which calls and measured requests have in common.
func (c *Client) Notices() []string {
	proxy, err := c.proxy()
	if err != nil || proxy == nil {
		return nil
	}
	shown := *proxy
	shown.User = nil
	return []string{fmt.Sprintf("all requests to %s go through the proxy %s, which the environment names, and its time is in every figure; to go past it, list the host in NO_PROXY", c.Base(), shown.String())}
}

// Pause waits for d, or until ctx is done, and then returns its error.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
