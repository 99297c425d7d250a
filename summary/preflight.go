package summary

import (
	"slices"
	"strings"

	"exobench"
)

// What of a machine's state is worth a doubt. Some swap is in use on most machines
// that have been up for a while, and a screen keeps a GPU a little busy.
const (
	swapShare  = 0.05
	swapBytes  = 1 << 30
	shortShare = 0.1
	gpuBusy    = 0.15
)

// The warnings of what on the machine spoils figures, as it was before the run.
type (
	// OnBattery: the machine runs on its battery, on which many are slower. Charge
	// is nil where it is unknown.
	OnBattery struct {
		Charge *float64 `json:"charge_share"`
	}
	// PowerSaved: a mode is on that trades speed for power, by the system's name
	// where it has one.
	PowerSaved struct {
		Mode string `json:"mode"`
	}
	// ClocksLow: cpufreq keeps clocks low, by its governor or by what the processor
	// is told to prefer.
	ClocksLow struct {
		Driver     string `json:"driver"`
		Governor   string `json:"governor"`
		Preference string `json:"preference"`
	}
	// Hot: heat slows the machine, as the system Says.
	Hot struct {
		Says string `json:"says"`
	}
	// SwapInUse: so much of what programs hold is swapped out, on a machine with so
	// much memory.
	SwapInUse struct {
		Used   exobench.Bytes `json:"used_bytes"`
		Memory exobench.Bytes `json:"memory_bytes"`
	}
	// MemoryShort: only so much memory can be had without swapping.
	MemoryShort struct {
		Available exobench.Bytes `json:"available_bytes"`
		Memory    exobench.Bytes `json:"memory_bytes"`
	}
	// GPUInUse: others keep the GPU busy.
	GPUInUse struct {
		Share float64 `json:"share"`
		Limit float64 `json:"limit"`
	}
	// CPUQuota: a control group leaves less CPU time than there are cores, which
	// engines count to choose their threads. From is the file that says so.
	CPUQuota struct {
		CPUs  float64 `json:"cpus"`
		Cores int     `json:"cores"`
		From  string  `json:"from"`
	}
	// VirtualMachine: the machine is one. Its host can take CPU time away.
	VirtualMachine struct {
		Hypervisor string `json:"hypervisor"`
	}
)

func (OnBattery) kind() WarningKind      { return "on_battery" }
func (PowerSaved) kind() WarningKind     { return "power_saved" }
func (ClocksLow) kind() WarningKind      { return "clocks_low" }
func (Hot) kind() WarningKind            { return "hot" }
func (SwapInUse) kind() WarningKind      { return "swap_in_use" }
func (MemoryShort) kind() WarningKind    { return "memory_short" }
func (GPUInUse) kind() WarningKind       { return "gpu_in_use" }
func (CPUQuota) kind() WarningKind       { return "cpu_quota" }
func (VirtualMachine) kind() WarningKind { return "virtual_machine" }

// Preflight says what on a machine spoils figures. A machine in good order gives
// none.
func Preflight(h exobench.Host) []Warning {
	var all []Warning
	warn := func(f Figures) { all = append(all, Warning{Kind: f.kind(), Figures: f}) }
	if h.Power.Source == exobench.Battery {
		warn(OnBattery{h.Power.Charge})
	}
	if h.Power.LowPower != nil && *h.Power.LowPower {
		warn(PowerSaved{h.Power.Mode})
	}
	if clocksLow(h.Power) {
		warn(ClocksLow{h.Power.Driver, h.Power.Governor, h.Power.Preference})
	}
	if h.Conditions.Thermal != "" {
		warn(Hot{h.Conditions.Thermal})
	}
	if used := h.Conditions.SwapUsed; used != nil && *used >= max(swapBytes, exobench.Bytes(swapShare*float64(h.Memory))) {
		warn(SwapInUse{*used, h.Memory})
	}
	if free, all := h.Conditions.MemoryAvailable, h.UsableMemory(); free != nil && all > 0 && float64(*free) < shortShare*float64(all) {
		warn(MemoryShort{*free, all})
	}
	if busy := h.Conditions.GPUBusy; busy != nil && *busy >= gpuBusy {
		warn(GPUInUse{*busy, gpuBusy})
	}
	if h.Cores > 0 && h.Usable() < float64(h.Cores) {
		warn(CPUQuota{h.Limits.CPUs, h.Cores, h.Limits.CPUsFrom})
	}
	if h.Virtual != "" {
		warn(VirtualMachine{h.Virtual})
	}
	return all
}

// clocksLow reports whether cpufreq keeps clocks low. The drivers that let the
// processor choose have a governor "powersave" too, which is their usual one and
// keeps nothing low.
func clocksLow(p exobench.PowerMode) bool {
	has := func(list, one string) bool { return slices.Contains(strings.Split(list, ", "), one) }
	chooses := has(p.Driver, "intel_pstate") || has(p.Driver, "amd-pstate-epp") || has(p.Driver, "amd_pstate_epp")
	return has(p.Governor, "powersave") && !chooses || has(p.Preference, "power")
}

// Preflight says what on the machines of the run's sessions spoiled figures, each
// thing once.
func (r *Run) Preflight() []Warning {
	var all []Warning
	seen := map[WarningKind]bool{}
	for _, s := range r.Sessions {
		for _, w := range Preflight(s.Host) {
			if !seen[w.Kind] {
				seen[w.Kind] = true
				all = append(all, w)
			}
		}
	}
	return all
}
