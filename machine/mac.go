package machine

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"exobench"
	"exobench/internal/panics"
)

// macNames are what is asked of sysctl. A name that a system does not know is left
// out of its answer.
var macNames = []string{
	"machdep.cpu.brand_string", "hw.memsize", "hw.physicalcpu", "hw.logicalcpu", "hw.nperflevels",
	"hw.perflevel0.name", "hw.perflevel0.physicalcpu", "hw.perflevel0.logicalcpu",
	"hw.perflevel1.name", "hw.perflevel1.physicalcpu", "hw.perflevel1.logicalcpu",
	"hw.perflevel2.name", "hw.perflevel2.physicalcpu", "hw.perflevel2.logicalcpu",
	"hw.optional.arm64", "kern.hv_vmm_present", "iogpu.wired_limit_mb", "vm.swapusage",
}

// mac adds what the commands of macOS tell, all asked at once.
func (s Source) mac(ctx context.Context, h *exobench.Host) {
	questions := [][]string{
		append([]string{"sysctl"}, macNames...), {"sw_vers"}, {"vm_stat"},
		{"pmset", "-g"}, {"pmset", "-g", "batt"}, {"pmset", "-g", "therm"},
		{"ioreg", "-r", "-d", "1", "-w", "0", "-c", "AGXAccelerator"}, {"notifyutil", "-g", pressureKey},
	}
	answers := make([]string, len(questions))
	var asked sync.WaitGroup
	for i, q := range questions {
		// What a command cannot tell is absent.
		asked.Go(panics.Caught(func() { answers[i], _ = s.Commands.run(ctx, q[0], q[1:]...) }))
	}
	asked.Wait()
	values := named(answers[0])
	macCPU(values, h)
	macMemory(values, answers[2], h)
	h.Build = named(answers[1])["BuildVersion"]
	macPower(answers[3], answers[4], &h.Power)
	h.Conditions.Thermal, h.Conditions.SpeedLimit = macHeat(answers[5], answers[7])
	h.Conditions.GPUBusy = macGPU(answers[6])
	if values["kern.hv_vmm_present"] == "1" {
		h.Virtual = "apple"
	}
	macSensors(h, answers)
}

// named reads lines of a name and its value, with a colon between them.
func named(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			all[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return all
}

// whole reads a whole number; 0 where there is none.
func whole(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// macCPU adds the chip and its cores: the system numbers the kinds of cores from
// the fastest on.
func macCPU(values map[string]string, h *exobench.Host) {
	if chip := values["machdep.cpu.brand_string"]; chip != "" {
		h.CPU = chip
	}
	h.CoresPhysical, h.CoresOnline = int(whole(values["hw.physicalcpu"])), int(whole(values["hw.logicalcpu"]))
	levels := int(whole(values["hw.nperflevels"]))
	if levels < 2 {
		return
	}
	for i := range levels {
		level := "hw.perflevel" + strconv.Itoa(i) + "."
		kind := exobench.CoreKind{
			Kind: strings.ToLower(values[level+"name"]), Cores: int(whole(values[level+"physicalcpu"])), Threads: int(whole(values[level+"logicalcpu"])),
		}
		switch {
		case kind.Cores == 0:
			continue
		case kind.Kind == "" && i == 0:
			kind.Kind = "performance"
		case kind.Kind == "" && i == levels-1:
			kind.Kind = "efficiency"
		}
		h.CoreKinds = append(h.CoreKinds, kind)
	}
}

// The default share of the memory that the GPU may hold, of less memory than
// largeMac and of more: recommendedMaxWorkingSetSize as llama.cpp logs it on macOS
// 13 and 14, 10922.67 MiB of 16 GiB, 21845.34 of 32, 27648 of 36, 49152 of 64 and
// 73728 of 96. Newer systems were seen to allow more (0.74 of 16 GiB, 0.78 of 36,
// 0.84 of 128), which no command tells.
const (
	smallMacShare = 2.0 / 3
	largeMacShare = 3.0 / 4
	largeMac      = 36 << 30
)

// macMemory adds the memory, what of it the GPU may hold, and what is in use.
func macMemory(values map[string]string, vm string, h *exobench.Host) {
	if size := whole(values["hw.memsize"]); size > 0 {
		h.Memory = exobench.Bytes(size)
	}
	if h.Unified = values["hw.optional.arm64"] == "1"; h.Unified && h.Memory > 0 {
		share := smallMacShare
		if h.Memory >= largeMac {
			share = largeMacShare
		}
		h.MetalLimit, h.MetalLimitFrom = exobench.Bytes(share*float64(h.Memory)), exobench.MetalDefault
		if set := whole(values["iogpu.wired_limit_mb"]); set > 0 {
			h.MetalLimit, h.MetalLimitFrom = exobench.Bytes(set)<<20, exobench.MetalSet
		}
	}
	c := &h.Conditions
	c.SwapTotal, c.SwapUsed = swap(values["vm.swapusage"], "total"), swap(values["vm.swapusage"], "used")
	c.MemoryAvailable, c.Compressed = vmStat(vm, h.Memory)
}

// swap reads a size out of "total = 2048.00M  used = 512.00M  free = 1536.00M
// (encrypted)".
func swap(text, name string) *exobench.Bytes {
	found := regexp.MustCompile(name + ` = ([0-9.]+)([KMGT])`).FindStringSubmatch(text)
	if found == nil {
		return nil
	}
	size, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return nil
	}
	shift := 10 * (1 + strings.Index("KMGT", found[2]))
	return new(exobench.Bytes(size * float64(int64(1)<<shift)))
}

// vmStat reads how much memory programs can have, and how much holds compressed
// pages. What they cannot have is what Activity Monitor calls used: wired pages,
// the compressor's, and anonymous ones that may not be purged.
func vmStat(text string, memory exobench.Bytes) (available, compressed *exobench.Bytes) {
	size := regexp.MustCompile(`page size of (\d+) bytes`).FindStringSubmatch(text)
	if size == nil {
		return nil, nil
	}
	page, pages := whole(size[1]), map[string]int64{}
	for name, value := range named(text) {
		if n, err := strconv.ParseInt(strings.TrimSuffix(value, "."), 10, 64); err == nil {
			pages[name] = n
		}
	}
	wired, known := pages["Pages wired down"]
	anonymous, split := pages["Anonymous pages"]
	compressor, told := pages["Pages occupied by compressor"]
	if told {
		compressed = new(exobench.Bytes(compressor * page))
	}
	if known && split && told && memory > 0 {
		used := wired + compressor + max(0, anonymous-pages["Pages purgeable"])
		available = new(max(0, memory-exobench.Bytes(used*page)))
	}
	return available, compressed
}
