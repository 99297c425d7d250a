//go:build !linux

package resource

import (
	"context"
	"net/netip"
	"strings"
	"syscall"

	"github.com/shirou/gopsutil/v4/net"
)

// readSockets returns the sockets of this host, one entry for each process that
// holds one; on macOS, as lsof shows them.
func readSockets(ctx context.Context, _ uint16) ([]socket, error) {
	connections, err := net.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return nil, err
	}
	var all []socket
	for _, c := range connections {
		switch {
		case c.Status == "LISTEN":
			if addr, ok := boundAddr(c); ok {
				all = append(all, socket{local: netip.AddrPortFrom(addr, uint16(c.Laddr.Port)), pids: []int{int(c.Pid)}})
			}
		case c.Status == "ESTABLISHED" && c.Raddr.IP == c.Laddr.IP:
			all = append(all, socket{dials: uint16(c.Raddr.Port), pids: []int{int(c.Pid)}})
		}
	}
	return all, nil
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
