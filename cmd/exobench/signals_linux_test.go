package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"exobench/internal/pty"
)

func TestATerminalThatIsClosedEndsTheRunInOrder(t *testing.T) {
	controller, terminal := pty.Open(t)
	read := make(chan struct{})
	cmd, out, engine := longRunIn(t, func(cmd *exec.Cmd) {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
		cmd.Env = append(os.Environ(), "TERM=xterm-256color")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		go func() {
			defer close(read)
			// The live view needs somebody who reads it.
			for buffer := make([]byte, 4096); ; {
				if _, err := controller.Read(buffer); err != nil {
					return
				}
			}
		}()
	})
	terminal.Close()
	controller.Close()                // the kernel's SIGHUP
	signalled(t, cmd, syscall.SIGHUP) // and that of its shell
	cmd.Wait()
	<-read
	checkOrderlyEnd(t, cmd, out, engine)
}
