package power

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"
	"time"

	"exobench"
)

// hwmonEvery is the time between two readings of a device that does not tell over
// what time it averages. Such devices sit on slow buses.
const hwmonEvery = time.Second

// hwmon is one power of a hwmon device.
type hwmon struct {
	about exobench.Meter
	value *attribute
	// over is the time that the value is the mean of; 0 where it is of the instant.
	over time.Duration
}

// byGPU are the drivers of graphics devices, which the sensor "gpu" reads.
var byGPU = map[string]bool{"amdgpu": true, "i915": true, "xe": true, "nouveau": true, "nvidia": true}

// findHwmon looks for powers of which it is known what they are of.
func findHwmon(r Roots) (found []meter, missing []Missing) {
	if r.Hwmon == "" {
		return nil, nil
	}
	devices, _ := filepath.Glob(filepath.Join(r.Hwmon, "hwmon*"))
	for _, device := range devices {
		name := text(device, "name")
		if byGPU[name] {
			continue
		}
		for _, channel := range powerChannels(device) {
			label := text(device, channel+"_label")
			id := "hwmon:" + name + ":" + cmp.Or(label, channel)
			scope, estimated, known := hwmonScope(name, label)
			if !known {
				missing = append(missing, Missing{ID: id, Why: "it tells a power, and not of what"})
				continue
			}
			m, err := openHwmon(device, channel)
			if err != nil {
				missing = append(missing, Missing{ID: id, Why: err.Error()})
				continue
			}
			m.about = exobench.Meter{
				Sensor: SensorName, Of: id, Source: "hwmon " + name, Scope: scope, Estimated: estimated, Step: m.every(),
				Text: strings.TrimSpace("hwmon device " + name + " " + label),
			}
			found = append(found, m)
		}
	}
	return found, missing
}

// powerChannels are the names before the underscore of a device's powers.
func powerChannels(device string) []string {
	var all []string
	taken := map[string]bool{}
	for _, pattern := range []string{"power*_average", "power*_input"} {
		files, _ := filepath.Glob(filepath.Join(device, pattern))
		for _, file := range files {
			channel, _, _ := strings.Cut(filepath.Base(file), "_")
			if !taken[channel] {
				taken[channel] = true
				all = append(all, channel)
			}
		}
	}
	return all
}

// hwmonScope says what a power of a driver is of, by the kernel's documentation of
// that driver.
func hwmonScope(driver, label string) (scope exobench.Scope, estimated, known bool) {
	label = strings.ToLower(label)
	switch {
	case driver == "power_meter": // acpi_power_meter: of the whole system
		return exobench.NodeScope, false, true
	case strings.HasPrefix(label, "pin"): // pmbus: what a power supply takes in
		return exobench.WallScope, false, true
	case driver == "corsairpsu" && label == "power total": // what it gives
		return exobench.NodeScope, false, true
	case driver == "macsmc_hwmon" && label == "total system power":
		return exobench.NodeScope, false, true
	case driver == "fam15h_power": // reckoned by the processor
		return exobench.PackageScope, true, true
	}
	return "", false, false
}

func openHwmon(device, channel string) (*hwmon, error) {
	if value, err := openAttribute(device, channel+"_average"); err == nil {
		m := &hwmon{value: value}
		if ms, err := number(device, channel+"_average_interval"); err == nil && ms > 0 {
			m.over = time.Duration(ms) * time.Millisecond
		}
		return m, nil
	}
	value, err := openAttribute(device, channel+"_input")
	if err != nil {
		return nil, err
	}
	return &hwmon{value: value}, nil
}

func (m *hwmon) describe() exobench.Meter { return m.about }
func (m *hwmon) every() time.Duration     { return max(m.over, hwmonEvery) }
func (m *hwmon) close() error             { return m.value.close() }

func (m *hwmon) read(context.Context, func() exobench.Instant) ([]exobench.Sample, error) {
	microwatts, err := m.value.read()
	if err != nil {
		return nil, err
	}
	sample := watts(float64(microwatts) / 1e6)
	sample.Span = m.over
	return []exobench.Sample{sample}, nil
}
