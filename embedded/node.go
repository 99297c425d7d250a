package embedded

import (
	"fmt"
	"runtime"

	"github.com/shirou/gopsutil/v4/mem"
)

// memoryUsage is the machine's memory in exo's form.
type memoryUsage struct {
	RAMTotal      memory `json:"ramTotal"`
	RAMAvailable  memory `json:"ramAvailable"`
	SwapTotal     memory `json:"swapTotal"`
	SwapAvailable memory `json:"swapAvailable"`
}

// readMemory reads the machine's memory now, where exo gives a reading up to a second old.
func readMemory() (memoryUsage, error) {
	ram, err := mem.VirtualMemory()
	if err != nil {
		return memoryUsage{}, fmt.Errorf("read the machine's memory: %w", err)
	}
	swap, err := mem.SwapMemory()
	if err != nil {
		return memoryUsage{}, fmt.Errorf("read the machine's swap: %w", err)
	}
	return memoryUsage{
		RAMTotal:      memory{int64(ram.Total)},
		RAMAvailable:  memory{int64(ram.Available)},
		SwapTotal:     memory{int64(swap.Total)},
		SwapAvailable: memory{int64(swap.Free)},
	}, nil
}

// availableMemory is what programs can take without swapping, in bytes.
func availableMemory() (int64, error) {
	ram, err := mem.VirtualMemory()
	if err != nil {
		return 0, fmt.Errorf("read the machine's memory: %w", err)
	}
	return int64(ram.Available), nil
}

type nodeIdentity struct {
	ModelID        string `json:"modelId"`
	ChipID         string `json:"chipId"`
	FriendlyName   string `json:"friendlyName"`
	OSVersion      string `json:"osVersion"`
	OSBuildVersion string `json:"osBuildVersion"`
}

// identity names the engine where exo names the machine, so that nobody takes one for the other.
func (s *Server) identity() nodeIdentity {
	return nodeIdentity{
		ModelID:        "exobench embedded engine",
		ChipID:         runtime.GOARCH,
		FriendlyName:   s.nodeName,
		OSVersion:      runtime.GOOS,
		OSBuildVersion: s.config.Version,
	}
}
