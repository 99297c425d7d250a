package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
	"exobench/driver"
	"exobench/gpu"
	"exobench/power"
	"exobench/resource"
)

// BenchmarkAllSensors tells what all sensors of a run take together, as they are
// read in one: an operation is a second, with ten readings of the memory of a tree
// of 20 processes, of what they hold on a GPU, of the counters of two processors,
// and of what else the machine does. An nvidia-smi of a script stands in for the
// driver's, and a folder for sysfs. What is counted is this process: nvidia-smi has
// a cost of its own.
func BenchmarkAllSensors(b *testing.B) {
	tree := exec.Command("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do sleep 600 & done; wait")
	tree.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	if err := tree.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = unix.Kill(-tree.Process.Pid, unix.SIGKILL) // all of the group
		_ = tree.Wait()                                // it was killed
	}()
	root := func() (int, error) { return tree.Process.Pid, nil }

	folder := b.TempDir()
	smi := filepath.Join(folder, "nvidia-smi")
	// nvidia-smi writes all lines of a query at once.
	const each = `for pid in $(cd /proc && echo [0-9]*); do echo "$now, $uuid, $pid, 64 MiB, a program"; done`
	script := strings.Replace(scriptedSMI, each,
		`pgrep -g `+strconv.Itoa(tree.Process.Pid)+` | sed "s/.*/$now, $uuid, &, 64 MiB, a program/"`, 1)
	if script == scriptedSMI {
		b.Fatal("the script has no loop over processes")
	}
	if err := os.WriteFile(smi, []byte(script), 0o755); err != nil {
		b.Fatal(err)
	}
	clock := exobench.NewClock()
	gpus := gpu.Open(b.Context(), gpu.Config{Clock: clock, Path: smi})
	defer gpus.Close()
	for name, text := range map[string]string{
		"intel-rapl:0/name": "package-0\n", "intel-rapl:0/energy_uj": "1000000\n", "intel-rapl:0/max_energy_range_uj": "262143328850\n",
		"intel-rapl:1/name": "package-1\n", "intel-rapl:1/energy_uj": "1000000\n", "intel-rapl:1/max_energy_range_uj": "262143328850\n",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	meters, _ := power.Open(power.Roots{Powercap: folder}, clock)
	defer meters.Close()
	memory := resource.NewProcesses(root)
	machine := resource.NewMachine(func() int { return tree.Process.Pid })
	defer machine.Close()
	time.Sleep(time.Second) // until the tree is there
	graphics := gpus.Sensor(memory.Members)
	for _, c := range []struct {
		name    string
		sensors []driver.Sensor
	}{
		{"memory", []driver.Sensor{memory}},
		{"GPU", []driver.Sensor{graphics}},
		{"power", []driver.Sensor{meters}},
		{"all", []driver.Sensor{memory, graphics, meters}},
	} {
		b.Run(c.name, func(b *testing.B) {
			before, seconds := cpuTime(b), 0
			for b.Loop() {
				for range 10 {
					time.Sleep(100 * time.Millisecond)
					for _, s := range c.sensors {
						if samples, err := s.Read(b.Context(), exobench.During); err != nil && len(samples) == 0 {
							b.Fatal(s.Name(), err)
						}
					}
				}
				if seconds%10 == 0 {
					if _, err := machine.Read(b.Context(), exobench.During); err != nil {
						b.Fatal(err)
					}
				}
				seconds++
			}
			b.ReportMetric(100*(cpuTime(b)-before).Seconds()/float64(seconds), "%core")
		})
	}
}

// cpuTime is that of this process.
func cpuTime(b *testing.B) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
