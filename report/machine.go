package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"exobench"
	"exobench/summary"
)

// machineSection describes the machine of each session, each once, what on it
// spoils figures, and what of it could not be measured.
func machineSection(run *summary.Run) Section {
	s := Section{Title: "Machine"}
	var shown [][]Fact
	for _, session := range run.Sessions {
		sheet, lasting := Sheet(session.Host), Sheet(lasting(session.Host))
		if len(sheet) == 0 || slices.ContainsFunc(shown, func(other []Fact) bool { return slices.Equal(other, lasting) }) {
			continue
		}
		if shown = append(shown, lasting); len(shown) > 1 {
			s.prose(fmt.Sprintf("Session %d ran on another machine, or on one that had been changed.", session.ID))
		}
		t := &Table{Columns: []Column{left("What"), left("This machine")}}
		for _, f := range sheet {
			t.add(f.Name, f.Text)
		}
		s.add(t)
		if missing := missingSensors(session.Host); len(missing) > 0 {
			s.prose("What could not be read of it:")
			s.add(missing)
		}
	}
	if spoils := Sentences(run.Preflight()); len(spoils) > 0 {
		s.prose("What spoils figures on it, as it was before the run:")
		var list List
		for _, text := range spoils {
			list = append(list, plainText(text))
		}
		s.add(list)
	}
	return s
}

// lasting is a machine without what changes by itself.
func lasting(h exobench.Host) exobench.Host {
	h.Conditions, h.Power.Charge, h.Power.Charging = exobench.Conditions{}, nil, nil
	return h
}

// missingSensors says what could not be measured, and what would enable it.
func missingSensors(h exobench.Host) List {
	var list List
	for _, sensor := range h.Sensors {
		if sensor.Found {
			continue
		}
		text := sensor.Name + ": " + sensor.Why
		if sensor.Enable != "" {
			text += "; to enable it: " + sensor.Enable
		}
		list = append(list, plainText(text+"."))
	}
	return list
}

// Fact is one line of a machine's sheet.
type Fact struct{ Name, Text string }

// Sheet describes a machine in words, beyond its name, system, processor, cores
// and memory, which stand first in every report. What is unknown is left out.
func Sheet(h exobench.Host) []Fact {
	var all []Fact
	fact := func(name string, parts ...string) {
		parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
		if len(parts) > 0 {
			all = append(all, Fact{name, strings.Join(parts, ", ")})
		}
	}
	fact("System", prefixed("build ", h.Build), prefixed("kernel ", h.Kernel), virtualFact(h.Virtual), prefixed("in a container: ", h.Container))
	fact("Cores", coresFact(h), kindsFact(h.CoreKinds), turboFact(h.Turbo), counted(h.NUMANodes, "NUMA nodes"))
	fact("Limits", limitFact(h))
	fact("Memory", h.MemoryType, speedFact(h.MemorySpeed), unifiedFact(h), availableFact(h.Conditions))
	fact("Power", powerFacts(h.Power)...)
	fact("Heat", h.Conditions.Thermal)
	if busy := h.Conditions.GPUBusy; busy != nil {
		fact("GPU before the run", percent(*busy)+" busy")
	}
	return all
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func counted(n int, what string) string {
	if n < 2 {
		return ""
	}
	return strconv.Itoa(n) + " " + what
}

func virtualFact(hypervisor string) string {
	switch hypervisor {
	case "":
		return ""
	case "unknown":
		return "virtual machine"
	}
	return "virtual machine (" + hypervisor + ")"
}

func coresFact(h exobench.Host) string {
	switch {
	case h.CoresOnline == 0:
		return ""
	case h.CoresPhysical > 0 && h.CoresPhysical != h.CoresOnline:
		return fmt.Sprintf("%d with %d threads", h.CoresPhysical, h.CoresOnline)
	}
	return strconv.Itoa(h.CoresOnline)
}

func kindsFact(kinds []exobench.CoreKind) string {
	var parts []string
	for _, k := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s", k.Cores, k.Kind))
	}
	return strings.Join(parts, " + ")
}

func turboFact(turbo *bool) string {
	switch {
	case turbo == nil:
		return ""
	case *turbo:
		return "turbo on"
	}
	return "turbo off"
}

// limitFact says what of the machine exobench may use, where that is not all.
func limitFact(h exobench.Host) string {
	var parts []string
	if h.CoresOnline > h.Cores && h.Cores > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d cores may be used", h.Cores, h.CoresOnline))
	}
	if h.Limits.CPUs > 0 {
		parts = append(parts, fmt.Sprintf("CPU time of %s cores (%s)", digits(h.Limits.CPUs), h.Limits.CPUsFrom))
	}
	if h.Limits.Memory > 0 {
		parts = append(parts, fmt.Sprintf("memory of %v (%s)", h.Limits.Memory, h.Limits.MemoryFrom))
	}
	return strings.Join(parts, ", ")
}

func speedFact(transfers float64) string {
	if transfers == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f MT/s", transfers/1e6)
}

func unifiedFact(h exobench.Host) string {
	if !h.Unified {
		return ""
	}
	text := "unified: what the GPU holds is in it"
	switch h.MetalLimitFrom {
	case exobench.MetalSet:
		text += fmt.Sprintf(", the GPU may hold %v (set by iogpu.wired_limit_mb)", h.MetalLimit)
	case exobench.MetalDefault:
		text += fmt.Sprintf(", the GPU may hold about %v (the system's default share; newer systems allow more)", h.MetalLimit)
	}
	return text
}

func availableFact(c exobench.Conditions) string {
	var parts []string
	if c.MemoryAvailable != nil {
		parts = append(parts, fmt.Sprintf("%v available before the run", *c.MemoryAvailable))
	}
	if c.SwapUsed != nil && *c.SwapUsed > 0 {
		parts = append(parts, fmt.Sprintf("%v swapped out", *c.SwapUsed))
	}
	if c.Compressed != nil {
		parts = append(parts, fmt.Sprintf("%v in the compressor", *c.Compressed))
	}
	return strings.Join(parts, ", ")
}

func powerFacts(p exobench.PowerMode) []string {
	source := string(p.Source)
	if p.Charge != nil && p.Source != "" {
		source += fmt.Sprintf(" (battery at %.0f %%)", 100**p.Charge)
	}
	mode := prefixed("mode ", p.Mode)
	if p.LowPower != nil && *p.LowPower && p.Mode == "" {
		mode = "low-power mode"
	}
	return []string{source, mode, prefixed("driver ", p.Driver), prefixed("governor ", p.Governor), prefixed("prefers ", p.Preference)}
}
