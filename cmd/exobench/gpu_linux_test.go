package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"exobench"
)

// scriptedSMI is an nvidia-smi of a machine on which each process computes with 64
// MiB of a GPU.
const scriptedSMI = `#!/bin/sh
uuid=GPU-11111111-2222-3333-4444-555555555555
case "$*" in
*-lms*compute-apps* | *compute-apps*-lms*)
	while :; do
		now=$(date '+%Y/%m/%d %H:%M:%S.%3N')
		for pid in $(cd /proc && echo [0-9]*); do echo "$now, $uuid, $pid, 64 MiB, a program"; done
		sleep 0.1
	done;;
*-lms*) while :; do echo "$uuid, 9000 MiB, 16384 MiB, 50 %, 120.50 W, 45"; sleep 0.1; done;;
--help-query-gpu) printf '"uuid" or "gpu_uuid"\n"memory.used"\n"memory.total"\n"utilization.gpu"\n"power.draw"\n"temperature.gpu"\n';;
-L) echo "GPU 0: Scripted GPU (UUID: $uuid)";;
--query-gpu=*) echo "$uuid, 580.1, 16384 MiB, Scripted GPU";;
esac
`

// withSMI puts an nvidia-smi first in the PATH of this test.
func withSMI(t *testing.T, script string) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "nvidia-smi"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
}

func TestMemoryOfAGPUIsMeasuredFromBeforeTheLoadToTheReport(t *testing.T) {
	withSMI(t, scriptedSMI)
	out := filepath.Join(t.TempDir(), "out")
	if got := exobenchIn(t, t.TempDir(), tinyRun(t, "--repeat", "4", "--max-tokens", "64", "--out", out)...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	for _, row := range rows(t, out) {
		peak, err := strconv.ParseInt(row["gpu_memory_peak_bytes"], 10, 64)
		// The engine is one process or more.
		if err != nil || peak < 64<<20 || peak%(64<<20) != 0 || row["gpu_memory_source"] != "processes" || row["gpu_memory_loaded_bytes"] == "" {
			t.Errorf("row %v", row)
		}
	}
	text := readFile(t, filepath.Join(out, "report.md"))
	for _, want := range []string{"Scripted GPU (16.0 GiB; driver 580.1)", "## GPUs", "GPU peak (MiB)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	moments := map[exobench.Moment]int{}
	for _, e := range entries(t, out) {
		if s, ok := e.(*exobench.Sample); ok && s.Sensor == "gpu" {
			moments[s.Moment]++
		}
	}
	for _, m := range []exobench.Moment{exobench.Before, exobench.Loaded, exobench.During, exobench.After} {
		if moments[m] == 0 {
			t.Errorf("no reading of the moment %q: %v", m, moments)
		}
	}
}

func TestDetectNamesGPUs(t *testing.T) {
	withSMI(t, scriptedSMI)
	if got := exobenchIn(t, t.TempDir(), "detect", "--url", "http://127.0.0.1:9"); !strings.Contains(got.stdout, "Scripted GPU, 16.0 GiB") {
		t.Errorf("detect says\n%s", got.stdout)
	}
}
