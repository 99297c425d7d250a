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

// tcpListen is TCP_LISTEN as /proc/net/tcp writes it.
const tcpListen = 0x0A

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
	byInode := map[string]int{}
	var found []listener
	for _, table := range []func() (procfs.NetTCP, error){proc.NetTCP, proc.NetTCP6} {
		lines, err := table()
		if errors.Is(err, fs.ErrNotExist) {
			continue // no IPv6 here
		}
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			addr, ok := netip.AddrFromSlice(line.LocalAddr)
			if !ok || line.St != tcpListen || line.LocalPort != uint64(port) {
				continue
			}
			byInode[fmt.Sprintf("socket:[%d]", line.Inode)] = len(found)
			found = append(found, listener{Addr: addr.Unmap(), Owner: userName(line.UID)})
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found, addHolders(ctx, proc, found, byInode)
}

// addHolders fills in which processes have one of the sockets open. Processes
// whose files may not be looked at are passed over.
func addHolders(ctx context.Context, proc procfs.FS, found []listener, byInode map[string]int) error {
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
			if !strings.HasPrefix(target, "socket:") {
				continue
			}
			if i, ok := byInode[target]; ok {
				found[i].PIDs = append(found[i].PIDs, p.PID)
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
