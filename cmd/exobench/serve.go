package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/pflag"

	"exobench/child"
	"exobench/driver"
	"exobench/internal/panics"
)

// serveFlags are the flags of exobench's own servers.
type serveFlags struct {
	port       int
	token      string
	withParent bool
}

func (f *serveFlags) register(flags *pflag.FlagSet, port int) {
	flags.IntVar(&f.port, "port", port, "port to listen on; 0 takes a free one")
	flags.StringVar(&f.token, "token", "", "serve only requests with this bearer token; $VARIABLE is that environment variable")
	flags.BoolVar(&f.withParent, "with-parent", false, "take the token from the first line of standard input, and end when the input ends")
	_ = flags.MarkHidden("with-parent")
}

// tokenOf returns the token that requests must carry; empty where every process
// of this machine may use the server. A parent tells it over standard input,
// where no list of processes shows it.
func (f *serveFlags) tokenOf(env environment) (string, error) {
	if f.withParent {
		line, err := readLine(env.Stdin)
		if err != nil {
			return "", fmt.Errorf("read the token from standard input: %w", err)
		}
		return line, nil
	}
	variable, ok := strings.CutPrefix(f.token, "$")
	if !ok {
		return f.token, nil
	}
	token := env.Getenv(variable)
	if token == "" {
		return "", driver.UsageError{Err: fmt.Errorf("--token: the environment variable %s is not set", variable)}
	}
	return token, nil
}

// readLine reads a line and nothing of what follows it.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return string(line), nil
		}
		line = append(line, one[0])
	}
}

// serve serves on the loopback interface until ctx is done, or standard input
// ends where the server is to go with its parent. end ends what the handler has
// under way.
func (f *serveFlags) serve(ctx context.Context, env environment, handler http.Handler, end func()) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", f.port))
	if err != nil {
		return fmt.Errorf("listen: %w: give another --port, or 0 for a free one", err)
	}
	fmt.Fprintf(env.Stdout, "%shttp://%s\n", child.ReadyPrefix, listener.Addr())
	if f.withParent {
		ctx = untilEnd(ctx, env.Stdin)
	}
	web := &http.Server{Handler: handler}
	context.AfterFunc(ctx, panics.Caught(func() {
		end()
		_ = web.Close()
	}))
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// untilEnd returns a context that is done when the input ends.
func untilEnd(ctx context.Context, input io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go panics.Caught(func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, input)
	})()
	return ctx
}
