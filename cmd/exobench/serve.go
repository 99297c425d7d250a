package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"exobench/child"
)

// serve serves on the loopback interface until ctx is done, or standard input
// ends where the server is to go with its parent. end ends what the handler has
// under way.
func serve(ctx context.Context, env environment, handler http.Handler, end func(), port int, withParent bool) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("listen: %w: give another --port, or 0 for a free one", err)
	}
	fmt.Fprintf(env.Stdout, "%shttp://%s\n", child.ReadyPrefix, listener.Addr())
	if withParent {
		ctx = untilEnd(ctx, env.Stdin)
	}
	web := &http.Server{Handler: handler}
	context.AfterFunc(ctx, func() {
		end()
		_ = web.Close()
	})
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// untilEnd returns a context that is done when the input ends.
func untilEnd(ctx context.Context, input io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, input)
	}()
	return ctx
}
