package resource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// processTable reads the table of this host's processes.
func processTable(ctx context.Context) (*processes, error) {
	return procRoot("/proc").table(ctx, os.Getpid())
}

func (r procRoot) table(ctx context.Context, self int) (*processes, error) {
	pids, err := r.pids()
	if err != nil {
		return nil, err
	}
	all := map[int]kin{}
	for _, pid := range pids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if k, state, err := r.kin(pid); err == nil && state != 'Z' && state != 'X' {
			all[pid] = k
		}
	}
	return newProcesses(all, self, r.service), nil
}

// kin reads what ties a process to others, and its state.
func (r procRoot) kin(pid int) (k kin, state byte, err error) {
	var page page
	data, err := page.read(r.of(pid, "/stat"))
	if err != nil {
		return kin{}, 0, err
	}
	// The name of the program, in brackets, may hold blanks and brackets.
	open, shut := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || shut < open {
		return kin{}, 0, fmt.Errorf("process %d: stat is %q", pid, data)
	}
	fields := bytes.Fields(data[shut+1:])
	if len(fields) < 4 {
		return kin{}, 0, fmt.Errorf("process %d: stat is %q", pid, data)
	}
	number := func(field int) int {
		if field-3 >= len(fields) {
			return 0
		}
		n, _ := strconv.Atoi(string(fields[field-3]))
		return n
	}
	return kin{
		parent: number(4), group: number(5), session: number(6), started: uint64(number(22)),
		name: string(data[open+1 : shut]),
	}, fields[0][0], nil
}

// startsPerSecond is the unit in which the system tells when processes started.
const startsPerSecond = 100

// startOf returns when a process started; it is absent where the process has
// ended.
func startOf(_ context.Context, pid int) (uint64, bool) { return procRoot("/proc").startOf(pid) }

func (r procRoot) startOf(pid int) (uint64, bool) {
	k, state, err := r.kin(pid)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || state == 'Z' || state == 'X' {
		return 0, false
	}
	return k.started, err == nil
}
