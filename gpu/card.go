package gpu

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"exobench"
)

// The vendors of PCI devices.
const (
	amdVendor    = "0x1002"
	intelVendor  = "0x8086"
	nvidiaVendor = "0x10de"
)

// card is a GPU that the kernel's DRM shows in sysfs, of AMD or Intel.
type card struct {
	exobench.GPU
	// node is the folder of the DRM device, device that of the PCI device below it,
	// and sensors that of its hwmon; empty where it has none.
	node, device, sensors string
	// figures are the files to read of it.
	figures []figure
}

// figure is a file that holds a quantity.
type figure struct {
	quantity exobench.Quantity
	path     string
	unit     float64
}

var cardName = regexp.MustCompile(`^card[0-9]+$`)

// cards finds those of AMD and Intel below the root of sysfs.
func cards(sys string) []card {
	entries, err := os.ReadDir(filepath.Join(sys, "class/drm"))
	if err != nil {
		return nil
	}
	var all []card
	for _, entry := range entries {
		if !cardName.MatchString(entry.Name()) {
			continue
		}
		node := filepath.Join(sys, "class/drm", entry.Name())
		c := card{node: node, device: filepath.Join(node, "device")}
		vendor := textOf(filepath.Join(c.device, "vendor"))
		if vendor != amdVendor && vendor != intelVendor {
			continue
		}
		c.describe(vendor)
		if c.ID != "" {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b card) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// integrated is the PCI address of every GPU that is part of an Intel processor.
const integrated = "0000:00:02.0"

func (c *card) describe(vendor string) {
	c.ID, c.Driver = entryOf(filepath.Join(c.device, "uevent"), "PCI_SLOT_NAME"), entryOf(filepath.Join(c.device, "uevent"), "DRIVER")
	if found, _ := filepath.Glob(filepath.Join(c.device, "hwmon/hwmon*")); len(found) > 0 {
		c.sensors = found[0]
	}
	add := func(q exobench.Quantity, unit float64, path ...string) {
		c.figures = append(c.figures, figure{q, filepath.Join(path...), unit})
	}
	if vendor == amdVendor {
		c.Unified = isAPU(c.device)
		c.Name = cmpName(textOf(filepath.Join(c.device, "product_name")), "AMD GPU", textOf(filepath.Join(c.device, "device")))
		add(exobench.GPUUsed, 1, c.device, "mem_info_vram_used")
		add(exobench.GPUTotal, 1, c.device, "mem_info_vram_total")
		if c.Unified {
			add(exobench.GPUUsed, 1, c.device, "mem_info_gtt_used")
			add(exobench.GPUTotal, 1, c.device, "mem_info_gtt_total")
		}
		add(exobench.GPUBusy, 0.01, c.device, "gpu_busy_percent")
	} else {
		c.Unified = c.ID == integrated
		c.Name = cmpName("", "Intel GPU", textOf(filepath.Join(c.device, "device")))
		add(exobench.GPUTotal, 1, c.node, "lmem_total_bytes")
		add(exobench.GPUClock, 1e6, c.node, "gt_act_freq_mhz")
	}
	if c.sensors != "" {
		add(exobench.GPUPower, 1e-6, c.sensors, "power1_input")
		add(exobench.GPUPowerAverage, 1e-6, c.sensors, "power1_average")
		add(exobench.GPUTemperature, 1e-3, c.sensors, "temp1_input")
		if vendor == amdVendor {
			add(exobench.GPUClock, 1, c.sensors, "freq1_input")
			add(exobench.GPUMemoryClock, 1, c.sensors, "freq2_input")
		}
	}
	c.figures = slices.DeleteFunc(c.figures, func(f figure) bool { _, err := os.Stat(f.path); return err != nil })
	if size, ok := numberIn(filepath.Join(c.device, "mem_info_vram_total")); ok && !c.Unified {
		c.Memory = exobench.Bytes(size)
	}
}

func cmpName(told, kind, id string) string {
	if told != "" {
		return told
	}
	return strings.TrimSpace(kind + " " + strings.TrimPrefix(id, "0x"))
}

// isAPU reports whether an AMD GPU is part of a processor: the table of figures
// that its driver gives (gpu_metrics: its size in two bytes, then its format and
// revision) has format 2 or 3 for those, and 1 for others.
func isAPU(device string) bool {
	table, err := os.ReadFile(filepath.Join(device, "gpu_metrics"))
	return err == nil && len(table) > 3 && (table[2] == 2 || table[2] == 3)
}

// read returns the values of a card as they are now; none where it sleeps, since
// to read it would wake it.
func (c *card) read() exobench.Values {
	if textOf(filepath.Join(c.device, "power/runtime_status")) == "suspended" {
		return nil
	}
	var values exobench.Values
	for _, f := range c.figures {
		v, ok := numberIn(f.path)
		if !ok {
			continue
		}
		if i := slices.IndexFunc(values, func(v exobench.Value) bool { return v.Quantity == f.quantity }); i >= 0 {
			values[i].Value += v * f.unit
			continue
		}
		values = append(values, exobench.Value{Quantity: f.quantity, Value: v * f.unit})
	}
	if _, known := values.Get(exobench.GPUClock); !known {
		if hz, ok := currentClock(filepath.Join(c.device, "pp_dpm_sclk")); ok {
			values = append(values, exobench.Value{Quantity: exobench.GPUClock, Value: hz})
		}
	}
	return values
}

// currentClock reads a table of AMD's clocks, whose line of now has a star at its
// end: "1: 500Mhz *".
func currentClock(path string) (float64, bool) {
	var page page
	data, err := page.read(path)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(data) {
		line, now := bytes.CutSuffix(bytes.TrimSpace(line), []byte{'*'})
		_, clock, found := bytes.Cut(line, []byte{':'})
		clock, mhz := bytes.CutSuffix(bytes.ToLower(bytes.TrimSpace(clock)), []byte("mhz"))
		if !now || !found || !mhz {
			continue
		}
		v, err := strconv.ParseFloat(string(clock), 64)
		return v * 1e6, err == nil
	}
	return 0, false
}

func textOf(path string) string {
	var page page
	data, err := page.read(path)
	if err != nil {
		return ""
	}
	return string(data)
}

func numberIn(path string) (float64, bool) {
	var page page
	data, err := page.read(path)
	if err != nil {
		return 0, false
	}
	return number(data, 1)
}

// entryOf returns a value of a file of lines NAME=VALUE.
func entryOf(path, name string) string {
	for line := range strings.Lines(textOf(path)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			return value
		}
	}
	return ""
}
