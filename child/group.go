package child

import (
	"os/exec"
	"syscall"
)

// ownGroup gives the command a process group of its own, so that a Ctrl-C at the
// terminal reaches only exobench, which then ends the run in order.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// signalGroup sends the signal to all processes of the group.
func signalGroup(leader int, signal syscall.Signal) {
	_ = syscall.Kill(-leader, signal) // it may be gone already
}
