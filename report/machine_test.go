package report

import (
	"bytes"
	"strings"
	"testing"

	"exobench"
	"exobench/summary"
)

// laptop is a Mac of which all is known, in bad order.
var laptop = exobench.Host{
	Name: "mac", System: "darwin 26.5.1 25.5.0", Kernel: "25.5.0", Build: "25F80", CPU: "Apple M3 Pro", Cores: 12, CoresOnline: 12, CoresPhysical: 12,
	CoreKinds: []exobench.CoreKind{{Kind: "performance", Cores: 6, Threads: 6}, {Kind: "efficiency", Cores: 6, Threads: 6}},
	Memory:    36 << 30, Unified: true, MetalLimit: 27 << 30, MetalLimitFrom: exobench.MetalDefault,
	Power: exobench.PowerMode{Source: exobench.Battery, Charge: new(0.87), Charging: new(false), LowPower: new(true)},
	Conditions: exobench.Conditions{
		SwapTotal: new(exobench.Bytes(4 << 30)), SwapUsed: new(exobench.Bytes(3 << 30)), MemoryAvailable: new(exobench.Bytes(2 << 30)),
		Compressed: new(exobench.Bytes(7 << 30)), Thermal: "CPU speed limit 62 %", SpeedLimit: new(0.62), GPUBusy: new(0.4),
	},
	Sensors: []exobench.SensorState{{Name: "process memory", Found: true, Why: "physical footprint"}, {Name: "power", Why: "macmon is not there", Enable: "brew install macmon"}},
}

// pod is 2 cores of a server of 16, by a control group.
var pod = exobench.Host{
	Name: "pod", Cores: 16, CoresOnline: 32, CoresPhysical: 16, NUMANodes: 2, Turbo: new(true), Memory: 256 << 30, MemoryType: "DDR5", MemorySpeed: 4800e6,
	Virtual: "kvm", Container: "kubernetes", Limits: exobench.Limits{CPUs: 2, CPUsFrom: "/sys/fs/cgroup/cpu.max", Memory: 8 << 30, MemoryFrom: "/sys/fs/cgroup/memory.max"},
	Power: exobench.PowerMode{Driver: "intel_pstate", Governor: "performance"},
}

// busier is the same machine at another time.
func busier(h exobench.Host) exobench.Host {
	h.Conditions.MemoryAvailable, h.Power.Charge = new(exobench.Bytes(1<<38)), new(0.5)
	return h
}

// reportOn is the report of a run in sessions on hosts.
func reportOn(t *testing.T, hosts ...exobench.Host) (*summary.Run, string) {
	t.Helper()
	s := newScript(planOf("embedded", []exobench.Traffic{{Concurrency: 1}}, exobench.Stop{Repeat: 1}, "m"), hosts[0], standIn(exobench.Model{Name: "m", ID: "org/m"}))
	entries := s.entries
	for i, host := range hosts[1:] {
		entries = append(entries, &exobench.Session{ID: i + 2, Host: host})
	}
	run, _ := build(t, entries)
	var b bytes.Buffer
	if err := Markdown(&b, Full(run)); err != nil {
		t.Fatal(err)
	}
	return run, b.String()
}

func TestTheMachineIsInEveryReport(t *testing.T) {
	var text strings.Builder
	for _, hosts := range [][]exobench.Host{{laptop}, {pod}, {pod, busier(pod), laptop}} {
		run, report := reportOn(t, hosts...)
		validate(t, run)
		_, section, _ := strings.Cut(report, "## Machine")
		section, _, _ = strings.Cut(section, "\n## ")
		text.WriteString(section)
	}
	golden(t, "machine.md", []byte(text.String()))
}

func TestWhatSpoilsFiguresStandsFirst(t *testing.T) {
	_, report := reportOn(t, laptop)
	head, _, _ := strings.Cut(report, "\n## ")
	for _, want := range []string{"runs on its battery", "trades speed for power", "Heat slowed", "swapped out before", "was available", "kept the GPU 40 %"} {
		if !strings.Contains(head, want) {
			t.Errorf("the lead does not say %q:\n%s", want, head)
		}
	}
	_, report = reportOn(t, exobench.Host{Virtual: "kvm"})
	if head, _, _ := strings.Cut(report, "\n## "); strings.Contains(head, "virtual machine") || !strings.Contains(report, "This is a virtual machine (kvm)") {
		t.Errorf("a virtual machine stands in its section only:\n%s", report)
	}
}

func TestAMachineOfWhichNothingIsKnownHasNoSection(t *testing.T) {
	if _, report := reportOn(t, exobench.Host{Name: "h", Cores: 2}); strings.Contains(report, "## Machine") {
		t.Error(report)
	}
}
