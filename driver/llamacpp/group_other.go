//go:build !unix

package llamacpp

import "syscall"

func ownGroup() *syscall.SysProcAttr { return nil }

func signalGroup(int, syscall.Signal) {}
