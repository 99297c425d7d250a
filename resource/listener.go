package resource

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

var (
	// ErrNotLocal means that the address is not one of this host's.
	ErrNotLocal = errors.New("not an address of this host")
	// ErrNotFound means that the process behind an address cannot be told.
	ErrNotFound = errors.New("engine process not found")
)

// listener is a TCP socket in the listening state.
type listener struct {
	Addr netip.Addr
	// PIDs are the processes that hold it, as far as they can be seen.
	PIDs []int
	// Owner is the user who made it; nil where the system does not tell.
	Owner *owner
}

// owner is a user of this host.
type owner struct {
	uid  uint64
	name string
}

// hiddenError means that a socket is there, and whose, but that the processes which
// hold it cannot be seen.
type hiddenError struct {
	hostport string
	owner    *owner
}

func (e *hiddenError) Error() string {
	if e.owner == nil {
		return fmt.Sprintf("%v: a process of another user, or one in a container, listens at %s and cannot be seen from here; "+
			"run exobench as the user that the engine runs as, or as root", ErrNotFound, e.hostport)
	}
	as := "as that user (sudo -u " + e.owner.name + "), or with sudo"
	if e.owner.uid == 0 {
		as = "with sudo"
	}
	return fmt.Sprintf("%v: a process of user %s, or one in a container, listens at %s and cannot be seen from here; "+
		"run exobench %s, or give it the right to look (setcap cap_sys_ptrace,cap_dac_read_search+ep); for an engine in a container, run it on the container's host as root",
		ErrNotFound, e.owner.name, e.hostport, as)
}

func (e *hiddenError) Unwrap() error { return ErrNotFound }

// FindListener returns the process that listens at hostport on this host. Where
// several hold the socket (a server and its workers), it is the ancestor of
// the others. The error wraps [ErrNotLocal] or [ErrNotFound] where one of them
// is the reason.
func FindListener(ctx context.Context, hostport string) (int, error) {
	holders, _, err := holdersOf(ctx, hostport)
	if err != nil {
		return 0, err
	}
	table, err := processTable(ctx)
	if err != nil {
		return 0, fmt.Errorf("find the engine process: %w", err)
	}
	tops := table.tops(holders)
	return tops[0], notRelays(ctx, tops, hostport)
}

// holdersOf returns the processes that hold the sockets which a connection to
// hostport reaches, and the sockets of this host; where the processes cannot be
// seen, the error is a [hiddenError]. A service manager holds the sockets that it
// hands to its services: it is left out while anybody else is there.
func holdersOf(ctx context.Context, hostport string) ([]int, []socket, error) {
	host, service, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, nil, fmt.Errorf("find the engine process: %w", err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, nil, fmt.Errorf("find the engine process: port %q is not a number up to 65535", service)
	}
	addrs, err := localAddrs(ctx, host)
	if err != nil {
		return nil, nil, err
	}
	sockets, err := readSockets(ctx, uint16(port))
	if err != nil {
		return nil, nil, fmt.Errorf("find the engine process: %w", err)
	}
	chosen := choose(listening(sockets, uint16(port)), addrs)
	if len(chosen) == 0 {
		return nil, nil, fmt.Errorf("%w: nothing that can be seen from here listens at %s", ErrNotFound, hostport)
	}
	var pids []int
	for _, l := range chosen {
		pids = append(pids, l.PIDs...)
	}
	if len(pids) == 0 {
		return nil, sockets, &hiddenError{hostport, chosen[0].Owner}
	}
	return slices.Compact(slices.Sorted(slices.Values(pids))), sockets, nil
}

// localAddrs resolves host to those of its addresses that are this host's, in
// the order in which a client would try them.
func localAddrs(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("find the engine process: %w", err)
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("find the engine process: %w", err)
	}
	var ours []netip.Addr
	for _, addr := range addrs {
		addr = addr.Unmap().WithZone("")
		if addr.IsLoopback() || addr.IsUnspecified() || slices.ContainsFunc(interfaces, func(a net.Addr) bool {
			prefix, ok := a.(*net.IPNet)
			return ok && prefix.IP.Equal(addr.AsSlice())
		}) {
			ours = append(ours, addr)
		}
	}
	if len(ours) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNotLocal, host)
	}
	return ours, nil
}

// choose returns the listeners that a connection to the first answering
// address reaches: one bound to the address itself goes before a wildcard, and
// an IPv6 wildcard takes IPv4 as well.
func choose(listeners []listener, addrs []netip.Addr) []listener {
	for _, addr := range addrs {
		tiers := []netip.Addr{addr, netip.IPv4Unspecified(), netip.IPv6Unspecified()}
		switch {
		case addr.IsUnspecified():
			// Connecting to a wildcard address reaches the loopback.
			tiers = []netip.Addr{loopback(addr), addr, netip.IPv6Unspecified()}
		case addr.Is6():
			tiers = []netip.Addr{addr, netip.IPv6Unspecified()}
		}
		for _, tier := range tiers {
			var found []listener
			for _, l := range listeners {
				if l.Addr == tier {
					found = append(found, l)
				}
			}
			if len(found) > 0 {
				return found
			}
		}
	}
	return nil
}

func loopback(like netip.Addr) netip.Addr {
	if like.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}
