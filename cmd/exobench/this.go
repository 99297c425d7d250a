package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"exobench"
)

// thisHost describes the machine; what cannot be found out is left empty.
func thisHost(ctx context.Context) exobench.Host {
	h := exobench.Host{Cores: cores()}
	h.Name, _ = os.Hostname()
	if info, err := host.InfoWithContext(ctx); err == nil {
		h.System = strings.TrimSpace(strings.Join([]string{info.Platform, info.PlatformVersion, info.KernelVersion}, " "))
	}
	if cpus, err := cpu.InfoWithContext(ctx); err == nil && len(cpus) > 0 {
		h.CPU = strings.TrimSpace(cpus[0].ModelName)
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		h.Memory = exobench.Bytes(m.Total)
	}
	return h
}

// cores is how many processors exobench may use.
func cores() int { return runtime.NumCPU() }

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
