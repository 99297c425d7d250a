//go:build unix

package llamacpp

import "syscall"

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// signalGroup sends the signal to all processes of the group.
func signalGroup(leader int, signal syscall.Signal) {
	_ = syscall.Kill(-leader, signal) // it may be gone already
}
