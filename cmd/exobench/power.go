package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/power"
	"exobench/run"
)

// powerRoots are where this machine's meters are. In a container HOST_SYS and
// HOST_PROC say where the host's folders are mounted, as they do to other tools.
func powerRoots(getenv func(string) string) power.Roots {
	r := power.Roots{Mac: runtime.GOOS == "darwin"}
	r.Macmon, _ = exec.LookPath("macmon")
	sys := getenv("HOST_SYS")
	if sys == "" && runtime.GOOS != "linux" {
		return r
	}
	class := filepath.Join(cmp.Or(sys, "/sys"), "class")
	r.Powercap, r.Hwmon, r.Supply = filepath.Join(class, "powercap"), filepath.Join(class, "hwmon"), filepath.Join(class, "power_supply")
	r.CPUInfo = filepath.Join(cmp.Or(getenv("HOST_PROC"), "/proc"), "cpuinfo")
	return r
}

// powerSensors says which meters are there, and what would enable others.
func powerSensors(r power.Roots) []exobench.SensorState {
	found, missing := power.Detect(r)
	var all []exobench.SensorState
	for _, m := range found {
		text := fmt.Sprintf("%s: %s", m.Scope, m.Text)
		if m.Estimated {
			text = fmt.Sprintf("%s, estimated: %s", m.Scope, m.Text)
		}
		all = append(all, exobench.SensorState{Name: "power " + m.Of, Found: true, Why: text})
	}
	for _, m := range missing {
		all = append(all, exobench.SensorState{Name: "power " + m.ID, Why: m.Why, Enable: m.Enable})
	}
	return append(all, exobench.SensorState{Name: "power of a meter outside", Why: "no log is named", Enable: "exobench run --power-csv FILE reads one"})
}

// checkPowerLog tells what can be known before a run of the log of a meter outside.
func checkPowerLog(p exobench.Plan) error {
	if p.PowerCSV == "" {
		return nil
	}
	if err := power.CheckLog(p.PowerCSV); err != nil {
		return driver.UsageError{Err: fmt.Errorf("--power-csv: %w", err)}
	}
	return nil
}

// powerLog returns what reads the log of a meter outside when a run is over; nil
// where the plan has none.
func powerLog(p exobench.Plan, clock exobench.Clock) func(from, to exobench.Instant) (run.Log, error) {
	if p.PowerCSV == "" {
		return nil
	}
	return func(from, to exobench.Instant) (run.Log, error) {
		log, err := power.ReadLog(p.PowerCSV, time.Duration(p.PowerCSVOffset))
		if err != nil {
			return run.Log{}, err
		}
		samples, err := log.Samples(clock.Epoch(), from, to)
		return run.Log{Meter: log.Meter(), Samples: samples}, err
	}
}

// lookTime bounds the look-up of an engine's name.
const lookTime = 2 * time.Second

// elsewhere reports whether an engine that answers at an address runs on another
// machine. Where that cannot be found out it is taken to be on this one.
func elsewhere(ctx context.Context, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	own, failed := net.InterfaceAddrs()
	if err != nil || failed != nil {
		return false
	}
	ours := map[netip.Addr]bool{}
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			ours[prefix.Addr().Unmap()] = true
		}
	}
	for _, a := range addrs {
		if a = a.Unmap().WithZone(""); a.IsLoopback() || a.IsUnspecified() || ours[a] {
			return false
		}
	}
	return true
}
