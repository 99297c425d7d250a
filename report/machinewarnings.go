package report

import (
	"fmt"

	"exobench/summary"
)

// Sentences says warnings in words.
func Sentences(warnings []summary.Warning) []string { return sentences(warnings) }

// Foremost returns those of what spoils figures on a machine that must be seen
// first. That it is a virtual one is said where it is described only: what its host
// takes away is measured.
func Foremost(preflight []summary.Warning) []summary.Warning {
	var all []summary.Warning
	for _, w := range preflight {
		if _, is := w.Figures.(summary.VirtualMachine); !is {
			all = append(all, w)
		}
	}
	return all
}

// machineSentence has the sentences about what on a machine spoils figures.
func machineSentence(figures summary.Figures) string {
	switch f := figures.(type) {
	case summary.OnBattery:
		charge := ""
		if f.Charge != nil {
			charge = fmt.Sprintf(" (%.0f %% charged)", 100**f.Charge)
		}
		return "The machine runs on its battery" + charge + ", on which many are slower: connect it to mains and repeat the run."
	case summary.PowerSaved:
		mode := ""
		if f.Mode != "" {
			mode = fmt.Sprintf(" (%q)", f.Mode)
		}
		return "A mode that trades speed for power is on" + mode + ": turn it off in the system's energy settings and repeat the run."
	case summary.ClocksLow:
		return fmt.Sprintf("The processor's clocks are kept low (driver %s, governor %s, preference %s): choose the governor or the profile \"performance\" and repeat the run.", orDash(f.Driver), orDash(f.Governor), orDash(f.Preference))
	case summary.Hot:
		return fmt.Sprintf("Heat slowed the machine before the run began (%s): let it cool down and repeat the run.", f.Says)
	case summary.SwapInUse:
		return fmt.Sprintf("Programs had %v swapped out before the run (the machine has %v of memory): what the engine holds may be swapped too, which no figure of resident memory shows. End other programs, or restart the machine.", f.Used, f.Memory)
	case summary.MemoryShort:
		return fmt.Sprintf("Only %v of %v of memory was available before the run: a model that does not fit is swapped or read again and again. End other programs.", f.Available, f.Memory)
	case summary.GPUInUse:
		return fmt.Sprintf("Others kept the GPU %s busy before the run (more than %s): end what uses it and repeat the run.", percent(f.Share), percent(f.Limit))
	case summary.CPUQuota:
		return fmt.Sprintf("A control group leaves CPU time of %s cores, and %d can be seen (%s): engines that count cores start too many threads and are stopped in mid-work. Give them the number of threads, or raise the limit.", digits(f.CPUs), f.Cores, f.From)
	case summary.VirtualMachine:
		what := "This is a virtual machine"
		if f.Hypervisor != "unknown" {
			what += " (" + f.Hypervisor + ")"
		}
		return what + ": its host can take CPU time away and may share caches and memory bandwidth with others; see steal, and compare figures of one machine only."
	}
	return ""
}
