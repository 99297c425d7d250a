package resource

import "net/netip"

// socket is a TCP socket of this host that listens, or is connected to a port of
// this host.
type socket struct {
	// local is where it listens, with its port; of one that is connected it is not
	// set.
	local netip.AddrPort
	// dials is the port that it is connected to; 0 of one that listens.
	dials uint16
	// owner tells the user who made it, where the system tells; it may be nil.
	owner func() *owner
	// pids are the processes that hold it, as far as they can be seen.
	pids []int
}

// listening returns those of the sockets that listen on a port.
func listening(sockets []socket, port uint16) []listener {
	var found []listener
	for _, s := range sockets {
		if s.dials != 0 || s.local.Port() != port {
			continue
		}
		l := listener{Addr: s.local.Addr(), PIDs: s.pids}
		if s.owner != nil {
			l.Owner = s.owner()
		}
		found = append(found, l)
	}
	return found
}

// ports are the TCP ports of this host that processes serve, and those that they
// are connected to.
type ports struct{ serves, dials map[int][]uint16 }

func portsOf(sockets []socket) ports {
	all := ports{serves: map[int][]uint16{}, dials: map[int][]uint16{}}
	for _, s := range sockets {
		for _, pid := range s.pids {
			if s.dials != 0 {
				all.dials[pid] = append(all.dials[pid], s.dials)
			} else {
				all.serves[pid] = append(all.serves[pid], s.local.Port())
			}
		}
	}
	return all
}
