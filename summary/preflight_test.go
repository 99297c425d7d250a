package summary

import (
	"reflect"
	"testing"

	"exobench"
)

func TestAMachineInGoodOrderIsNotDoubted(t *testing.T) {
	gib := func(n float64) *exobench.Bytes { return new(exobench.Bytes(n * (1 << 30))) }
	healthy := exobench.Host{
		Cores: 8, CoresOnline: 8, Memory: 64 << 30,
		Power:      exobench.PowerMode{Source: exobench.Mains, Charge: new(1.0), Charging: new(false), LowPower: new(false), Driver: "intel_pstate", Governor: "powersave", Preference: "balance_performance"},
		Conditions: exobench.Conditions{MemoryAvailable: gib(40), SwapUsed: gib(0.7), SwapTotal: gib(8), SpeedLimit: new(1.0), GPUBusy: new(0.04)},
	}
	if got := Preflight(healthy); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := Preflight(exobench.Host{}); len(got) != 0 {
		t.Errorf("a machine of which nothing is known: %+v", got)
	}
	for _, row := range []struct {
		why    string
		change func(*exobench.Host)
		want   Figures
	}{
		{"the charger is out", func(h *exobench.Host) { h.Power.Source = exobench.Battery }, OnBattery{new(1.0)}},
		{"a low-power mode", func(h *exobench.Host) { h.Power.LowPower, h.Power.Mode = new(true), "low" }, PowerSaved{"low"}},
		{"a governor that keeps clocks low", func(h *exobench.Host) { h.Power.Driver = "acpi-cpufreq" }, ClocksLow{"acpi-cpufreq", "powersave", "balance_performance"}},
		{"a processor told to save", func(h *exobench.Host) { h.Power.Preference = "balance_performance, power" }, ClocksLow{"intel_pstate", "powersave", "balance_performance, power"}},
		{"heat", func(h *exobench.Host) { h.Conditions.Thermal = "CPU speed limit 62 %" }, Hot{"CPU speed limit 62 %"}},
		{"5 % of the memory swapped out", func(h *exobench.Host) { h.Conditions.SwapUsed = gib(3.25) }, SwapInUse{*gib(3.25), 64 << 30}},
		{"less than 10 % left", func(h *exobench.Host) { h.Conditions.MemoryAvailable = gib(6) }, MemoryShort{*gib(6), 64 << 30}},
		{"less than 10 % of a container's limit left", func(h *exobench.Host) {
			h.Limits.Memory, h.Conditions.MemoryAvailable = 2<<30, gib(0.1)
		}, MemoryShort{*gib(0.1), 2 << 30}},
		{"a GPU that others use", func(h *exobench.Host) { h.Conditions.GPUBusy = new(0.4) }, GPUInUse{0.4, 0.15}},
		{"2 of 8 cores are ours", func(h *exobench.Host) { h.Limits = exobench.Limits{CPUs: 2, CPUsFrom: "/cpu.max"} }, CPUQuota{2, 8, "/cpu.max"}},
		{"a virtual machine", func(h *exobench.Host) { h.Virtual = "kvm" }, VirtualMachine{"kvm"}},
	} {
		h := healthy
		row.change(&h)
		got := Preflight(h)
		if len(got) != 1 || !reflect.DeepEqual(got[0].Figures, row.want) || got[0].Kind == "" {
			t.Errorf("%s: %+v, want %+v", row.why, got, row.want)
		}
	}
	if got := Preflight(exobench.Host{Cores: 8, Limits: exobench.Limits{CPUs: 16}}); len(got) != 0 {
		t.Errorf("a quota above the cores is none: %+v", got)
	}
}

func TestARunSaysOnceWhatSpoilsItsSessions(t *testing.T) {
	battery := exobench.Host{Power: exobench.PowerMode{Source: exobench.Battery}, Virtual: "kvm"}
	r := &Run{Sessions: []exobench.Session{{ID: 1, Host: exobench.Host{}}, {ID: 2, Host: battery}, {ID: 3, Host: battery}}}
	if got := r.Preflight(); len(got) != 2 || got[0].Kind != "on_battery" || got[1].Kind != "virtual_machine" {
		t.Errorf("%+v", got)
	}
}
