//go:build unix

package gpu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"exobench"
)

// machine is a tree of what the kernel shows of a machine.
type machine struct {
	t    testing.TB
	root string
}

func newMachine(t testing.TB) machine { return machine{t, t.TempDir()} }

func (m machine) write(path, text string) {
	m.t.Helper()
	write(m.t, filepath.Join(m.root, path), text)
}

// open has a process have a file of a DRM device open, with what the kernel tells
// of it.
func (m machine) open(pid, fd int, node, info string) {
	m.t.Helper()
	link := filepath.Join(m.root, "proc", fmt.Sprint(pid), "fd", fmt.Sprint(fd))
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Symlink(node, link); err != nil {
		m.t.Fatal(err)
	}
	m.write(fmt.Sprintf("proc/%d/fdinfo/%d", pid, fd), "pos:\t0\nflags:\t02100002\nmnt_id:\t27\nino:\t284\n"+info)
}

func (m machine) config() Config {
	return Config{
		Clock: exobench.NewClock(), Path: "/nowhere/nvidia-smi",
		Proc: filepath.Join(m.root, "proc"), Sys: filepath.Join(m.root, "sys"), Dev: filepath.Join(m.root, "dev"),
	}
}

// radeon is a card of AMD's, as amdgpu of Linux 6.8 shows a Radeon RX 7900 XTX.
func (m machine) radeon(card, address string) {
	at := "sys/class/drm/" + card + "/device/"
	for name, text := range map[string]string{
		"vendor": "0x1002\n", "device": "0x744c\n", "class": "0x030000\n",
		"uevent":              "DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:744C\nPCI_SLOT_NAME=" + address + "\n",
		"mem_info_vram_total": "25753026560\n", "mem_info_vram_used": "5368709120\n",
		"mem_info_gtt_total": "33554432000\n", "mem_info_gtt_used": "104857600\n",
		"gpu_busy_percent": "87\n", "pp_dpm_sclk": "0: 500Mhz \n1: 2304Mhz *\n2: 2526Mhz \n",
		"gpu_metrics":           "\x78\x00\x01\x03rest of the table",
		"hwmon/hwmon3/name":     "amdgpu\n",
		"power/runtime_status":  "active\n",
		"hwmon/hwmon3/freq1_in": "0\n", "hwmon/hwmon3/power1_average": "281000000\n", "hwmon/hwmon3/temp1_input": "61000\n",
	} {
		m.write(at+name, text)
	}
}

const amdInfo = "drm-driver:\tamdgpu\ndrm-client-id:\t%d\ndrm-pdev:\t%s\npasid:\t32771\ndrm-memory-vram:\t%d KiB\ndrm-memory-gtt: \t2048 KiB\ndrm-memory-cpu: \t512 KiB\ndrm-engine-gfx:\t1234567 ns\n"

func TestACardOfAMDIsRead(t *testing.T) {
	m := newMachine(t)
	m.radeon("card1", "0000:03:00.0")
	m.write("sys/class/drm/card1-DP-1/device/vendor", "0x1002\n") // a connector is no card
	m.write("sys/class/drm/card0/device/vendor", "0x1a03\n")      // nor is what shows the console
	m.open(20, 5, "/dev/dri/renderD128", fmt.Sprintf(amdInfo, 7, "0000:03:00.0", 4<<20))
	m.open(20, 6, "/dev/dri/renderD128", fmt.Sprintf(amdInfo, 7, "0000:03:00.0", 4<<20)) // the same client
	m.open(21, 9, "/dev/dri/card1", fmt.Sprintf(amdInfo, 8, "0000:03:00.0", 1<<10))
	m.open(21, 10, "/dev/dri/card2", fmt.Sprintf(amdInfo, 8, "0000:43:00.0", 1<<20))      // another GPU
	m.open(21, 11, "/dev/null", fmt.Sprintf(amdInfo, 9, "0000:03:00.0", 1<<20))           // no GPU at all
	m.open(99, 3, "/dev/dri/renderD128", fmt.Sprintf(amdInfo, 70, "0000:03:00.0", 1<<20)) // another process
	source := Open(t.Context(), m.config())
	defer source.Close()
	want := []exobench.GPU{{ID: "0000:03:00.0", Name: "AMD GPU 744c", Driver: "amdgpu", Memory: 25753026560}}
	if diff := cmp.Diff(want, source.Devices()); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]exobench.Bytes{"0000:03:00.0": 5 << 30}, heldNow(t.Context(), m.config())); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	sensor := source.Sensor(func(context.Context) ([]int, error) { return []int{20, 21, 22}, nil })
	values := map[exobench.Quantity]float64{
		exobench.GPUUsed: 5 << 30, exobench.GPUTotal: 25753026560, exobench.GPUBusy: 0.87, exobench.GPUPowerAverage: 281,
		exobench.GPUTemperature: 61, exobench.GPUClock: 2304e6, exobench.GPUEngine: 4<<30 + 1<<20,
	}
	for _, moment := range []exobench.Moment{exobench.Loaded, exobench.During} {
		if diff := cmp.Diff(values, asMap(readAt(t, sensor, moment)["0000:03:00.0"])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", moment, diff)
		}
	}
}

func TestAGPUInTheHostsMemoryHoldsWhatIsThere(t *testing.T) {
	m := newMachine(t)
	m.radeon("card0", "0000:c4:00.0")
	m.write("sys/class/drm/card0/device/gpu_metrics", "\x98\x00\x03\x00an APU's")
	m.write("sys/class/drm/card0/device/mem_info_vram_total", "536870912\n")
	m.write("sys/class/drm/card0/device/mem_info_vram_used", "268435456\n")
	m.open(20, 5, "/dev/dri/renderD128", fmt.Sprintf(amdInfo, 7, "0000:c4:00.0", 1<<10))
	source := Open(t.Context(), m.config())
	defer source.Close()
	got := asMap(readAt(t, source.Sensor(func(context.Context) ([]int, error) { return []int{20}, nil }), exobench.Loaded)["0000:c4:00.0"])
	for q, want := range map[exobench.Quantity]float64{
		exobench.GPUUnified: 1, exobench.GPUUsed: 268435456 + 104857600, exobench.GPUTotal: 536870912 + 33554432000, exobench.GPUEngine: 3 << 20,
	} {
		if got[q] != want {
			t.Errorf("%s is %v, want %v", q, got[q], want)
		}
	}
	if d := source.Devices(); !d[0].Unified || d[0].Memory != 0 {
		t.Errorf("device %+v", d[0])
	}
}

func TestFdinfoOfEachDriver(t *testing.T) {
	for _, row := range []struct {
		why, text string
		want      usage
	}{
		{"amdgpu since 6.13: what is resident counts, also where the older name is there", "drm-driver:\tamdgpu\ndrm-total-vram:\t9 MiB\ndrm-shared-vram:\t0\ndrm-memory-vram:\t8 MiB\ndrm-resident-vram:\t7 MiB\ndrm-total-gtt:\t2 MiB\ndrm-resident-gtt:\t1 MiB\ndrm-total-cpu:\t4 MiB\n", usage{7 << 20, 1 << 20, true}},
		{"i915 of a card of its own", "drm-driver: i915\ndrm-total-system0: 6 MiB\ndrm-shared-system0: 1 MiB\ndrm-active-system0: 0\ndrm-resident-system0: 5 MiB\ndrm-total-local0: 900 MiB\ndrm-resident-local0: 800 MiB\n", usage{800 << 20, 5 << 20, true}},
		{"xe, without units where a number is small", "drm-driver:\txe\ndrm-total-gtt:\t192 KiB\ndrm-resident-gtt:\t0\ndrm-total-vram0:\t23992 KiB\ndrm-shared-vram0:\t16 MiB\ndrm-active-vram0:\t0\ndrm-resident-vram0:\t23992 KiB\ndrm-total-stolen:\t0\ndrm-cycles-rcs:\t28257900\n", usage{23992 << 10, 0, true}},
		{"a driver that tells of no memory", "drm-driver:\ti915\ndrm-engine-render:\t9288864723 ns\n", usage{}},
		{"not a number", "drm-memory-vram:\tmuch\n", usage{}},
	} {
		c, got := clientOf([]byte("drm-pdev:\t0000:03:00.0\ndrm-client-id:\t7\n" + row.text))
		if got != row.want || c != (client{"0000:03:00.0", "7"}) {
			t.Errorf("%s: %+v of %+v, want %+v", row.why, got, c, row.want)
		}
	}
	if size, known := held(map[client]usage{{"a", "1"}: {1, 2, true}, {"a", "2"}: {}}, "a", true); known {
		t.Errorf("a client that does not tell holds %v", size)
	}
}

func TestACardThatSleepsIsLeftToSleep(t *testing.T) {
	m := newMachine(t)
	m.radeon("card0", "0000:03:00.0")
	m.write("sys/class/drm/card0/device/power/runtime_status", "suspended\n")
	source := Open(t.Context(), m.config())
	defer source.Close()
	got := asMap(readAt(t, source.Sensor(func(context.Context) ([]int, error) { return nil, nil }), exobench.Before)["0000:03:00.0"])
	if diff := cmp.Diff(map[exobench.Quantity]float64{exobench.GPUEngine: 0}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProcessesOfAnotherUserAreNotSeenAsNone(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may look at everything")
	}
	m := newMachine(t)
	m.radeon("card0", "0000:03:00.0")
	m.open(20, 5, "/dev/dri/renderD128", fmt.Sprintf(amdInfo, 7, "0000:03:00.0", 1<<10))
	folder := filepath.Join(m.root, "proc/20/fd")
	if err := os.Chmod(folder, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o755) })
	source := Open(t.Context(), m.config())
	defer source.Close()
	values := readAt(t, source.Sensor(func(context.Context) ([]int, error) { return []int{20}, nil }), exobench.Loaded)["0000:03:00.0"]
	if size, known := values.Get(exobench.GPUEngine); known {
		t.Errorf("the engine holds %v", size)
	}
}

func TestAGPUThatCannotBeReadIsSaid(t *testing.T) {
	for _, row := range []struct {
		why, path, text, want string
	}{
		{"a container with the device and without the tool", "dev/nvidia0", "", "there is /dev/nvidia0, and there is no nvidia-smi"},
		{"the driver alone", "proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX Open Kernel Module", "/proc/driver/nvidia"},
		{"no driver at all", "sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n", "at PCI address 0000:01:00.0"},
		{"Linux on Windows", "dev/dxg", "", "/dev/dxg"},
	} {
		m := newMachine(t)
		m.write(row.path, row.text)
		m.write("sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n")
		m.write("sys/bus/pci/devices/0000:01:00.1/vendor", "0x10de\n") // its sound
		m.write("sys/bus/pci/devices/0000:01:00.1/class", "0x040300\n")
		c := m.config()
		c.Path = ""
		missing := unseen(c, 0, nil)
		if len(missing) != 1 || !strings.Contains(missing[0].Why, row.want) || missing[0].Enable == "" {
			t.Errorf("%s: %+v", row.why, missing)
		}
	}
	if missing := unseen(newMachine(t).config(), 0, nil); len(missing) > 0 {
		t.Errorf("a machine without a GPU lacks %+v", missing)
	}
}

// BenchmarkCardRead is a reading of a card with a tree of 20 processes, of which
// each has a file of the card open.
func BenchmarkCardRead(b *testing.B) {
	m := newMachine(b)
	m.radeon("card0", "0000:03:00.0")
	var pids []int
	for pid := 100; pid < 120; pid++ {
		pids = append(pids, pid)
		m.open(pid, 5, "/dev/dri/renderD128", fmt.Sprintf(amdInfo, pid, "0000:03:00.0", 1<<10))
	}
	source := Open(b.Context(), m.config())
	defer source.Close()
	for _, moment := range []exobench.Moment{exobench.During, exobench.After} {
		sensor := source.Sensor(func(context.Context) ([]int, error) { return pids, nil })
		b.Run(string(moment), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sensor.Read(b.Context(), moment); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRead is a reading of what nvidia-smi tells, with a tree of 20 processes
// that all hold memory.
func BenchmarkRead(b *testing.B) {
	folder, source, _ := openDialect(b, "h100-580")
	var pids []int
	text := "gpu_uuid, pid, used_gpu_memory [MiB], process_name\n"
	for pid := 100; pid < 120; pid++ {
		pids = append(pids, pid)
		text += fmt.Sprintf("GPU-22f77083-0000-0000-0000-000000000000, %d, 100 MiB, python3\n", pid)
	}
	write(b, filepath.Join(folder, "processes.csv"), text)
	sensor := source.Sensor(func(context.Context) ([]int, error) { return pids, nil })
	readAt(b, sensor, exobench.Before)
	b.ReportAllocs()
	for b.Loop() {
		clear(sensor.told)
		if samples, err := sensor.Read(b.Context(), exobench.During); err != nil || len(samples) != 1 {
			b.Fatal(len(samples), err)
		}
	}
}
