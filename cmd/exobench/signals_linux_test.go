package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (controller, terminal *os.File) {
	t.Helper()
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here:", err)
	}
	t.Cleanup(func() { controller.Close() })
	fd := int(controller.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return controller, terminal
}

func TestATerminalThatIsClosedEndsTheRunInOrder(t *testing.T) {
	controller, terminal := openTerminal(t)
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
