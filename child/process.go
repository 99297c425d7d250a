// Package child starts and ends servers that are child processes of the same
// binary on a free port of the loopback interface: the embedded engine and the
// timing reference.
//
// The child's standard input is a pipe whose other end only this process holds.
// The child ends when the pipe does, so it goes with its parent whatever way the
// parent dies.
package child

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ReadyPrefix is what a server's first line of output begins with; its URL
// follows.
const ReadyPrefix = "exobench listening on "

const (
	startTime = 20 * time.Second
	stopTime  = 5 * time.Second
	// errorTail is how much of the child's errors a message quotes.
	errorTail = 400
)

// Process is a running server.
type Process struct {
	// URL is where it serves.
	URL string
	// PID is its process id.
	PID int

	what   string
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *tail
	exited chan struct{}
}

// Start runs the program with the arguments and waits until it says where it
// serves. what names it in errors; ctx bounds the start only.
func Start(ctx context.Context, what, program string, args ...string) (*Process, error) {
	cmd := exec.Command(program, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", what, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", what, err)
	}
	stderr := &tail{}
	cmd.Stderr = stderr
	// A process group of its own, so that a Ctrl-C at the terminal reaches only
	// exobench, which then ends the run in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", what, err)
	}
	p := &Process{what: what, PID: cmd.Process.Pid, cmd: cmd, stdin: stdin, stderr: stderr, exited: make(chan struct{})}
	ready := make(chan string, 1)
	go p.follow(stdout, ready)
	if err := p.await(ctx, ready); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// follow reads the child's output to its end, and then reaps the child.
func (p *Process) follow(stdout io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), ReadyPrefix); ok {
			select {
			case ready <- url:
			default:
			}
		}
	}
	p.cmd.Wait()
	close(p.exited)
}

func (p *Process) await(ctx context.Context, ready <-chan string) error {
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case p.URL = <-ready:
		return nil
	case <-p.exited:
		return fmt.Errorf("%s ended at its start: %s", p.what, p.stderr)
	case <-timer.C:
		return fmt.Errorf("%s did not start within %v: %s", p.what, startTime, p.stderr)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop ends the server and waits until it is gone.
func (p *Process) Stop() {
	p.stdin.Close()
	select {
	case <-p.exited:
	case <-time.After(stopTime):
		p.cmd.Process.Kill()
		<-p.exited
	}
}

// tail keeps the last bytes written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - errorTail; over > 0 {
		t.text = t.text[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.text) == 0 {
		return "it said nothing"
	}
	return strings.Join(strings.Fields(string(t.text)), " ")
}
