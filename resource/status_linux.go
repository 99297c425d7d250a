package resource

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mostStatuses is of how many processes files are kept open; of further ones the
// file is opened for each reading.
const mostStatuses = 64

// statuses reads resident sizes again and again of the same processes, whose files
// it keeps open: opening and closing one takes as long as reading it. A status file
// is read when what the process's shorter statm says has changed, and once in
// listEvery for what that leaves out.
//
// An open file stays that of its process, and says so when the process has ended,
// even where its number was given to another.
type statuses struct {
	proc procRoot
	kept map[int]*keptStatus
}

// keptStatus is of one process.
type keptStatus struct {
	status, statm *os.File
	// said is what statm said when the status file was read, and read when that was.
	said  []byte
	usage usage
	read  time.Time
}

// resident reads a process's resident set size, as [procRoot.resident] does.
func (s *statuses) resident(pid int) (usage, error) {
	k := s.kept[pid]
	if k == nil {
		if len(s.kept) >= mostStatuses {
			return s.proc.resident(pid)
		}
		var err error
		if k, err = s.open(pid); err != nil {
			return residentOf(nil, err)
		}
		if s.kept == nil {
			s.kept = map[int]*keptStatus{}
		}
		s.kept[pid] = k
	}
	u, err := k.resident()
	if err != nil {
		s.drop(pid)
	}
	return u, err
}

func (k *keptStatus) resident() (usage, error) {
	var page page
	said, err := page.readAgain(k.statm)
	if err != nil {
		return residentOf(nil, err)
	}
	if len(said) > 0 && bytes.Equal(said, k.said) && time.Since(k.read) < listEvery {
		return k.usage, nil
	}
	k.said = append(k.said[:0], said...)
	k.usage, err = residentOf(page.readAgain(k.status))
	k.read = time.Now()
	return k.usage, err
}

func (s *statuses) open(pid int) (*keptStatus, error) {
	statm, err := os.Open(s.proc.of(pid, "/statm"))
	if err != nil {
		return nil, err
	}
	status, err := os.Open(s.proc.of(pid, "/status"))
	if err != nil {
		_ = statm.Close() // nothing was written
		return nil, err
	}
	return &keptStatus{status: status, statm: statm}, nil
}

// keep closes the files of processes that are not among those.
func (s *statuses) keep(pids []int) {
	for pid := range s.kept {
		if !slices.Contains(pids, pid) {
			s.drop(pid)
		}
	}
}

func (s *statuses) drop(pid int) {
	k := s.kept[pid]
	_, _ = k.status.Close(), k.statm.Close() // nothing was written
	delete(s.kept, pid)
}

// readAgain reads a file from its beginning.
//
// Note: ReadAt would read once more, for the end of the file. The call does not
// announce itself to the Go scheduler, which would wake the runtime's monitor thread
// for each: it takes microseconds and no lock that the engine holds for longer.
func (p *page) readAgain(file *os.File) ([]byte, error) {
	for {
		n, _, err := syscall.RawSyscall6(unix.SYS_PREAD64, file.Fd(), uintptr(unsafe.Pointer(p)), uintptr(len(p)), 0, 0, 0)
		switch err {
		case 0:
			runtime.KeepAlive(file)
			return p[:n], nil
		case unix.EINTR:
		default:
			return nil, &os.PathError{Op: "read", Path: file.Name(), Err: err}
		}
	}
}

// residentOf takes the sizes out of a status file.
func residentOf(data []byte, err error) (usage, error) {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH):
		return usage{}, ErrGone
	case err != nil:
		return usage{}, err
	}
	wanted := [...]wantedSize{{key: "VmRSS"}, {key: "RssAnon"}, {key: "RssFile"}, {key: "RssShmem"}, {key: "VmHWM"}, {key: "VmSwap"}}
	sizes(data, wanted[:])
	if !wanted[0].known {
		return usage{}, ErrGone // a zombie has no memory
	}
	u := split(wanted[0], wanted[1], wanted[2], wanted[3])
	u.peak, u.marked = wanted[4].size, wanted[4].known
	u.swap, u.swaps = wanted[5].size, wanted[5].known
	return u, nil
}
