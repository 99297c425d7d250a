//go:build !unix

package child

import (
	"os"
	"os/exec"
	"syscall"
)

func ownGroup(*exec.Cmd) {}

// signalGroup ends the process at once: there are no groups here, and no
// signals that ask.
func signalGroup(leader int, _ syscall.Signal) {
	if p, err := os.FindProcess(leader); err == nil {
		_ = p.Kill() // it may be gone already
	}
}
