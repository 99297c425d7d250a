package resource

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// The states TCP_ESTABLISHED and TCP_LISTEN as /proc/net/tcp writes them.
const (
	tcpEstablished = 0x01
	tcpListen      = 0x0A
)

// readSockets returns the sockets of this network namespace. The processes that
// hold them are looked for, in the files that every process has open, only where
// one listens on the port.
//
// Note: gopsutil's net.Connections names one process per socket and drops the
// second of two sockets with the same address, so it cannot tell a server from
// its workers.
func readSockets(ctx context.Context, port uint16) ([]socket, error) {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, err
	}
	lines, err := tcpLines(proc)
	if err != nil {
		return nil, err
	}
	var all []socket
	byInode := map[uint64]int{}
	for _, line := range lines {
		addr, ok := netip.AddrFromSlice(line.LocalAddr)
		switch {
		case !ok:
		case line.St == tcpListen:
			byInode[line.Inode] = len(all)
			all = append(all, socket{
				local: netip.AddrPortFrom(addr.Unmap(), uint16(line.LocalPort)),
				owner: func() *owner { return &owner{line.UID, userName(line.UID)} },
			})
		case line.St == tcpEstablished && (line.RemAddr.IsLoopback() || line.RemAddr.Equal(line.LocalAddr)):
			byInode[line.Inode] = len(all)
			all = append(all, socket{dials: uint16(line.RemPort)})
		}
	}
	if !slices.ContainsFunc(all, func(s socket) bool { return s.dials == 0 && s.local.Port() == port }) {
		return all, nil
	}
	return all, eachSocket(ctx, proc, func(pid int, inode uint64) {
		if i, ok := byInode[inode]; ok {
			all[i].pids = append(all[i].pids, pid)
		}
	})
}

// tcpLines are the sockets of this network namespace.
func tcpLines(proc procfs.FS) (procfs.NetTCP, error) {
	var all procfs.NetTCP
	for _, table := range []func() (procfs.NetTCP, error){proc.NetTCP, proc.NetTCP6} {
		lines, err := table()
		if errors.Is(err, fs.ErrNotExist) {
			continue // no IPv6 here
		}
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	return all, nil
}

// eachSocket calls found with each socket that a process has open. Processes whose
// files may not be looked at are passed over.
func eachSocket(ctx context.Context, proc procfs.FS, found func(pid int, inode uint64)) error {
	processes, err := proc.AllProcs()
	if err != nil {
		return err
	}
	for _, p := range processes {
		if err := ctx.Err(); err != nil {
			return err
		}
		targets, err := p.FileDescriptorTargets()
		if err != nil {
			continue
		}
		for _, target := range targets {
			number, ok := strings.CutPrefix(target, "socket:[")
			if !ok {
				continue
			}
			if inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64); err == nil {
				found(p.PID, inode)
			}
		}
	}
	return nil
}

func userName(uid uint64) string {
	id := strconv.FormatUint(uid, 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
