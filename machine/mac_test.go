package machine

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"exobench"
)

// scripted makes a folder of commands out of what each is to do in a shell.
func scripted(t *testing.T, commands map[string]string) Commands {
	t.Helper()
	folder := t.TempDir()
	for name, script := range commands {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return Commands{Folder: folder}
}

// recorded are commands that print the files of a folder of testdata, as the
// real ones print: sysctl tells what it knows and fails for a name that it does
// not.
func recorded(t *testing.T, folder string) Commands {
	t.Helper()
	from, err := filepath.Abs(filepath.Join("testdata", folder))
	if err != nil {
		t.Fatal(err)
	}
	return scripted(t, map[string]string{
		"sysctl":     "cat " + from + "/sysctl.txt; echo \"sysctl: unknown oid 'hw.perflevel2.name'\" >&2; exit 1\n",
		"sw_vers":    "cat " + from + "/sw_vers.txt\n",
		"vm_stat":    "cat " + from + "/vm_stat.txt\n",
		"pmset":      "case \"$*\" in -g) cat " + from + "/pmset.txt;; '-g batt') cat " + from + "/pmset_batt.txt;; '-g therm') cat " + from + "/pmset_therm.txt;; *) exit 64;; esac\n",
		"notifyutil": "[ \"$*\" = '-g com.apple.system.thermalpressurelevel' ] || exit 64; cat " + from + "/notifyutil.txt\n",
		"ioreg":      "[ \"$*\" = '-r -d 1 -w 0 -c AGXAccelerator' ] || exit 64; cat " + from + "/ioreg.txt\n",
	})
}

func mac(t *testing.T, folder string) exobench.Host {
	t.Helper()
	h := exobench.Host{}
	Source{System: "darwin", Commands: recorded(t, folder)}.describe(t.Context(), &h)
	return h
}

func TestALaptopOfApple(t *testing.T) {
	got := mac(t, "m3pro")
	want := exobench.Host{
		Build: "25F80", CPU: "Apple M3 Pro", CoresOnline: 12, CoresPhysical: 12,
		CoreKinds: []exobench.CoreKind{{Kind: "performance", Cores: 6, Threads: 6}, {Kind: "efficiency", Cores: 6, Threads: 6}},
		Memory:    36 << 30, Unified: true, MetalLimit: 27 << 30, MetalLimitFrom: exobench.MetalDefault,
		Power: exobench.PowerMode{Source: exobench.Battery, Charge: new(0.87), Charging: new(false), LowPower: new(true)},
		Conditions: exobench.Conditions{
			SwapTotal: new(exobench.Bytes(2048 << 20)), SwapUsed: new(exobench.Bytes(512.25 * (1 << 20))),
			// 36 GiB less wired 159117, compressor 454496 and anonymous 247311 − 630 purgeable pages of 16 KiB.
			MemoryAvailable: new(exobench.Bytes(36<<30 - (159117+454496+247311-630)*16384)), Compressed: new(exobench.Bytes(454496 * 16384)),
			Thermal: "thermal pressure is heavy", SpeedLimit: new(0.62), GPUBusy: new(0.16),
		},
		Sensors: got.Sensors,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, s := range got.Sensors {
		if !s.Found {
			t.Errorf("%+v", s)
		}
	}
}

func TestADesktopOfAppleInGoodOrder(t *testing.T) {
	got := mac(t, "m2ultra")
	if got.MetalLimit != 180224<<20 || got.MetalLimitFrom != exobench.MetalSet || got.Memory != 192<<30 {
		t.Errorf("Metal may hold %v by %s", got.MetalLimit, got.MetalLimitFrom)
	}
	if p := got.Power; p.Source != exobench.Mains || p.Charge != nil || p.Charging != nil || p.LowPower == nil || *p.LowPower || p.Mode != "high" {
		t.Errorf("%+v", p)
	}
	if c := got.Conditions; c.Thermal != "" || c.SpeedLimit != nil || *c.SwapUsed != 0 || *c.GPUBusy != 0 {
		t.Errorf("%+v", c)
	}
	if got.CoreKinds[0].Kind != "performance" || got.CoreKinds[0].Cores != 16 || got.CoreKinds[1].Cores != 8 {
		t.Errorf("%+v", got.CoreKinds)
	}
}

func TestThermalPressureOfEveryForm(t *testing.T) {
	for text, want := range map[string]string{
		"Note: No thermal warning level has been recorded\nNote: No performance warning level has been recorded\nNote: No CPU power status has been recorded\n": "",
		"\tCPU_Speed_Limit \t= 100\n":                        "",
		"\tCPU_Speed_Limit \t= 80\n":                         "CPU speed limit 80 %",
		"Thermal Warning Level = 1\nCPU_Speed_Limit = 100\n": "thermal warning level 1",
		"Thermal Warning Level = 0\n":                        "",
		"Performance Warning Level = 2\n":                    "performance warning level 2",
		"":                                                   "",
	} {
		if got, _ := macHeat(text, ""); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestThermalPressureOfAppleSilicon(t *testing.T) {
	quiet := "Note: No thermal warning level has been recorded\n"
	for level, want := range map[string]string{
		pressureKey + " 0\n": "", pressureKey + " 1\n": "thermal pressure is moderate", pressureKey + " 4\n": "thermal pressure is sleeping",
		pressureKey + " 99\n": "", "0: Failed\n": "", "": "",
	} {
		if got, _ := macHeat(quiet, level); got != want {
			t.Errorf("%q: %q, want %q", level, got, want)
		}
	}
}

func TestTheDefaultShareOfMetal(t *testing.T) {
	for memory, want := range map[string]exobench.Bytes{
		"17179869184": 11453246122, "38654705664": 27 << 30, "68719476736": 48 << 30,
	} {
		var h exobench.Host
		if macMemory(map[string]string{"hw.memsize": memory, "hw.optional.arm64": "1"}, "", &h); h.MetalLimit != want {
			t.Errorf("of %s bytes: %d, want %d", memory, h.MetalLimit, want)
		}
	}
	var intel exobench.Host
	if macMemory(map[string]string{"hw.memsize": "17179869184"}, "", &intel); intel.Unified || intel.MetalLimit != 0 {
		t.Errorf("an Intel Mac: %+v", intel)
	}
}

func TestCommandsThatTellNothing(t *testing.T) {
	for why, commands := range map[string]Commands{
		"there are none": scripted(t, nil),
		"they fail":      scripted(t, map[string]string{"sysctl": "exit 1", "pmset": "exit 1", "vm_stat": "exit 1", "sw_vers": "exit 1", "ioreg": "exit 1"}),
		"they print something else": scripted(t, map[string]string{
			"sysctl": "echo vm.swapusage: total = xM; echo hw.memsize: -3; echo hw.nperflevels: 9", "pmset": "echo powermode; echo \"InternalBattery 1%; x\"", "vm_stat": "echo page size of 0 bytes", "ioreg": "echo '\"Device Utilization %\"=x'"}),
	} {
		h := exobench.Host{}
		Source{System: "darwin", Commands: commands}.describe(t.Context(), &h)
		for _, s := range h.Sensors {
			if s.Found && s.Name != "thermal pressure" || s.Why == "" {
				t.Errorf("%s: %+v", why, s)
			}
		}
		if h.Sensors = nil; !reflect.DeepEqual(h, exobench.Host{}) {
			t.Errorf("%s: %+v", why, h)
		}
	}
}

func TestACommandThatHangsIsGivenUp(t *testing.T) {
	began := time.Now()
	out, err := scripted(t, map[string]string{"pmset": "echo begun; exec sleep 60"}).run(t.Context(), "pmset")
	if err == nil || out != "begun\n" || time.Since(began) > 20*time.Second {
		t.Errorf("%q, %v after %v", out, err, time.Since(began))
	}
}

func TestSystemCommandsAreFoundWithoutPath(t *testing.T) {
	t.Setenv("PATH", "")
	if out, err := (Commands{}).run(t.Context(), "echo", "here"); err != nil || out != "here\n" {
		t.Errorf("%q, %v", out, err)
	}
}
