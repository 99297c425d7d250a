package child

import (
	"fmt"
	"io"
	"os/exec"
	"strconv"

	"exobench/internal/panics"
)

// A program that knows nothing of exobench is started by two shells, so that it
// goes with exobench however exobench ends: there is no moment at which exobench
// can be killed and the program stays.
//
// The starter becomes the program once a line comes on its standard input, and
// ends if the input does before that. In between, the parent watch is set up: it
// reads from a pipe which only exobench holds open, and kills the program's
// process group when the pipe closes without a line.
//
// Note: Linux can send a child a signal when its parent dies, but the signal
// comes with the end of the thread that forked, not of the process, and macOS
// has nothing like it.
const (
	shell       = "/bin/sh"
	starter     = `read -r go && exec "$0" "$@" </dev/null`
	parentWatch = `trap '' HUP INT TERM; read -r over || kill -KILL "-$0"`
)

// Command is a program to start.
type Command struct {
	// What names it in errors, such as "llama-server".
	What string
	// Path is the program's absolute path.
	Path string
	Args []string
	// Env is its environment, as in exec.Cmd.
	Env []string
	// Stdout, where set, is given what the program writes to its standard output,
	// as it comes and from one goroutine; Output then has only what it writes to
	// its standard error.
	Stdout io.Writer
}

// Start starts a program that goes with exobench. What it writes is kept; its
// standard input is empty.
func Start(c Command) (*Process, error) {
	cmd := exec.Command(shell, append([]string{"-c", starter, c.Path}, c.Args...)...)
	cmd.Env = c.Env
	p := newProcess(c.What, cmd)
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	begin, err := p.launch()
	if err != nil {
		return nil, err
	}
	watcher := exec.Command(shell, "-c", parentWatch, strconv.Itoa(p.PID))
	watch, err := launch(watcher)
	if err != nil {
		begin.Close() // which ends the starter
		p.cmd.Wait()
		return nil, fmt.Errorf("start the watch over %s: %w", c.What, err)
	}
	_, err = io.WriteString(begin, "go\n")
	begin.Close()
	go panics.Caught(func() {
		p.await(func() {
			io.WriteString(watch, "over\n")
			watch.Close()
			watcher.Wait()
		})
	})()
	if err != nil {
		p.Kill()
		return nil, fmt.Errorf("start %s: %w", c.What, err)
	}
	return p, nil
}
