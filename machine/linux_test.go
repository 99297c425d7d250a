package machine

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"exobench"
)

// tree makes the files of a machine in a folder of the test's.
func tree(t *testing.T, files map[string]string) Source {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return Source{System: "linux", Root: root}
}

func TestCoresByKind(t *testing.T) {
	siblings := func(files map[string]string, n, of string) {
		files["sys/devices/system/cpu/cpu"+n+"/topology/thread_siblings_list"] = of
	}
	hybrid := map[string]string{
		"sys/devices/system/cpu/online": "0-5", "sys/devices/cpu_core/cpus": "0-3", "sys/devices/cpu_atom/cpus": "4-5",
		"sys/devices/system/cpu/intel_pstate/no_turbo": "0",
	}
	for n, of := range map[string]string{"0": "0-1", "1": "0-1", "2": "2-3", "3": "2-3", "4": "4", "5": "5"} {
		siblings(hybrid, n, of)
	}
	var h exobench.Host
	tree(t, hybrid).cpu(&h)
	if want := []exobench.CoreKind{{Kind: "performance", Cores: 2, Threads: 4}, {Kind: "efficiency", Cores: 2, Threads: 2}}; h.CoresOnline != 6 || h.CoresPhysical != 4 || !reflect.DeepEqual(h.CoreKinds, want) || h.Turbo == nil || !*h.Turbo {
		t.Errorf("a hybrid Intel: %+v", h)
	}
	capacities := func(all ...string) exobench.Host {
		files := map[string]string{"sys/devices/system/cpu/online": "0-" + string(rune('0'+len(all)-1)), "sys/devices/system/cpu/cpufreq/boost": "0"}
		for i, c := range all {
			files["sys/devices/system/cpu/cpu"+string(rune('0'+i))+"/cpu_capacity"] = c
		}
		var h exobench.Host
		tree(t, files).cpu(&h)
		return h
	}
	h = capacities("446", "446", "446", "446", "871", "871", "1024", "1024")
	if want := []exobench.CoreKind{{Kind: "performance", Cores: 4, Threads: 4}, {Kind: "efficiency", Cores: 4, Threads: 4}}; !reflect.DeepEqual(h.CoreKinds, want) || *h.Turbo {
		t.Errorf("big and little: %+v", h)
	}
	h = capacities("250", "600", "600", "1024")
	if len(h.CoreKinds) != 3 || h.CoreKinds[1] != (exobench.CoreKind{Kind: "middle", Cores: 2, Threads: 2}) {
		t.Errorf("three kinds: %+v", h.CoreKinds)
	}
	if h = capacities("1024", "1010", "990"); h.CoreKinds != nil {
		t.Errorf("cores of which some clock a little higher: %+v", h.CoreKinds)
	}
	if h = capacities("1024"); h.CoreKinds != nil || h.CoresPhysical != 0 {
		t.Errorf("one kind: %+v", h)
	}
}

func TestWhatFeedsAMachine(t *testing.T) {
	for _, row := range []struct {
		why   string
		files map[string]string
		want  exobench.PowerMode
	}{
		{"a server tells nothing", nil, exobench.PowerMode{}},
		{"a laptop on mains", map[string]string{
			"sys/class/power_supply/AC/type": "Mains", "sys/class/power_supply/AC/online": "1",
			"sys/class/power_supply/BAT0/type": "Battery", "sys/class/power_supply/BAT0/status": "Charging", "sys/class/power_supply/BAT0/capacity": "81",
			"sys/firmware/acpi/platform_profile":                    "balanced",
			"sys/devices/system/cpu/cpufreq/policy0/scaling_driver": "intel_pstate", "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "powersave",
			"sys/devices/system/cpu/cpufreq/policy1/scaling_driver": "intel_pstate", "sys/devices/system/cpu/cpufreq/policy1/scaling_governor": "performance",
			"sys/devices/system/cpu/cpufreq/policy0/energy_performance_preference": "balance_power",
		}, exobench.PowerMode{Source: exobench.Mains, Charge: new(0.81), Charging: new(true), LowPower: new(false), Mode: "balanced",
			Driver: "intel_pstate", Governor: "powersave, performance", Preference: "balance_power"}},
		{"a laptop on its battery", map[string]string{
			"sys/class/power_supply/AC/type": "Mains", "sys/class/power_supply/AC/online": "0",
			"sys/class/power_supply/BAT0/type": "Battery", "sys/class/power_supply/BAT0/status": "Discharging", "sys/class/power_supply/BAT0/capacity": "40",
			"sys/firmware/acpi/platform_profile": "low-power",
		}, exobench.PowerMode{Source: exobench.Battery, Charge: new(0.4), Charging: new(false), LowPower: new(true), Mode: "low-power"}},
		{"a charger that is too weak", map[string]string{
			"sys/class/power_supply/usb/type": "USB", "sys/class/power_supply/usb/online": "1",
			"sys/class/power_supply/BAT0/type": "Battery", "sys/class/power_supply/BAT0/status": "Discharging",
		}, exobench.PowerMode{Source: exobench.Battery, Charging: new(false)}},
		{"a mouse with a battery", map[string]string{
			"sys/class/power_supply/hidpp/type": "Battery", "sys/class/power_supply/hidpp/scope": "Device", "sys/class/power_supply/hidpp/status": "Discharging",
		}, exobench.PowerMode{}},
	} {
		var h exobench.Host
		tree(t, row.files).power(&h)
		if !reflect.DeepEqual(h.Power, row.want) {
			t.Errorf("%s: %+v, want %+v", row.why, h.Power, row.want)
		}
	}
}

func TestVirtualMachinesAndContainersAreKnown(t *testing.T) {
	for _, row := range []struct {
		files              map[string]string
		virtual, container string
	}{
		{nil, "", ""},
		{map[string]string{"sys/class/dmi/id/sys_vendor": "LENOVO", "proc/cpuinfo": "flags\t\t: fpu vme\n"}, "", ""},
		{map[string]string{"sys/class/dmi/id/sys_vendor": "QEMU", "sys/class/dmi/id/product_name": "Standard PC"}, "qemu", ""},
		{map[string]string{"sys/class/dmi/id/sys_vendor": "Microsoft Corporation", "sys/class/dmi/id/product_name": "Virtual Machine"}, "hyper-v", ""},
		{map[string]string{"sys/class/dmi/id/sys_vendor": "Microsoft Corporation", "sys/class/dmi/id/product_name": "Surface Laptop"}, "", ""},
		{map[string]string{"sys/class/dmi/id/sys_vendor": "Amazon EC2", "sys/class/dmi/id/product_name": "m7g.metal"}, "", ""},
		{map[string]string{"sys/class/dmi/id/sys_vendor": "Amazon EC2", "sys/class/dmi/id/product_name": "m7g.large"}, "amazon", ""},
		{map[string]string{"proc/sys/kernel/osrelease": "5.15.90.1-microsoft-standard-WSL2\n"}, "wsl", ""},
		{map[string]string{"sys/hypervisor/type": "xen"}, "xen", ""},
		{map[string]string{"proc/device-tree/hypervisor/compatible": "linux,kvm\x00"}, "kvm", ""},
		{map[string]string{"sys/devices/system/clocksource/clocksource0/available_clocksource": "kvm-clock tsc acpi_pm"}, "kvm", ""},
		{map[string]string{"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu hypervisor lahf_lm\n"}, Unknown, ""},
		{map[string]string{".dockerenv": ""}, "", "docker"},
		{map[string]string{"run/.containerenv": "x"}, "", "podman"},
		{map[string]string{"proc/self/cgroup": "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n"}, "", "kubernetes"},
		{map[string]string{"run/systemd/container": "systemd-nspawn"}, "", "systemd-nspawn"},
	} {
		s := tree(t, row.files)
		if virtual, container := s.virtual(), s.container(); virtual != row.virtual || container != row.container {
			t.Errorf("%v: %q and %q, want %q and %q", row.files, virtual, container, row.virtual, row.container)
		}
	}
}

func TestMemoryAndHeatBeforeTheRun(t *testing.T) {
	var h exobench.Host
	tree(t, map[string]string{
		"proc/meminfo":                                      "MemTotal:       16000000 kB\nMemAvailable:    4000000 kB\nSwapTotal:       8000000 kB\nSwapFree:        5000000 kB\n",
		"sys/class/thermal/thermal_zone0/type":              "acpitz",
		"sys/class/thermal/thermal_zone0/temp":              "99000",
		"sys/class/thermal/thermal_zone0/trip_point_0_type": "passive",
		"sys/class/thermal/thermal_zone0/trip_point_0_temp": "0",
		"sys/class/thermal/thermal_zone1/type":              "x86_pkg_temp",
		"sys/class/thermal/thermal_zone1/temp":              "97000",
		"sys/class/thermal/thermal_zone1/trip_point_0_type": "passive",
		"sys/class/thermal/thermal_zone1/trip_point_0_temp": "95000",
	}).conditions(&h)
	c := h.Conditions
	if *c.MemoryAvailable != 4000000<<10 || *c.SwapUsed != 3000000<<10 || *c.SwapTotal != 8000000<<10 || c.Thermal != "x86_pkg_temp at 97 °C, its limit is 95 °C" {
		t.Errorf("%v %v %v %q", *c.MemoryAvailable, *c.SwapUsed, *c.SwapTotal, c.Thermal)
	}
	h = exobench.Host{}
	if tree(t, nil).conditions(&h); !reflect.DeepEqual(h, exobench.Host{}) {
		t.Errorf("what is unknown is absent: %+v", h)
	}
}

// module is a structure of SMBIOS for a memory module with its two texts.
func module(size uint16, kind byte, speed, configured uint16) []byte {
	m := make([]byte, 0x28)
	m[0], m[1], m[moduleType] = moduleStructure, byte(len(m)), kind
	binary.LittleEndian.PutUint16(m[moduleSize:], size)
	binary.LittleEndian.PutUint16(m[moduleSpeed:], speed)
	binary.LittleEndian.PutUint16(m[moduleConfigured:], configured)
	return append(m, "DIMM 0\x00BANK 0\x00\x00"...)
}

func TestMemoryModulesOfTheFirmwaresTable(t *testing.T) {
	bios := append([]byte{0, 6, 1, 0, 1, 2}, 0, 0) // without texts
	table := append([]byte{}, bios...)
	table = append(table, module(0, 2, 0, 0)...) // an empty slot
	table = append(table, module(0x4000, 0x22, 5600, 4800)...)
	table = append(table, module(0x4000, 0x22, 5600, 5200)...)
	table = append(table, 127, 4, 9, 0, 0, 0)
	if kind, speed := modules(table); kind != "DDR5" || speed != 4800e6 {
		t.Errorf("%q, %v", kind, speed)
	}
	if kind, speed := modules(append(module(0x4000, 0x1a, 3200, 0), 127, 4, 9, 0, 0, 0)); kind != "DDR4" || speed != 3200e6 {
		t.Errorf("a table of before 2.7: %q, %v", kind, speed)
	}
	for n := range table { // cut off anywhere
		modules(table[:n])
	}
	s := tree(t, map[string]string{"sys/devices/system/edac/mc/mc0/dimm0/dimm_mem_type": "Registered-DDR4\n"})
	var h exobench.Host
	if s.memorySheet(&h); h.MemoryType != "DDR4" || h.MemorySpeed != 0 || len(h.Sensors) != 1 || h.Sensors[0].Found {
		t.Errorf("%+v", h)
	}
	s = tree(t, map[string]string{"sys/firmware/dmi/tables/DMI": string(table)})
	h = exobench.Host{}
	if s.memorySheet(&h); h.MemoryType != "DDR5" || h.MemorySpeed != 4800e6 || !h.Sensors[0].Found {
		t.Errorf("%+v", h)
	}
}

func TestThisMachineIsDescribed(t *testing.T) {
	h := This().Host(t.Context())
	if h.Name == "" || h.Cores != runtime.NumCPU() || h.Memory == 0 || h.Usable() <= 0 || h.Usable() > float64(h.Cores) || h.UsableMemory() > h.Memory {
		t.Errorf("%+v", h)
	}
	if runtime.GOOS == "linux" && (h.Kernel == "" || h.CoresOnline < h.Cores || h.Conditions.MemoryAvailable == nil) {
		t.Errorf("%+v", h)
	}
}

func FuzzModules(f *testing.F) {
	f.Add(module(0x4000, 0x22, 5600, 4800))
	f.Fuzz(func(t *testing.T, table []byte) {
		if _, speed := modules(table); speed < 0 {
			t.Error(speed)
		}
	})
}
