package machine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"exobench"
)

// linux adds what the proc and sys file systems tell.
func (s Source) linux(h *exobench.Host) {
	s.cpu(h)
	h.NUMANodes = len(s.glob("sys/devices/system/node/node[0-9]*"))
	s.memorySheet(h)
	s.power(h)
	h.Virtual, h.Container = s.virtual(), s.container()
	limits := s.limits()
	h.Limits = limits.Limits
	if h.Limits.Memory >= h.Memory && h.Memory > 0 {
		h.Limits.Memory, h.Limits.MemoryFrom = 0, ""
	}
	s.conditions(h)
	if c := &h.Conditions; limits.room != nil && (c.MemoryAvailable == nil || *limits.room < *c.MemoryAvailable) {
		c.MemoryAvailable = limits.room
	}
}

// text returns what a file holds, without blanks around it; empty where it cannot
// be read.
func (s Source) text(path string) string {
	data, err := os.ReadFile(s.path(path))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.TrimRight(string(data), "\x00\n"))
}

// there reports whether a file is there.
func (s Source) there(path string) bool {
	_, err := os.Stat(s.path(path))
	return err == nil
}

func (s Source) path(path string) string { return filepath.Join(s.Root, path) }

// number returns the number that a file holds.
func (s Source) number(path string) (float64, bool) {
	n, err := strconv.ParseFloat(s.text(path), 64)
	return n, err == nil
}

// glob lists the paths below the root that match, without the root.
func (s Source) glob(pattern string) []string {
	paths, _ := filepath.Glob(s.path(pattern)) // the patterns are ours
	for i, path := range paths {
		if rel, err := filepath.Rel(s.Root, path); err == nil {
			paths[i] = rel
		}
	}
	return paths
}

// list reads a list of numbers of the kernel's, such as "0-3,8".
func list(text string) []int {
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.Atoi(low)
		to := from
		if isRange && err == nil {
			to, err = strconv.Atoi(high)
		}
		if err != nil || to-from > 1<<16 {
			continue
		}
		for n := from; n <= to; n++ {
			all = append(all, n)
		}
	}
	return all
}

// conditions adds the state of the memory and whether heat slows the machine.
func (s Source) conditions(h *exobench.Host) {
	c := &h.Conditions
	sizes := map[string]exobench.Bytes{}
	for line := range strings.Lines(s.text("proc/meminfo")) {
		name, rest, _ := strings.Cut(line, ":")
		if n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64); err == nil {
			sizes[name] = exobench.Bytes(n) << 10
		}
	}
	if available, ok := sizes["MemAvailable"]; ok {
		c.MemoryAvailable = &available
	}
	total, known := sizes["SwapTotal"]
	if free, ok := sizes["SwapFree"]; ok && known {
		c.SwapTotal, c.SwapUsed = &total, new(total-free)
	}
	c.Thermal = s.heat()
}

// leastTrip is the temperature, in thousandths of a degree Celsius, from which on a
// trip point is believed: drivers give 0 and less for those that are not in use.
const leastTrip = 60_000

// heat names the first thermal zone that is at a trip point of its, from which on
// the kernel slows the processor.
func (s Source) heat() string {
	for _, zone := range s.glob("sys/class/thermal/thermal_zone*") {
		temperature, ok := s.number(zone + "/temp")
		if !ok {
			continue
		}
		for _, kind := range s.glob(zone + "/trip_point_*_type") {
			switch s.text(kind) {
			case "passive", "hot", "critical":
			default:
				continue
			}
			trip, ok := s.number(strings.TrimSuffix(kind, "_type") + "_temp")
			if ok && trip >= leastTrip && temperature >= trip {
				return s.text(zone+"/type") + " at " + strconv.FormatFloat(temperature/1000, 'f', 0, 64) + " °C, its limit is " +
					strconv.FormatFloat(trip/1000, 'f', 0, 64) + " °C"
			}
		}
	}
	return ""
}
