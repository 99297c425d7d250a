//go:build !linux

package resource

import (
	"context"
	"net/netip"
	"strings"
	"syscall"

	"github.com/shirou/gopsutil/v4/net"
)

// listening returns the sockets that listen on port, one entry for each process
// that holds one; on macOS, as lsof shows them.
func listening(ctx context.Context, port uint16) ([]listener, error) {
	connections, err := net.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return nil, err
	}
	var found []listener
	for _, c := range connections {
		if c.Status != "LISTEN" || c.Laddr.Port != uint32(port) {
			continue
		}
		if addr, ok := boundAddr(c); ok {
			found = append(found, listener{Addr: addr, PIDs: []int{int(c.Pid)}})
		}
	}
	return found, nil
}

// readPorts returns the ports that each process serves, and those of this host
// that it is connected to.
func readPorts(ctx context.Context) (ports, error) {
	all := ports{serves: map[int][]uint16{}, dials: map[int][]uint16{}}
	connections, err := net.ConnectionsWithContext(ctx, "tcp")
	for _, c := range connections {
		pid := int(c.Pid)
		switch {
		case c.Status == "LISTEN":
			all.serves[pid] = append(all.serves[pid], uint16(c.Laddr.Port))
		case c.Status == "ESTABLISHED" && c.Raddr.IP == c.Laddr.IP:
			all.dials[pid] = append(all.dials[pid], uint16(c.Raddr.Port))
		}
	}
	return all, err
}

// boundAddr reads a local address; lsof writes a wildcard as "*" and IPv6 in
// brackets.
func boundAddr(c net.ConnectionStat) (netip.Addr, bool) {
	text := strings.Trim(c.Laddr.IP, "[]")
	if text == "*" {
		if c.Family == syscall.AF_INET6 {
			return netip.IPv6Unspecified(), true
		}
		return netip.IPv4Unspecified(), true
	}
	addr, err := netip.ParseAddr(text)
	return addr.Unmap().WithZone(""), err == nil
}
