package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"slices"

	"exobench"
	"exobench/machine"
)

// thisHost describes the machine, and what can be measured on it; what cannot be
// found out is left empty.
func thisHost(ctx context.Context) exobench.Host {
	h := machine.This().Host(ctx)
	gpus, rows := gpuSensors(ctx)
	h.GPUs, h.Sensors = gpus, slices.Concat([]exobench.SensorState{memorySensor(ctx)}, rows, powerSensors(powerRoots(os.Getenv)), h.Sensors)
	return h
}

// cores is how many processors exobench may use: its control groups may leave it
// fewer than it sees.
func cores() int { return min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) }

func thisTool() exobench.Tool {
	return exobench.Tool{Version: version(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
}

// release is the version of the source.
const release = "0.2.0"

// version returns the release, with the commit where the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 9:
			revision = "+" + s.Value[:9]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-modified"
		}
	}
	if revision == "" {
		return release
	}
	return release + revision + modified
}
