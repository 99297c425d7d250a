package power

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
)

// tree writes files below a folder that is new, and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		writeFile(t, filepath.Join(root, name), content)
	}
	return root
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// server is what the kernel shows of a machine with two processors.
func server() map[string]string {
	files := map[string]string{}
	for i := range 2 {
		package_ := fmt.Sprintf("intel-rapl:%d/", i)
		files[package_+"name"], files[package_+"energy_uj"], files[package_+"max_energy_range_uj"] = fmt.Sprintf("package-%d\n", i), "1000000\n", "262143328850\n"
		for j, name := range []string{"dram", "core"} {
			zone := fmt.Sprintf("intel-rapl:%d:%d/", i, j)
			files[zone+"name"], files[zone+"energy_uj"], files[zone+"max_energy_range_uj"] = name+"\n", "500\n", "65712999613\n"
		}
	}
	files["intel-rapl-mmio:0/name"], files["intel-rapl-mmio:0/energy_uj"] = "package-0\n", "1000000\n"
	files["intel-rapl/enabled"] = "1\n"
	return files
}

func ids(meters []exobench.Meter) []string {
	var all []string
	for _, m := range meters {
		all = append(all, fmt.Sprintf("%s %s %v", m.Of, m.Scope, m.Estimated))
	}
	slices.Sort(all)
	return all
}

func checkIDs(t *testing.T, meters []exobench.Meter, want ...string) {
	t.Helper()
	if got := ids(meters); !slices.Equal(got, want) {
		t.Errorf("meters %q, want %q", got, want)
	}
}

func TestCountersOfPackagesAndMemoryAreFoundOnce(t *testing.T) {
	meters, missing := Detect(Roots{Powercap: tree(t, server())})
	checkIDs(t, meters, "rapl:dram-0 memory false", "rapl:dram-1 memory false", "rapl:package-0 package false", "rapl:package-1 package false")
	if len(missing) != 0 {
		t.Errorf("missing %+v", missing)
	}
}

func TestAMDsCountersAreEstimates(t *testing.T) {
	root := tree(t, map[string]string{"intel-rapl:0/name": "package-0", "intel-rapl:0/energy_uj": "5", "cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\n"})
	meters, _ := Detect(Roots{Powercap: root, CPUInfo: filepath.Join(root, "cpuinfo")})
	checkIDs(t, meters, "rapl:package-0 package true")
}

func TestCountersForRootAloneSayWhatToDo(t *testing.T) {
	root := tree(t, server())
	unreadable(t, filepath.Join(root, "intel-rapl:0/energy_uj"))
	meters, missing := Detect(Roots{Powercap: root})
	if len(meters) != 3 || len(missing) != 1 || missing[0].ID != "rapl:package-0" || !strings.Contains(missing[0].Why, "only root") ||
		!strings.Contains(missing[0].Enable, "chmod a+r "+root) {
		t.Errorf("meters %q, missing %+v", ids(meters), missing)
	}
	_, missing = Detect(Roots{Powercap: t.TempDir()})
	if len(missing) != 1 || !strings.Contains(missing[0].Why, "no RAPL counters") {
		t.Errorf("of an empty tree: %+v", missing)
	}
}

// unreadable makes a file that its owner may not read; a test that root runs, who
// may, is skipped.
func unreadable(t *testing.T, path string) {
	t.Helper()
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(path); err == nil {
		f.Close()
		t.Skip("root may read all files")
	}
}

func TestACounterTellsWhatItGrewByOverItsWrap(t *testing.T) {
	const wraps = 65_532_610_987 // µJ, of many processors of ten years ago
	root := tree(t, map[string]string{"energy_uj": "65532000000"})
	counter, err := openAttribute(root, "energy_uj")
	if err != nil {
		t.Fatal(err)
	}
	m := &rapl{counter: counter, wraps: wraps}
	defer m.close()
	at := exobench.Instant(time.Second)
	for _, row := range []struct {
		why    string
		after  time.Duration
		value  string
		joules float64 // negative: nothing
	}{
		{"the first reading is a beginning", 0, "65532000000", -1},
		{"0.5 J", 100 * time.Millisecond, "65532500000", 0.5},
		{"over the wrap: 0.110987 J before it and 0.2 J after", 100 * time.Millisecond, "200000", 0.310987},
		{"it did not move", 100 * time.Millisecond, "200000", -1},
		{"over the time that it stood still too", 100 * time.Millisecond, "300000", 0.1},
		{"a reading on", 100 * time.Millisecond, "400000", 0.1},
		{"set back while the machine slept: no wrap could be so fast", 100 * time.Millisecond, "100000", -1},
		{"and on from there", time.Second, "50100000", 50},
		{"so long that it may have wrapped more than once", time.Minute, "60100000", -1},
	} {
		writeFile(t, filepath.Join(root, "energy_uj"), row.value+"\n")
		at = at.Add(row.after)
		samples, err := m.read(t.Context(), func() exobench.Instant { return at })
		if err != nil {
			t.Fatalf("%s: %v", row.why, err)
		}
		if row.joules < 0 {
			if len(samples) != 0 {
				t.Errorf("%s: %+v", row.why, samples)
			}
			continue
		}
		span := row.after
		if row.why == "over the time that it stood still too" {
			span *= 2
		}
		if len(samples) != 1 || samples[0].Span != span {
			t.Errorf("%s: %+v", row.why, samples)
			continue
		}
		if got, _ := samples[0].Values.Get(exobench.EnergyJoules); math.Abs(got-row.joules) > 1e-9 {
			t.Errorf("%s: %v J, want %v", row.why, got, row.joules)
		}
	}
	writeFile(t, filepath.Join(root, "energy_uj"), "what\n")
	if _, err := m.read(t.Context(), func() exobench.Instant { return at }); err == nil {
		t.Error("a counter that holds no number was read")
	}
}
