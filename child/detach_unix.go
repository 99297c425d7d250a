//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// detach gives the child a process group of its own, so that a Ctrl-C at the
// terminal reaches only exobench, which then ends the run in order.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
