// Package local looks at what can be seen of an engine where it runs on this
// host: the process that serves, that process's memory, and what memory is free.
package local

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/mem"

	"exobench"
	"exobench/driver"
	"exobench/resource"
)

// Server is what can be seen of a server that exobench did not start.
type Server struct {
	// PID is the process that listens; 0 where it cannot be seen, and Notices
	// then say why its memory is not measured.
	PID     int
	Notices []string
}

// Find looks for the process that listens at the address, a host and port.
func Find(ctx context.Context, address string) Server {
	pid, err := resource.FindListener(ctx, address)
	if err != nil {
		return Server{Notices: []string{fmt.Sprintf("the engine's memory is not measured: %v", err)}}
	}
	return Server{PID: pid}
}

// Sensors returns the sensor of the process's memory, or none where it cannot
// be seen.
func (s Server) Sensors() []driver.Sensor {
	if s.PID == 0 {
		return nil
	}
	return []driver.Sensor{resource.NewProcesses(func() (int, error) { return s.PID, nil })}
}

// FreeMemory returns how much memory of this host is free for an engine; 0 where
// that cannot be told.
func FreeMemory(ctx context.Context) exobench.Bytes {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return 0
	}
	return exobench.Bytes(m.Available)
}
