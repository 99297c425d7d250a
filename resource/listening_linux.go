package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os/user"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// The states TCP_ESTABLISHED and TCP_LISTEN as /proc/net/tcp writes them.
const (
	tcpEstablished = 0x01
	tcpListen      = 0x0A
)

// listening returns the sockets that listen on port in this network namespace.
//
// Note: gopsutil's net.Connections names one process per socket and drops the
// second of two sockets with the same address, so it cannot tell a server from
// its workers.
func listening(ctx context.Context, port uint16) ([]listener, error) {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, err
	}
	lines, err := tcpLines(proc)
	if err != nil {
		return nil, err
	}
	var found []listener
	byInode := map[string]int{}
	for _, line := range lines {
		addr, ok := netip.AddrFromSlice(line.LocalAddr)
		if !ok || line.St != tcpListen || line.LocalPort != uint64(port) {
			continue
		}
		byInode[socketName(line.Inode)] = len(found)
		found = append(found, listener{Addr: addr.Unmap(), Owner: userName(line.UID)})
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found, eachSocket(ctx, proc, func(pid int, socket string) {
		if i, ok := byInode[socket]; ok {
			found[i].PIDs = append(found[i].PIDs, pid)
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

// socketName is how a file descriptor of a socket is shown.
func socketName(inode uint64) string { return fmt.Sprintf("socket:[%d]", inode) }

// eachSocket calls found with each socket that a process has open. Processes whose
// files may not be looked at are passed over.
func eachSocket(ctx context.Context, proc procfs.FS, found func(pid int, socket string)) error {
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
			if strings.HasPrefix(target, "socket:") {
				found(p.PID, target)
			}
		}
	}
	return nil
}

// readPorts returns the ports that each process serves, and those of this host
// that it is connected to.
func readPorts(ctx context.Context) (ports, error) {
	all := ports{serves: map[int][]uint16{}, dials: map[int][]uint16{}}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return all, err
	}
	lines, err := tcpLines(proc)
	if err != nil {
		return all, err
	}
	serves, dials := map[string]uint16{}, map[string]uint16{}
	for _, line := range lines {
		switch {
		case line.St == tcpListen:
			serves[socketName(line.Inode)] = uint16(line.LocalPort)
		case line.St == tcpEstablished && (line.RemAddr.IsLoopback() || line.RemAddr.Equal(line.LocalAddr)):
			dials[socketName(line.Inode)] = uint16(line.RemPort)
		}
	}
	return all, eachSocket(ctx, proc, func(pid int, socket string) {
		if port, ok := serves[socket]; ok {
			all.serves[pid] = append(all.serves[pid], port)
		}
		if port, ok := dials[socket]; ok {
			all.dials[pid] = append(all.dials[pid], port)
		}
	})
}

func userName(uid uint64) string {
	id := strconv.FormatUint(uid, 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
