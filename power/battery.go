package power

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"exobench"
)

const (
	batteryEvery = time.Second
	// batteryStep is how long the controllers of batteries may leave their figures
	// as they are.
	batteryStep = 10 * time.Second
)

// battery is all batteries of this machine: together they are what it draws, while
// none is charged.
type battery struct{ folders []string }

func findBatteries(r Roots) (found []meter, missing []Missing) {
	if r.Supply == "" {
		return nil, nil
	}
	folders, _ := filepath.Glob(filepath.Join(r.Supply, "BAT*"))
	var batteries []string
	for _, folder := range folders {
		// A scope of "Device" is a mouse's.
		if text(folder, "type") == "Battery" && text(folder, "scope") != "Device" {
			batteries = append(batteries, folder)
		}
	}
	if len(batteries) == 0 {
		return nil, nil
	}
	m := &battery{batteries}
	if _, discharging, err := m.watts(); err != nil {
		return nil, []Missing{{ID: m.describe().Of, Why: err.Error()}}
	} else if !discharging {
		missing = append(missing, Missing{ID: m.describe().Of, Why: "it tells the machine's power only while it discharges", Enable: "pull the plug for a rough figure"})
	}
	return []meter{m}, missing
}

func (m *battery) describe() exobench.Meter {
	var names []string
	for _, folder := range m.folders {
		names = append(names, filepath.Base(folder))
	}
	return exobench.Meter{
		Sensor: SensorName, Of: "battery:" + strings.Join(names, "+"), Source: "battery", Scope: exobench.NodeScope, Estimated: true, Step: batteryStep,
		Text: "what the battery gives while it discharges, as its controller reckons",
	}
}

func (m *battery) every() time.Duration { return batteryEvery }
func (m *battery) close() error         { return nil }

// read returns the power while the machine runs on its batteries alone.
func (m *battery) read(context.Context, func() exobench.Instant) ([]exobench.Sample, error) {
	power, discharging, err := m.watts()
	if err != nil || !discharging {
		return nil, err
	}
	return []exobench.Sample{watts(power)}, nil
}

// watts adds up what the batteries give; discharging is not set where none does or
// one is charged.
func (m *battery) watts() (sum float64, discharging bool, err error) {
	for _, folder := range m.folders {
		switch text(folder, "status") {
		case "Discharging":
			power, err := givenBy(folder)
			if err != nil {
				return 0, false, err
			}
			sum, discharging = sum+power, true
		case "Charging":
			return 0, false, nil
		}
	}
	return sum, discharging, nil
}

// givenBy returns the power of one battery, in watts. Some drivers have the sign of
// a current that flows out.
func givenBy(folder string) (float64, error) {
	if power, err := number(folder, "power_now"); err == nil {
		return max(float64(power), -float64(power)) / 1e6, nil
	}
	current, err := number(folder, "current_now")
	if err != nil {
		return 0, err
	}
	voltage, err := number(folder, "voltage_now")
	if err != nil {
		return 0, err
	}
	return max(float64(current), -float64(current)) / 1e6 * float64(voltage) / 1e6, nil
}
