package resource

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
)

// BenchmarkSensors tells what all sensors of this package take over a tree of 20
// processes, each with some threads, at 10 Hz: an operation is one second of a run,
// with ten readings of the memory and the one listing of the tree that falls into
// it; what else the machine does is read for a block of ten seconds.
func BenchmarkSensors(b *testing.B) {
	root := newEngine(b)
	for range 19 {
		root.order("fork")
	}
	memory := NewProcesses(func() (int, error) { return root.pid, nil })
	machine := NewMachine(func() int { return root.pid })
	defer machine.Close()
	before, seconds := cpuTime(b), 0
	for b.Loop() {
		memory.listed = time.Time{}
		for range 10 {
			if _, err := memory.Read(b.Context(), exobench.During); err != nil {
				b.Fatal(err)
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
}

// cpuTime is that of this process.
func cpuTime(b *testing.B) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkSizes is the parsing of one status file.
func BenchmarkSizes(b *testing.B) {
	data := []byte("Name:\tx\n" + strings.Repeat("Other:\t1 2 3\n", 15) +
		"VmHWM:\t  400 kB\nVmRSS:\t  100 kB\nRssAnon:\t 60 kB\nRssFile:\t 30 kB\nRssShmem:\t 10 kB\nVmSwap:\t 70 kB\n")
	b.ReportAllocs()
	for b.Loop() {
		wanted := [...]wantedSize{{key: "VmRSS"}, {key: "RssAnon"}, {key: "RssFile"}, {key: "RssShmem"}, {key: "VmHWM"}, {key: "VmSwap"}}
		sizes(data, wanted[:])
	}
}
