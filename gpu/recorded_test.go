package gpu

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"exobench"
)

// What nvidia-smi and NVML itself told of an H100 (driver 580.159.04) at the same
// time: while a process took 4 GiB and gave them back (hold), and while one
// multiplied matrices (burn). The device's UUID is masked.
const recorded = "testdata/h100-580"

// asNVML is what NVML told at an instant. Its power is the average over a second.
type asNVML struct {
	Used  float64      `json:"used_v2"`
	Power float64      `json:"power_mw"`
	Procs [][2]float64 `json:"procs"`
}

func nvmlOf(t *testing.T, name string) (all []asNVML) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recorded, name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var n asNVML
		if err := json.Unmarshal(line, &n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// recordedLines returns the lines of a recording, without the heading of those that
// have one.
func recordedLines(t testing.TB, name string) (lines [][]byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recorded, name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("timestamp")) {
			lines = append(lines, bytes.TrimSpace(line))
		}
	}
	return lines
}

// recordedDevices takes in what was recorded of a device, without the times that
// it was asked for.
func recordedDevices(t testing.TB, name string) (all []exobench.Values) {
	t.Helper()
	d := devices{latest: map[string]reading{}, refused: map[string]bool{}}
	help, err := os.ReadFile(filepath.Join(recorded, "help-query-gpu.txt"))
	if err != nil {
		t.Fatal(err)
	}
	d.known = names(string(help))
	d.args()
	order := []string{"memory.used", "memory.total", "utilization.gpu", "power.draw.instant", "power.draw", "power.draw.average",
		"temperature.gpu", "clocks.current.sm", "clocks.current.memory", "clocks_event_reasons.active"}
	for i, a := range d.asked {
		if a.name != order[i] {
			t.Fatalf("field %d is %s; %s was recorded", i, a.name, order[i])
		}
	}
	for i, line := range recordedLines(t, name) {
		_, line, _ = bytes.Cut(line, []byte(", "))
		if !d.take(exobench.Instant(i+1), line) {
			t.Fatalf("not understood: %s", line)
		}
		all = append(all, d.latest[d.order[0]].values)
	}
	return all
}

func greatest(all []exobench.Values, q exobench.Quantity) float64 {
	most := math.Inf(-1)
	for _, v := range all {
		if x, ok := v.Get(q); ok {
			most = max(most, x)
		}
	}
	return most
}

func TestARecordedDeviceIsAsNVMLHasIt(t *testing.T) {
	for _, name := range []string{"hold", "burn"} {
		smi, nvml := recordedDevices(t, "devices-"+name), nvmlOf(t, "nvml-"+name)
		var used, power float64
		for _, n := range nvml {
			used, power = max(used, n.Used), max(power, n.Power/1000)
		}
		// nvidia-smi writes whole MiB.
		if got := greatest(smi, exobench.GPUUsed); math.Abs(got-used) > mib {
			t.Errorf("%s: at most %v MiB are used, and %v as NVML has it", name, got/mib, used/mib)
		}
		if got := greatest(smi, exobench.GPUPowerAverage); math.Abs(got/power-1) > 0.02 {
			t.Errorf("%s: at most %v W, and %v as NVML has it", name, got, power)
		}
	}
	if got := greatest(recordedDevices(t, "devices-burn"), exobench.GPUThrottled); got != 1 {
		t.Error("a GPU at its power limit is not told of as slowed")
	}
	if got := greatest(recordedDevices(t, "devices-hold"), exobench.GPUThrottled); got != 0 {
		t.Error("a GPU that idles is told of as slowed")
	}
}

func TestRecordedProcessesAreAsNVMLHasThem(t *testing.T) {
	for _, name := range []string{"hold", "burn"} {
		var h holders
		most, lists := 0.0, 0
		const step = exobench.Instant(period)
		now := exobench.Instant(1)
		for _, line := range recordedLines(t, "processes-"+name) {
			now += step
			if !h.take(now, line) {
				t.Fatalf("not understood: %s", line)
			}
			_, held, there := h.now(now+step/2, 1)
			if !there || len(held) != 1 {
				t.Fatalf("a list of %v, %v", held, there)
			}
			lists++
			most = max(most, held[0].bytes)
		}
		want := 0.0
		for _, n := range nvmlOf(t, "nvml-"+name) {
			for _, p := range n.Procs {
				want = max(want, p[1])
			}
		}
		if math.Abs(most-want) > mib || lists == 0 {
			t.Errorf("%s: a process holds at most %v MiB, and %v as NVML has it", name, most/mib, want/mib)
		}
	}
}

func TestListsAreToldApartByTheDriversTimes(t *testing.T) {
	const line = "2026/11/27 22:59:%s, GPU-22f77083-0000-0000-0000-000000000000, %s, %s, python3"
	for _, row := range []struct {
		why   string
		times []string
		// came is when each line came, in milliseconds.
		came []int
		want float64 // MiB of the list that counts
	}{
		{"one list, whose lines were written some milliseconds apart", []string{"09.100", "09.112"}, []int{100, 112}, 30},
		{"two lists that were read at once", []string{"09.100", "09.200"}, []int{210, 210}, 20},
		{"a clock that was set back between two lists", []string{"09.100", "05.000"}, []int{100, 200}, 20},
		{"one list that was read late", []string{"09.100", "09.101"}, []int{100, 190}, 30},
		{"times that cannot be read: as the lines came", []string{"[N/A]", "[N/A]"}, []int{100, 200}, 20},
		{"times that cannot be read: one list", []string{"[N/A]", "[N/A]"}, []int{100, 101}, 30},
	} {
		var h holders
		for i, size := range []string{"10 MiB", "20 MiB"} {
			text := bytes.Replace([]byte(line), []byte("2026/11/27 22:59:%s"), []byte("2026/11/27 22:59:"+row.times[i]), 1)
			if row.times[i][0] == '[' {
				text = bytes.Replace([]byte(line), []byte("2026/11/27 22:59:%s"), []byte(row.times[i]), 1)
			}
			text = bytes.Replace(text, []byte("%s"), []byte{'7'}, 1)
			text = bytes.Replace(text, []byte("%s"), []byte(size), 1)
			h.take(exobench.Instant(row.came[i])*1e6, text)
		}
		_, held, _ := h.now(exobench.Instant(row.came[1])*1e6+exobench.Instant(period)/2, 1)
		sum, known := (&nvidia{}).of(held, "GPU-22f77083-0000-0000-0000-000000000000", []int{7})
		if !known || sum != row.want*mib {
			t.Errorf("%s: %v MiB, %v, want %v", row.why, sum/mib, known, row.want)
		}
	}
}

func TestWhatIsNoNumberIsAbsent(t *testing.T) {
	for text, want := range map[string]float64{
		"12 MiB": 12 << 20, "12": 12 << 20, "1.5 GiB": 1.5 * (1 << 30), "87 %": 0.87, "87%": 0.87, "70.25 W": 70.25, "1980 MHz": 1980e6,
		"0x0000000000000044": 0x44, "0": 0,
		"[N/A]": -1, "N/A": -1, "[Not Supported]": -1, "[Insufficient Permissions]": -1, "[Unknown Error]": -1, "[GPU requires reset]": -1,
		"ERR!": -1, "": -1, "12,5": -1, "12 parsecs": -1, "-1": -1, "NaN": -1, "Inf": -1, "0xZZ": -1, "[No data]": -1,
	} {
		got, ok := number([]byte(text), 1<<20)
		if ok != (want >= 0) || ok && math.Abs(got-want) > 1e-9 {
			t.Errorf("%q: %v, %v, want %v", text, got, ok, want)
		}
	}
}

func FuzzLines(f *testing.F) {
	for _, line := range recordedLines(f, "processes-hold")[:2] {
		f.Add(line)
	}
	for _, line := range recordedLines(f, "devices-hold")[:2] {
		f.Add(line)
	}
	f.Add([]byte("[Not Supported], [Not Supported], [Not Supported], [Not Supported], [Not Supported]\n,,,,"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d := devices{latest: map[string]reading{}, refused: map[string]bool{}}
		d.args()
		var h holders
		s := &stream{take: func(now exobench.Instant, line []byte) bool { return d.take(now, line) || h.take(now, line) }}
		l := &lines{stream: s}
		for len(text) > 0 {
			n := min(len(text), 7)
			if got, err := l.Write(text[:n]); got != n || err != nil {
				t.Fatal(got, err)
			}
			text = text[n:]
		}
		for _, r := range d.latest {
			for _, v := range r.values {
				if !(v.Value >= 0) || math.IsInf(v.Value, 0) {
					t.Errorf("%+v", v)
				}
			}
		}
	})
}

func BenchmarkDeviceLine(b *testing.B) {
	d := devices{latest: map[string]reading{}, refused: map[string]bool{}}
	d.args()
	line := recordedLines(b, "devices-hold")[0]
	_, line, _ = bytes.Cut(line, []byte(", "))
	b.ReportAllocs()
	for b.Loop() {
		if !d.take(1, line) {
			b.Fatal("not understood")
		}
	}
}

func BenchmarkProcessLine(b *testing.B) {
	var h holders
	line := recordedLines(b, "processes-hold")[0]
	b.ReportAllocs()
	now := exobench.Instant(1)
	for b.Loop() {
		now += exobench.Instant(period)
		if h.current.last = 0; !h.take(now, line) {
			b.Fatal("not understood")
		}
		if len(h.current.held) > 100 {
			h.current.held = h.current.held[:0]
		}
	}
}
