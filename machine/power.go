package machine

import (
	"slices"
	"strings"

	"exobench"
)

// power adds how the machine is fed and which rule sets its clocks
// (Documentation/ABI/testing/sysfs-class-power; admin-guide/pm/cpufreq.rst).
func (s Source) power(h *exobench.Host) {
	p := &h.Power
	s.supply(p)
	policies := "sys/devices/system/cpu/cpufreq/policy*"
	p.Driver = s.each(policies + "/scaling_driver")
	p.Governor = s.each(policies + "/scaling_governor")
	p.Preference = s.each(policies + "/energy_performance_preference")
	if p.Mode = s.text("sys/firmware/acpi/platform_profile"); p.Mode != "" {
		p.LowPower = new(p.Mode == "low-power" || p.Mode == "quiet")
	}
}

// supply tells mains from battery. A battery that discharges is what feeds the
// machine, also where a charger is too weak. Batteries of mice and keyboards are
// of the scope Device.
func (s Source) supply(p *exobench.PowerMode) {
	for _, supply := range s.glob("sys/class/power_supply/*") {
		if s.text(supply+"/scope") == "Device" {
			continue
		}
		switch s.text(supply + "/type") {
		case "Mains", "USB", "Wireless":
			if online, ok := s.number(supply + "/online"); ok && online > 0 && p.Source == "" {
				p.Source = exobench.Mains
			}
		case "Battery":
			status := s.text(supply + "/status")
			if status == "Discharging" {
				p.Source = exobench.Battery
			} else if p.Source == "" && status != "" && status != "Unknown" {
				p.Source = exobench.Mains
			}
			if charge, ok := s.number(supply + "/capacity"); ok && p.Charge == nil {
				p.Charge = new(charge / 100)
			}
			if p.Charging == nil && status != "" {
				p.Charging = new(status == "Charging")
			}
		}
	}
}

// each lists what files of several policies hold, each text once.
func (s Source) each(pattern string) string {
	var all []string
	for _, file := range s.glob(pattern) {
		if text := s.text(file); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}
