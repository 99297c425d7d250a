package child

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"time"

	"exobench/internal/panics"
)

// ReadyPrefix is what one of exobench's own servers writes to its standard
// output before the URL at which it serves, on a line of its own.
const ReadyPrefix = "exobench listening on "

const (
	startTime = 20 * time.Second
	stopTime  = 5 * time.Second
)

// Server is one of exobench's own servers, on a free port of the loopback
// interface: the embedded engine or the timing reference.
//
// Its standard input is a pipe whose other end only this process holds. It ends
// when the pipe does, so it goes with its parent whatever way the parent dies. Its
// first line is the token that the server wants with every request: no argument
// and no environment shows it, so that no other process can disturb a run.
type Server struct {
	// URL is where it serves.
	URL string
	// PID is its process id.
	PID int
	// Token is what it wants every request to carry as a bearer token.
	Token string

	process *Process
	stdin   io.Closer
}

// Serve runs the program with the arguments and waits until it says where it
// serves. what names it in errors; ctx bounds the start only.
func Serve(ctx context.Context, what, program string, args ...string) (*Server, error) {
	p := newProcess(what, exec.Command(program, args...))
	ready := make(chan string, 1)
	p.cmd.Stdout = &announcement{found: ready}
	stdin, err := p.launch()
	if err != nil {
		return nil, err
	}
	go panics.Caught(func() { p.await(func() {}) })()
	s := &Server{PID: p.PID, Token: rand.Text(), process: p, stdin: stdin}
	// Where it cannot be told, the server is gone, and that is said below.
	_, _ = io.WriteString(stdin, s.Token+"\n")
	if s.URL, err = p.ready(ctx, ready); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// ready waits until the server says where it serves.
func (p *Process) ready(ctx context.Context, url <-chan string) (string, error) {
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case url := <-url:
		return url, nil
	case <-p.ended:
		return "", fmt.Errorf("%s ended at its start (%s): %s", p.what, p.How(), p.output.quote())
	case <-timer.C:
		return "", fmt.Errorf("%s did not start within %v: %s", p.what, startTime, p.output.quote())
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Stop ends the server and waits until it is gone.
func (s *Server) Stop() error {
	s.stdin.Close()
	if s.process.Gone(stopTime) {
		return nil
	}
	return s.process.Kill()
}

// Header returns what every request to the server must carry, beside what else
// it does.
func (s *Server) Header(more http.Header) http.Header {
	header := http.Header{}
	maps.Copy(header, more)
	header.Set("Authorization", "Bearer "+s.Token)
	return header
}

// Kill ends a server that hangs, and waits until it is gone.
func (s *Server) Kill() error {
	s.stdin.Close()
	return s.process.Kill()
}

// Running reports whether the server has not ended.
func (s *Server) Running() bool { return s.process.Running() }
