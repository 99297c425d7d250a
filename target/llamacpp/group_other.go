//go:build !unix

package llamacpp

import "syscall"

// startsServers is false: there is no shell to start a server by.
const startsServers = false

func ownGroup() *syscall.SysProcAttr { return nil }

func signalGroup(int, syscall.Signal) {}
