// Package child starts programs that serve on this host, keeps the last of what
// they say, and ends them: servers of other makers, such as llama-server, and
// exobench's own, which are child processes of the same binary.
//
// Each runs in a process group of its own and goes with exobench, however
// exobench ends: see parentwatch.go for programs that know nothing of exobench,
// and server.go for its own.
package child

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// drainTime bounds the wait for the rest of the output of a process that is
// gone, which another may hold open.
const drainTime = time.Second

// killTime bounds the wait for a killed process: one that hangs in a driver
// cannot be waited for.
const killTime = 10 * time.Second

// Process is a program that was started. It is safe for concurrent use.
type Process struct {
	// PID is its process id, and that of its group.
	PID int

	what   string
	cmd    *exec.Cmd
	output output
	// ended is closed when the process is gone and reaped; how then says how
	// it ended.
	ended chan struct{}
	how   string
}

// newProcess returns a process that launch can start. what names it in errors.
func newProcess(what string, cmd *exec.Cmd) *Process {
	p := &Process{what: what, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	cmd.WaitDelay = drainTime
	return p
}

// launch starts the process and returns its standard input. The caller must see
// to it that await runs.
func (p *Process) launch() (io.WriteCloser, error) {
	stdin, err := launch(p.cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.what, err)
	}
	p.PID = p.cmd.Process.Pid
	return stdin, nil
}

// launch starts a command in a process group of its own and returns its
// standard input.
func launch(cmd *exec.Cmd) (io.WriteCloser, error) {
	ownGroup(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return stdin, cmd.Start()
}

// await reaps the process, and calls over before it says that it is gone.
func (p *Process) await(over func()) {
	err := p.cmd.Wait()
	// What is left of its group, if anything, goes too.
	signalGroup(p.PID, syscall.SIGKILL)
	p.how = "exit status 0"
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		p.how = err.Error()
	}
	over()
	close(p.ended)
}

// Output returns the last of what the process wrote, up to 64 KiB.
func (p *Process) Output() string { return p.output.String() }

// Running reports whether the process has not been reaped.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Ended returns a channel that is closed when the process is gone and all that it
// wrote was read.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Gone waits for the end of the process, at most so long.
func (p *Process) Gone(patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
		return false
	}
}

// How says how a process that is gone ended, such as "exit status 1". It must
// not be called while the process runs.
func (p *Process) How() string {
	if p.how == "signal: killed" {
		return "killed, by the system for want of memory or by somebody"
	}
	return p.how
}

// Kill ends the process and its group at once, and waits until it is gone.
func (p *Process) Kill() error {
	signalGroup(p.PID, syscall.SIGKILL)
	if !p.Gone(killTime) {
		return fmt.Errorf("%s (process %d) does not end, even killed", p.what, p.PID)
	}
	return nil
}

// Stop ends the process in order and waits until it is gone: with a SIGTERM,
// another one for servers that wait at the first for requests which never end,
// and then by force. It waits for each as long as patience. It returns what it
// took, if that was more than one signal.
func (p *Process) Stop(patience time.Duration) (took string, err error) {
	for _, took := range []string{"", "it took a second SIGTERM"} {
		signalGroup(p.PID, syscall.SIGTERM)
		if p.Gone(patience) {
			return took, nil
		}
	}
	return "it heeded no SIGTERM and was killed", p.Kill()
}
