package api

import (
	"context"
	"net"
	"net/http"
	"time"
)

// Alive returns nil if the server takes connections now. One that is busy does,
// so no answer is waited for, except where a proxy stands before it: that takes
// connections for a server that is gone.
func (c *Client) Alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL("/"), nil)
	if err != nil {
		return &CallError{Call: c.name(http.MethodGet, "/"), Err: err}
	}
	if proxy, err := c.transport.Proxy(request); err == nil && proxy == nil {
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
