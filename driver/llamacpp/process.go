package llamacpp

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// A server is started by two shells, so that it goes with exobench however
// exobench ends: there is no moment at which exobench can be killed and the
// server stays.
//
// The gate becomes the server once a line comes on its standard input, and ends
// if the input does before that. In between, the leash is laid: a watcher that
// reads from a pipe which only exobench holds open, and kills the server's
// process group when the pipe closes without a line.
//
// Note: Linux can send a child a signal when its parent dies, but the signal
// comes with the end of the thread that forked, not of the process, and macOS
// has nothing like it.
const (
	shell = "/bin/sh"
	gate  = `read -r go && exec "$0" "$@" </dev/null`
	leash = `trap '' HUP INT TERM; read -r over || kill -KILL "-$0"`
)

// drainTime bounds the wait for the rest of the output of a process that is
// gone, which another may hold open.
const drainTime = time.Second

// process is a running server.
type process struct {
	pid  int
	tail *tail
	// ended is closed when the process is gone and reaped; how then says how
	// it ended.
	ended chan struct{}
	how   string

	server  *exec.Cmd
	watcher *exec.Cmd
	leash   io.WriteCloser
}

// startProcess starts the program, an absolute path.
func startProcess(program string, args, env []string) (*process, error) {
	p := &process{tail: &tail{}, ended: make(chan struct{})}
	p.server = exec.Command(shell, append([]string{"-c", gate, program}, args...)...)
	p.server.Env = env
	p.server.Stdout, p.server.Stderr = p.tail, p.tail
	p.server.WaitDelay = drainTime
	open, err := launch(p.server)
	if err != nil {
		return nil, fmt.Errorf("start llama-server: %w", err)
	}
	p.pid = p.server.Process.Pid
	p.watcher = exec.Command(shell, "-c", leash, strconv.Itoa(p.pid))
	p.leash, err = launch(p.watcher)
	if err != nil {
		open.Close()
		p.server.Wait()
		return nil, fmt.Errorf("start llama-server's watcher: %w", err)
	}
	_, err = io.WriteString(open, "go\n")
	open.Close()
	go p.await()
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("start llama-server: %w", err)
	}
	return p, nil
}

// launch starts a command in a process group of its own, which a Ctrl-C at the
// terminal does not reach, and returns its standard input.
func launch(cmd *exec.Cmd) (io.WriteCloser, error) {
	cmd.SysProcAttr = ownGroup()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return stdin, cmd.Start()
}

// await reaps the server and takes off the leash.
func (p *process) await() {
	err := p.server.Wait()
	// What is left of its group, if anything, goes too.
	signalGroup(p.pid, syscall.SIGKILL)
	p.how = "exit status 0"
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		p.how = err.Error()
	}
	io.WriteString(p.leash, "over\n")
	p.leash.Close()
	p.watcher.Wait()
	close(p.ended)
}

// running reports whether the process has not been reaped.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// endError says how and why the process ended by itself.
func (p *process) endError() error {
	how := p.how
	if how == "signal: killed" {
		how = "killed, by the system for want of memory or by somebody"
	}
	return fmt.Errorf("llama-server ended (%s): %s", how, p.tail.telling())
}

// killTime bounds the wait for a killed process: one that hangs in a driver
// cannot be waited for.
const killTime = 10 * time.Second

// kill ends the process at once and waits until it is gone.
func (p *process) kill() error {
	signalGroup(p.pid, syscall.SIGKILL)
	if !p.gone(killTime) {
		return fmt.Errorf("llama-server (process %d) does not end, even killed", p.pid)
	}
	return nil
}

// stop ends the process in order and waits until it is gone: llama-server waits
// at the first signal for requests that never end, and heeds a second. It
// returns what it took, if that was more than one signal.
func (p *process) stop(patience time.Duration) (took string, err error) {
	for _, took := range []string{"", "it took a second SIGTERM"} {
		signalGroup(p.pid, syscall.SIGTERM)
		if p.gone(patience) {
			return took, nil
		}
	}
	return "it heeded no SIGTERM and was killed", p.kill()
}

// gone waits for the end of the process, at most so long.
func (p *process) gone(patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
		return false
	}
}
