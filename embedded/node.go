package embedded

import (
	"fmt"
	"runtime"

	"github.com/shirou/gopsutil/v4/mem"
)

// memoryUsage is the machine's memory in exo's form.
type memoryUsage struct {
	RAMTotal     memory `json:"ramTotal"`
	RAMAvailable memory `json:"ramAvailable"`
}

// readMemory reads the machine's memory now, where exo tells a reading up to a
// second old. What is available programs can take without swapping.
func readMemory() (memoryUsage, error) {
	ram, err := mem.VirtualMemory()
	if err != nil {
		return memoryUsage{}, fmt.Errorf("read the machine's memory: %w", err)
	}
	return memoryUsage{memory{int64(ram.Total)}, memory{int64(ram.Available)}}, nil
}

type nodeIdentity struct {
	ModelID      string `json:"modelId"`
	ChipID       string `json:"chipId"`
	FriendlyName string `json:"friendlyName"`
	OSVersion    string `json:"osVersion"`
}

// identity names the embedded engine where exo names the machine, so that
// nobody takes one for the other.
func (s *Server) identity() nodeIdentity {
	return nodeIdentity{
		ModelID:      "exobench embedded engine",
		ChipID:       runtime.GOARCH,
		FriendlyName: s.nodeName,
		OSVersion:    runtime.GOOS,
	}
}
