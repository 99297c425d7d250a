package resource

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestFindListener(t *testing.T) {
	for _, test := range []struct{ listen, dial string }{
		{"127.0.0.1:0", "127.0.0.1"},
		{"127.0.0.1:0", "localhost"},
		{"0.0.0.0:0", "127.0.0.1"},
		{"[::1]:0", "::1"},
		{"[::]:0", "::1"},
		{"[::]:0", "127.0.0.1"},
		{"[::]:0", "localhost"},
		{"127.0.0.1:0", "0.0.0.0"},
	} {
		engine := newEngine(t)
		address := engine.order("listen " + test.listen)
		pid, err := FindListener(t.Context(), net.JoinHostPort(test.dial, port(t, address)))
		if err != nil || pid != engine.pid {
			t.Errorf("listener at %s, asked for %s: got %d, %v; want %d", address, test.dial, pid, err, engine.pid)
		}
	}
}

func TestFindListenerGivesTheServerAmongItsWorkers(t *testing.T) {
	engine := newEngine(t)
	address := engine.order("listen 127.0.0.1:0")
	worker := engine.order("share")
	pid, err := FindListener(t.Context(), address)
	if err != nil || pid != engine.pid {
		t.Errorf("got %d, %v; want the server %d, not its worker %s", pid, err, engine.pid, worker)
	}
}

func TestFindListenerSaysWhyNot(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, test := range []struct {
		address string
		is      error
		says    string
	}{
		{"192.0.2.1:80", ErrNotLocal, "192.0.2.1"},
		{closed.Addr().String(), ErrNotFound, "nothing that can be seen"},
		{"127.0.0.1", nil, "missing port"},
		{"127.0.0.1:http", nil, "not a number"},
	} {
		_, err := FindListener(t.Context(), test.address)
		if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error is %v, want %v with %q", test.address, err, test.is, test.says)
		}
	}
}

func TestChooseGoesByTheAddressThatIsDialled(t *testing.T) {
	addr := netip.MustParseAddr
	listeners := []listener{
		{Addr: addr("127.0.0.1"), PIDs: []int{1}},
		{Addr: addr("0.0.0.0"), PIDs: []int{2}},
		{Addr: addr("::"), PIDs: []int{3}},
		{Addr: addr("::1"), PIDs: []int{4}},
	}
	for _, test := range []struct {
		why       string
		listeners []listener
		dial      []netip.Addr
		want      int
	}{
		{"its own address goes before a wildcard", listeners, []netip.Addr{addr("127.0.0.1")}, 1},
		{"the wildcard takes what nobody else does", listeners, []netip.Addr{addr("127.0.0.9")}, 2},
		{"IPv6 goes past IPv4 listeners", listeners, []netip.Addr{addr("fe80::1")}, 3},
		{"the first address that answers", listeners, []netip.Addr{addr("::1"), addr("127.0.0.1")}, 4},
		{"an IPv6 wildcard takes IPv4", listeners[2:], []netip.Addr{addr("127.0.0.1")}, 3},
		{"dialling a wildcard reaches the loopback", listeners, []netip.Addr{addr("0.0.0.0")}, 1},
		{"the second address where none is at the first", listeners[:1], []netip.Addr{addr("::1"), addr("127.0.0.1")}, 1},
		{"nobody is there", listeners[:1], []netip.Addr{addr("::1")}, 0},
	} {
		got := 0
		for _, l := range choose(test.listeners, test.dial) {
			got = l.PIDs[0]
		}
		if got != test.want {
			t.Errorf("%s: dialling %v gives listener %d, want %d", test.why, test.dial, got, test.want)
		}
	}
}

func TestTopsAreThoseOfWhomNobodyElseIsAnAncestor(t *testing.T) {
	all := map[int]kin{20: {parent: 1, name: "systemd"}}
	for pid, parent := range map[int]int{10: 1, 11: 10, 12: 11, 5: 12, 30: 31, 31: 30} {
		all[pid] = kin{parent: parent, name: "engine"}
	}
	table := newProcesses(all, 0, nil)
	for _, test := range []struct {
		why  string
		pids []int
		want []int
	}{
		{"one process", []int{12}, []int{12}},
		{"the server, not its worker's worker", []int{12, 10, 11}, []int{10}},
		{"a worker with a lower id than its server", []int{5, 10}, []int{10}},
		{"not the manager that made the socket", []int{1, 12, 20}, []int{12}},
		{"the manager if nobody else", []int{20}, []int{20}},
		{"two families", []int{12, 30}, []int{12, 30}},
		{"the same process twice", []int{11, 11}, []int{11}},
		{"round in a circle", []int{30, 31}, []int{30}},
	} {
		if got := table.tops(test.pids); !slices.Equal(got, test.want) {
			t.Errorf("%s: of %v got %v, want %v", test.why, test.pids, got, test.want)
		}
	}
}
