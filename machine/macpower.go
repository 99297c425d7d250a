package machine

import (
	"regexp"
	"strconv"
	"strings"

	"exobench"
)

// macPower reads pmset -g and pmset -g batt. A Mac without a battery is said to
// draw from AC power too.
func macPower(settings, batteries string, p *exobench.PowerMode) {
	for line := range strings.Lines(settings) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "lowpowermode":
			p.LowPower = new(fields[1] == "1")
		case "powermode": // of Macs that have three
			p.Mode = map[string]string{"0": "automatic", "1": "low", "2": "high"}[fields[1]]
			p.LowPower = new(fields[1] == "1")
		case "highpowermode":
			if fields[1] == "1" {
				p.Mode = "high"
			}
		}
	}
	switch {
	case strings.Contains(batteries, "'Battery Power'"), strings.Contains(batteries, "'UPS Power'"):
		p.Source = exobench.Battery
	case strings.Contains(batteries, "'AC Power'"):
		p.Source = exobench.Mains
	}
	found := regexp.MustCompile(`InternalBattery.*?(\d+)%; ([^;]+);`).FindStringSubmatch(batteries)
	if found == nil {
		return
	}
	if charge, err := strconv.ParseFloat(found[1], 64); err == nil {
		p.Charge = new(charge / 100)
	}
	p.Charging = new(found[2] == "charging" || found[2] == "finishing charge")
}

// pressureKey is what macOS tells its thermal pressure by.
const pressureKey = "com.apple.system.thermalpressurelevel"

// pressures are the levels of it above nominal (OSThermalNotification.h).
var pressures = map[string]string{"1": "moderate", "2": "heavy", "3": "trapping", "4": "sleeping"}

// macHeat reads pmset -g therm: a warning level of more than 0, or a limit of the
// processor's speed below 100 %. On Apple silicon it was seen to tell nothing of
// heat that the level of notifyutil shows, which goes before it.
func macHeat(text, level string) (pressure string, limit *float64) {
	if found := regexp.MustCompile(`CPU_Speed_Limit\s*=\s*(\d+)`).FindStringSubmatch(text); found != nil {
		percent, _ := strconv.ParseFloat(found[1], 64) // digits
		limit = new(percent / 100)
		if percent < 100 {
			pressure = "CPU speed limit " + found[1] + " %"
		}
	}
	if found := regexp.MustCompile(`(?i)(thermal|performance) warning level\s*=\s*([1-9]\d*)`).FindStringSubmatch(text); found != nil {
		pressure = strings.ToLower(found[1]) + " warning level " + found[2]
	}
	if fields := strings.Fields(level); len(fields) == 2 && fields[0] == pressureKey && pressures[fields[1]] != "" {
		pressure = "thermal pressure is " + pressures[fields[1]]
	}
	return pressure, limit
}

// macGPU reads how busy the busiest GPU is out of ioreg's "PerformanceStatistics"
// of AGXAccelerator, which counts all processes.
func macGPU(text string) *float64 {
	var busy *float64
	for _, found := range regexp.MustCompile(`"Device Utilization %"\s*=\s*(\d+)`).FindAllStringSubmatch(text, -1) {
		percent, _ := strconv.ParseFloat(found[1], 64) // digits
		if share := min(percent/100, 1); busy == nil || share > *busy {
			busy = &share
		}
	}
	return busy
}

// macSensors says what of a Mac's state could be read.
func macSensors(h *exobench.Host, answers []string) {
	row := func(name string, found bool, why, missing string) {
		if !found {
			why = missing
		}
		h.Sensors = append(h.Sensors, exobench.SensorState{Name: name, Found: found, Why: why})
	}
	row("swap and compressor", h.Conditions.SwapUsed != nil && h.Conditions.Compressed != nil, "sysctl and vm_stat", "sysctl or vm_stat told nothing")
	row("power mode", h.Power.Source != "" || h.Power.LowPower != nil, "pmset", "pmset told nothing")
	row("thermal pressure", strings.TrimSpace(answers[5]+answers[7]) != "", "notifyutil and pmset -g therm", "notifyutil and pmset told nothing")
	row("GPU use by others", h.Conditions.GPUBusy != nil, "ioreg, before the run", "ioreg shows no AGXAccelerator: this Mac has no GPU of Apple's, or hides it, as a virtual one does")
}
