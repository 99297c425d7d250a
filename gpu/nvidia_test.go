//go:build unix

package gpu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench"
)

const mib = 1 << 20

// A dialect of testdata, and what it tells of each device.
var dialects = []struct {
	name string
	why  string
	want map[string]map[exobench.Quantity]float64
}{
	{"geforce-390", "a driver without a help on fields, which refuses those that are newer than it; a program with a comma in its name", map[string]map[exobench.Quantity]float64{
		"GPU-0d3cb5e4-6b0e-7f4b-93c6-0c9f2f1ad001": {
			exobench.GPUUsed: 312 * mib, exobench.GPUTotal: 978 * mib, exobench.GPUTemperature: 41,
			exobench.GPUClock: 324e6, exobench.GPUMemoryClock: 324e6, exobench.GPUEngine: 0,
		},
		"GPU-7e64f2a1-51c0-2f0b-8ae1-66d1d8a3c002": {
			exobench.GPUUsed: 4410 * mib, exobench.GPUTotal: 11178 * mib, exobench.GPUBusy: 0.97, exobench.GPUPower: 231.55,
			exobench.GPUTemperature: 83, exobench.GPUClock: 1670e6, exobench.GPUMemoryClock: 5508e6,
			exobench.GPUThrottleReasons: 0x24, exobench.GPUThrottled: 1, exobench.GPUEngine: 3200 * mib,
		},
	}},
	{"a100-mig", "a device in parts, whose processes are told of by part, and another one that idles", map[string]map[exobench.Quantity]float64{
		"GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77": {
			exobench.GPUUsed: 9011 * mib, exobench.GPUTotal: 40960 * mib, exobench.GPUPower: 91.42, exobench.GPUPowerAverage: 88.10,
			exobench.GPUTemperature: 36, exobench.GPUClock: 1410e6, exobench.GPUMemoryClock: 1215e6,
			exobench.GPUThrottleReasons: 0, exobench.GPUThrottled: 0, exobench.GPUEngine: 8048 * mib,
		},
		"GPU-b8ea3855-276c-c9cb-b366-c6fa655957c5": {
			exobench.GPUUsed: 4 * mib, exobench.GPUTotal: 40960 * mib, exobench.GPUBusy: 0, exobench.GPUPower: 55.01, exobench.GPUPowerAverage: 54.85,
			exobench.GPUTemperature: 31, exobench.GPUClock: 210e6, exobench.GPUMemoryClock: 1215e6,
			exobench.GPUThrottleReasons: 1, exobench.GPUThrottled: 0, exobench.GPUEngine: 0,
		},
	}},
	{"h100-580", "a driver that tells all, which was recorded", map[string]map[exobench.Quantity]float64{
		"GPU-22f77083-0000-0000-0000-000000000000": {
			exobench.GPUUsed: 4623 * mib, exobench.GPUTotal: 81559 * mib, exobench.GPUBusy: 0.99, exobench.GPUPower: 646.70, exobench.GPUPowerAverage: 691.89,
			exobench.GPUTemperature: 55, exobench.GPUClock: 1245e6, exobench.GPUMemoryClock: 2619e6,
			exobench.GPUThrottleReasons: 4, exobench.GPUThrottled: 1, exobench.GPUEngine: 4614 * mib,
		},
	}},
	{"gb10", "a device in the host's memory, of which only processes tell", map[string]map[exobench.Quantity]float64{
		"GPU-3f1f3b9e-9b5c-3a62-8f0e-5d2a7c11e4b0": {
			exobench.GPUBusy: 0.96, exobench.GPUPower: 42.30, exobench.GPUTemperature: 68, exobench.GPUClock: 2411e6,
			exobench.GPUThrottleReasons: 0, exobench.GPUThrottled: 0, exobench.GPUEngine: 5120 * mib, exobench.GPUUnified: 1,
		},
	}},
	{"wsl", "processes without sizes, and power that is told only where it was told before there were two kinds", map[string]map[exobench.Quantity]float64{
		"GPU-9b3f0c2e-1c1a-4d27-b9c5-0f6f3b1f7e11": {
			exobench.GPUUsed: 7213 * mib, exobench.GPUTotal: 24564 * mib, exobench.GPUBusy: 0.34, exobench.GPUPower: 102.44,
			exobench.GPUTemperature: 44, exobench.GPUClock: 2520e6, exobench.GPUMemoryClock: 10501e6,
			exobench.GPUThrottleReasons: 0, exobench.GPUThrottled: 0,
		},
	}},
	{"restricted", "a guest's device, most of which is hidden, a number without its unit, and a warning between the lines", map[string]map[exobench.Quantity]float64{
		"GPU-6a1e7c39-0d02-11ee-be56-0242ac120002": {
			exobench.GPUUsed: 1034 * mib, exobench.GPUTotal: 8192 * mib, exobench.GPUMemoryClock: 5000e6,
		},
	}},
}

func asMap(v exobench.Values) map[exobench.Quantity]float64 {
	m := map[exobench.Quantity]float64{}
	for _, value := range v {
		m[value.Quantity] = value.Value
	}
	return m
}

func TestEveryDialectIsRead(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			_, source, sensor := openDialect(t, d.name)
			got := map[string]map[exobench.Quantity]float64{}
			for id, values := range readAt(t, sensor, exobench.Before) {
				got[id] = asMap(values)
			}
			if diff := cmp.Diff(d.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s\n%+v", d.why, diff, source.nvidia.streams[0].state())
			}
		})
	}
}

func TestDevicesAreDescribed(t *testing.T) {
	for name, want := range map[string][]exobench.GPU{
		"a100-mig": {
			{ID: "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77", Name: "NVIDIA A100-SXM4-40GB", Driver: "535.183.06", Memory: 40960 * mib, MIG: []string{
				"MIG 3g.20gb (MIG-c7384736-a75d-5afc-978f-d2f1294409fd)", "MIG 2g.10gb (MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d)",
			}},
			{ID: "GPU-b8ea3855-276c-c9cb-b366-c6fa655957c5", Name: "NVIDIA A100-SXM4-40GB", Driver: "535.183.06", Memory: 40960 * mib},
		},
		"gb10": {{ID: "GPU-3f1f3b9e-9b5c-3a62-8f0e-5d2a7c11e4b0", Name: "NVIDIA GB10", Driver: "580.95.05", Unified: true}},
	} {
		_, source, _ := openDialect(t, name)
		if diff := cmp.Diff(want, source.Devices()); diff != "" || len(source.Missing()) > 0 {
			t.Errorf("%s (-want +got):\n%s\nmissing %+v", name, diff, source.Missing())
		}
	}
}

// eventually tries until a deadline that only a fault reaches.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func TestMemoryThatIsTakenAndGivenBackIsSeen(t *testing.T) {
	folder, _, sensor := openDialect(t, "gb10")
	const id = "GPU-3f1f3b9e-9b5c-3a62-8f0e-5d2a7c11e4b0"
	file := filepath.Join(folder, "processes.csv")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	engine := func() float64 {
		size, known := readAt(t, sensor, exobench.Loaded)[id].Get(exobench.GPUEngine)
		if !known {
			t.Error("the engine's memory is not known")
		}
		return size / mib
	}
	if got := engine(); got != 5120 {
		t.Errorf("%v MiB, want 5120", got)
	}
	// Each reading is of later than its call, also where the list became empty or
	// began again.
	for _, row := range []struct {
		text string
		want float64
	}{
		{strings.Replace(string(before), "5120", "6144", 1), 6144},
		{strings.SplitAfter(string(before), "\n")[0], 0},
		{string(before), 5120},
		{string(before) + strings.SplitAfter(string(before), "\n")[1], 10240},
	} {
		write(t, file, row.text)
		if got := engine(); got != row.want {
			t.Errorf("%v MiB, want %v", got, row.want)
		}
	}
}

func TestWhatWasReadDuringRequestsIsToldOnce(t *testing.T) {
	_, source, sensor := openDialect(t, "gb10")
	readAt(t, sensor, exobench.Loaded)
	n, told := 0, map[exobench.Instant]bool{}
	for end := time.Now().Add(time.Second); time.Now().Before(end); n++ {
		samples, err := sensor.Read(t.Context(), exobench.During)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			if told[s.At] {
				t.Errorf("the reading of %v was told before", s.At)
			}
			told[s.At] = true
		}
		time.Sleep(5 * time.Millisecond)
	}
	if len(told) == 0 || len(told) >= n {
		t.Errorf("%d readings in %d calls", len(told), n)
	}
	source.Close()
	eventually(t, "a reading that is stale is told of no more", func() bool { return len(readAt(t, sensor, exobench.During)) == 0 })
}

func TestAnNvidiaSMIThatEndsIsStartedAnew(t *testing.T) {
	folder, source, sensor := openDialect(t, "gb10")
	if got := readAt(t, sensor, exobench.Before); len(got) != 1 {
		t.Fatalf("%d devices", len(got))
	}
	write(t, filepath.Join(folder, "failure.txt"), "Unable to determine the device handle for GPU0000:01:00.0: Unknown Error\n")
	for _, s := range source.nvidia.streams {
		s.mu.Lock()
		process := s.process
		s.mu.Unlock()
		if err := process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the reason is known", func() bool {
		return strings.Contains(source.nvidia.streams[0].state().reason, "Unable to determine the device handle")
	})
	eventually(t, "readings are absent, with the reason", func() bool {
		samples, err := sensor.Read(t.Context(), exobench.During)
		return len(samples) == 0 && err != nil && strings.Contains(err.Error(), "Unable to determine the device handle")
	})
	if err := os.Remove(filepath.Join(folder, "failure.txt")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readings are back", func() bool {
		samples, err := sensor.Read(t.Context(), exobench.During)
		return len(samples) == 1 && err == nil
	})
}

func TestNothingIsLeftOfASourceThatIsClosed(t *testing.T) {
	_, source, sensor := openDialect(t, "a100-mig")
	readAt(t, sensor, exobench.Before)
	var pids []int
	for _, s := range source.nvidia.streams {
		pids = append(pids, s.process.PID)
	}
	source.Close()
	for _, pid := range pids {
		if process, err := os.FindProcess(pid); err == nil && process.Signal(nil) == nil {
			t.Errorf("process %d is left", pid)
		}
	}
}

func TestADriverThatDoesNotAnswerIsSaid(t *testing.T) {
	_, path := dialect(t, "no-driver")
	for _, there := range []bool{true, false} {
		m := newMachine(t)
		c := m.config()
		c.Path = path
		if there {
			m.write("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n")
			m.write("sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n")
		}
		source := Open(t.Context(), c)
		defer source.Close()
		if len(source.Devices()) > 0 {
			t.Errorf("devices %v", source.Devices())
		}
		missing := source.Missing()
		if !there && len(missing) > 0 {
			t.Errorf("a machine without a GPU lacks %v", missing)
		}
		if there && (len(missing) != 1 || !strings.Contains(missing[0].String(), "couldn't communicate with the NVIDIA driver") || missing[0].Enable == "") {
			t.Errorf("missing %+v", missing)
		}
	}
}

func TestWhatIsHeldOfEachDeviceIsKnown(t *testing.T) {
	for name, want := range map[string]map[string]exobench.Bytes{
		"a100-mig":  {"GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77": 9011 << 20, "GPU-b8ea3855-276c-c9cb-b366-c6fa655957c5": 4 << 20},
		"gb10":      {}, // it works in the host's memory
		"no-driver": {},
	} {
		_, path := dialect(t, name)
		empty := t.TempDir()
		if diff := cmp.Diff(want, heldNow(t.Context(), Config{Clock: exobench.NewClock(), Path: path, Proc: empty, Sys: empty, Dev: empty})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
