package power

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"exobench"
)

const (
	// raplEvery is the time between two readings. The counters themselves renew
	// about once a millisecond.
	raplEvery = 100 * time.Millisecond
	// raplMost is beyond the power of any processor, in watts: a counter that seems
	// to have gone faster was set back, or wrapped more than once.
	raplMost = 2000
)

// raplZone is the name of a zone's folder. Those of intel-rapl-mmio are the same
// counters by another way.
var raplZone = regexp.MustCompile(`^intel-rapl:(\d+)(:\d+)?$`)

// rapl is one energy counter of the processor.
type rapl struct {
	about   exobench.Meter
	counter *attribute
	// wraps is what the counter begins at 0 again after, in µJ; 0 where it is not
	// known.
	wraps int64

	last int64
	at   exobench.Instant
}

// findRAPL looks for the counters of whole packages, of memory, and of the whole
// platform. Cores and uncore are parts of the package.
func findRAPL(r Roots) (found []meter, missing []Missing) {
	if r.Powercap == "" {
		return nil, nil
	}
	zones, _ := filepath.Glob(filepath.Join(r.Powercap, "intel-rapl:*"))
	modelled := strings.Contains(text(r.CPUInfo), "AuthenticAMD")
	for _, zone := range zones {
		parts := raplZone.FindStringSubmatch(filepath.Base(zone))
		if parts == nil {
			continue
		}
		about, known := raplMeter(text(zone, "name"), parts[1], modelled)
		if !known {
			continue
		}
		counter, err := openAttribute(zone, "energy_uj")
		if err != nil {
			missing = append(missing, raplMissing(about.Of, r.Powercap, err))
			continue
		}
		wraps, _ := number(zone, "max_energy_range_uj")
		found = append(found, &rapl{about: about, counter: counter, wraps: wraps})
	}
	if len(found)+len(missing) == 0 {
		missing = append(missing, Missing{
			ID: "rapl", Why: "no RAPL counters under " + r.Powercap + ": the processor has none, the module intel_rapl_msr is not loaded, or a virtual machine hides them",
			Enable: "on bare metal: sudo modprobe intel_rapl_msr",
		})
	}
	return found, missing
}

// raplMeter says what a zone is of; it is not known of those that are parts of
// others.
func raplMeter(name, parent string, modelled bool) (exobench.Meter, bool) {
	about := exobench.Meter{Sensor: SensorName, Of: "rapl:" + name, Step: raplEvery, Estimated: modelled}
	switch {
	case name == "psys":
		about.Scope, about.Source, about.Text = exobench.NodeScope, "rapl psys", "RAPL counter of the platform, as its maker wired it"
	case strings.HasPrefix(name, "package-"):
		about.Scope, about.Source, about.Text = exobench.PackageScope, "rapl package", "RAPL counter of a processor"
	case name == "dram":
		about.Of += "-" + parent
		about.Scope, about.Source, about.Text = exobench.MemoryScope, "rapl dram", "RAPL counter of a processor's memory"
	default:
		return about, false
	}
	if modelled {
		about.Text += ", which AMD's processors reckon and do not measure"
	}
	return about, true
}

func raplMissing(id, root string, err error) Missing {
	if errors.Is(err, fs.ErrPermission) {
		return Missing{
			ID: id, Why: "only root may read it (Linux since 5.10, for CVE-2020-8694)",
			Enable: "until the next start of the machine: sudo chmod a+r " + filepath.Join(root, "intel-rapl:*", "energy_uj"),
		}
	}
	return Missing{ID: id, Why: err.Error()}
}

func (m *rapl) describe() exobench.Meter { return m.about }
func (m *rapl) every() time.Duration     { return raplEvery }
func (m *rapl) close() error             { return m.counter.close() }

// read returns what the counter grew by since it was read before; nothing where
// that cannot be told. A counter that stands still tells nothing until it moves:
// some virtual machines show one that never does.
func (m *rapl) read(_ context.Context, clock func() exobench.Instant) ([]exobench.Sample, error) {
	before := clock()
	value, err := m.counter.read()
	if err != nil {
		return nil, err
	}
	// The thread may have waited for a core on either side of the reading.
	now := before.Add(clock().Sub(before) / 2)
	last, at := m.last, m.at
	if at.Reached() && value == last {
		return nil, nil
	}
	m.last, m.at = value, now
	if !at.Reached() || now <= at {
		return nil, nil
	}
	span := now.Sub(at)
	grown := value - last
	if grown < 0 {
		grown += m.wraps
	}
	most := raplMost * span.Seconds() * 1e6
	if grown < 0 || float64(grown) > most || m.wraps > 0 && most > float64(m.wraps) {
		return nil, nil
	}
	return []exobench.Sample{{At: now, Span: span, Values: exobench.Values{{Quantity: exobench.EnergyJoules, Value: float64(grown) / 1e6}}}}, nil
}
