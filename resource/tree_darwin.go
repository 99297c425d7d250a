package resource

import (
	"context"
	"fmt"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

func (t Tree) read(ctx context.Context) (memory, error) {
	pids := t.members
	if pids == nil {
		var err error
		if pids, err = listTree(ctx, t); err != nil {
			return memory{}, err
		}
	}
	return footprints(ctx, pids, rusageOf)
}

// procPidRusage is the address of int proc_pid_rusage(int pid, int flavor,
// rusage_info_t *buffer) in the system's library (libproc.h).
//
// Note: purego calls it without cgo, so that the program is cross-compiled as
// before; gopsutil, which needs it too, reads the second version of the structure
// only, in which there is no peak.
var procPidRusage = sync.OnceValues(func() (uintptr, error) {
	library, err := purego.Dlopen("/usr/lib/libSystem.B.dylib", purego.RTLD_LAZY|purego.RTLD_GLOBAL)
	if err != nil {
		return 0, err
	}
	return purego.Dlsym(library, "proc_pid_rusage")
})

// rusageOf asks the system for the figures of a process. It needs no root for
// processes of the same user.
func rusageOf(pid int) (rusageInfo, error) {
	function, err := procPidRusage()
	if err != nil {
		return rusageInfo{}, fmt.Errorf("proc_pid_rusage: %w", err)
	}
	info := new(rusageInfo)
	result, _, errno := purego.SyscallN(function, uintptr(pid), rusageInfoV4, uintptr(unsafe.Pointer(info)))
	if int32(result) == 0 {
		if info.ProcExitAbsTime != 0 {
			return rusageInfo{}, ErrGone // a zombie
		}
		return *info, nil
	}
	switch unix.Errno(errno) {
	case unix.ESRCH:
		return rusageInfo{}, ErrGone
	case unix.EPERM, unix.EACCES:
		return rusageInfo{}, errHidden
	}
	return rusageInfo{}, fmt.Errorf("proc_pid_rusage of process %d: %w", pid, unix.Errno(errno))
}
