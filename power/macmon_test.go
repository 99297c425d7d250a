package power

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exobench"
)

// Lines of macmon 0.8, and of 0.6, which has arrays where that has names; the
// third is of a Mac whose power controller it cannot read.
const macmonLines = `{"temp":{"cpu_temp_avg":43.73614,"gpu_temp_avg":36.95167},"memory":{"ram_total":25769803776,"ram_usage":20985479168,"swap_total":4294967296,"swap_usage":2602434560},"fans":[{"name":"fan0","rpm":999,"max_rpm":4900}],"cpu_scaled_ratio":0.036854,"ecpu_freq_mhz":1100,"ecpu_cores":[{"die_id":0,"core_id":0,"freq_mhz":1600,"scaled_ratio":0.14,"active_ratio":0.24}],"cpu_power":0.20486385,"gpu_power":0.017451683,"ane_power":0.0,"all_power":0.22231553,"sys_power":5.876533,"ram_power":0.11635789,"gpu_ram_power":0.0009615385,"ecpu_usage":[1100,0.082656614],"timestamp":"2025-02-24T20:38:15.427569+00:00"}
{"timestamp":"2025-02-24T20:38:15.927569+00:00","temp":{"cpu_temp_avg":43.73614,"gpu_temp_avg":36.95167},"memory":{"ram_total":25769803776,"ram_usage":20985479168,"swap_total":4294967296,"swap_usage":2602434560},"ecpu_usage":[1181,0.082656614],"pcpu_usage":[1974,0.015181795],"gpu_usage":[461,0.021497859],"cpu_power":20.5,"gpu_power":11.5,"ane_power":0.0,"all_power":32.0,"sys_power":41.25,"ram_power":0.11635789,"gpu_ram_power":0.0009615385}
{"all_power":7.5,"sys_power":0.0}
`

// program writes a script that stands in for macmon.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "macmon")
	writeFile(t, path, "#!/bin/sh\n"+script)
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

// drained reads a sensor until it has so many samples, or an error.
func drained(t *testing.T, s *Sensor, n int) ([]exobench.Sample, error) {
	t.Helper()
	var all []exobench.Sample
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && len(all) < n; time.Sleep(5 * time.Millisecond) {
		s.meters[0].last = 0
		samples, err := s.Read(t.Context(), exobench.During)
		if all = append(all, samples...); err != nil {
			return all, err
		}
	}
	return all, nil
}

func TestMacmonTellsTheMacAndItsChip(t *testing.T) {
	t.Parallel()
	path := program(t, `[ "$*" = "pipe -i 500" ] || { echo "asked for $*" >&2; exit 2; }
cat <<'LINES'
`+macmonLines+`LINES
exec sleep 600
`)
	s, missing := Open(Roots{Macmon: path}, exobench.NewClock())
	if len(missing) != 0 {
		t.Fatalf("missing %+v", missing)
	}
	checkIDs(t, s.Meters(), "macmon:chip package true", "macmon:system node false")
	samples, err := drained(t, s, 5)
	if err != nil || len(samples) != 5 {
		t.Fatalf("%+v, %v", samples, err)
	}
	want := []struct {
		of    string
		watts float64
		span  time.Duration
	}{{macmonSystem, 5.876533, 0}, {macmonChip, 0.22231553, macmonEvery}, {macmonSystem, 41.25, 0}, {macmonChip, 32, macmonEvery}, {macmonChip, 7.5, macmonEvery}}
	for i, w := range want {
		got, _ := samples[i].Values.Get(exobench.PowerWatts)
		if s := samples[i]; s.Of != w.of || got != w.watts || s.Span != w.span || !s.At.Reached() {
			t.Errorf("sample %d is %+v, want %+v", i, s, w)
		}
	}
	began := time.Now()
	if err := s.Close(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("close: %v after %v", err, time.Since(began))
	}
}

func TestAMacmonThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"echo 'Error: IOReport is not there' >&2; exit 1": "macmon ended (exit status 1): Error: IOReport is not there",
		"echo usage: macmon; sleep 600":                   "macmon printed what is no JSON",
		"exit 0":                                          "it said nothing",
	} {
		s, _ := Open(Roots{Macmon: program(t, script)}, exobench.NewClock())
		if samples, err := drained(t, s, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", script, samples, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: close: %v", script, err)
		}
	}
	if _, missing := Open(Roots{Macmon: filepath.Join(t.TempDir(), "none")}, exobench.NewClock()); len(missing) != 1 || !strings.HasPrefix(missing[0].Why, "start macmon: ") {
		t.Errorf("missing %+v", missing)
	}
	if _, missing := Detect(Roots{Mac: true}); len(missing) != 1 || missing[0].Enable != "brew install macmon" {
		t.Errorf("missing %+v", missing)
	}
}
