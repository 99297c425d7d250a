package machine

import (
	"context"
	"os"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"exobench"
)

// Source is where the facts of a machine are read from.
type Source struct {
	// System is the operating system, as runtime.GOOS has it.
	System string
	// Root is the folder that holds proc and sys.
	Root string
	// Commands are the system's.
	Commands Commands
	// Getenv looks up the environment.
	Getenv func(string) string
}

// This is the machine that exobench runs on.
func This() Source {
	return Source{System: runtime.GOOS, Root: "/", Getenv: os.Getenv}
}

// Host describes the machine. It takes some tens of milliseconds on macOS, where
// it asks commands, and few on Linux.
func (s Source) Host(ctx context.Context) exobench.Host {
	h := exobench.Host{Cores: runtime.NumCPU()}
	h.Name, _ = os.Hostname()
	if info, err := host.InfoWithContext(ctx); err == nil {
		h.System = strings.TrimSpace(strings.Join([]string{info.Platform, info.PlatformVersion, info.KernelVersion}, " "))
		h.Kernel = info.KernelVersion
	}
	if cpus, err := cpu.InfoWithContext(ctx); err == nil && len(cpus) > 0 {
		h.CPU = strings.TrimSpace(cpus[0].ModelName)
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		h.Memory = exobench.Bytes(m.Total)
	}
	s.describe(ctx, &h)
	return h
}

// describe adds what gopsutil does not tell.
func (s Source) describe(ctx context.Context, h *exobench.Host) {
	switch s.System {
	case "linux":
		s.linux(h)
	case "darwin":
		s.mac(ctx, h)
	}
}
