// Package local looks at what can be seen of an engine where it runs on this
// host: the process that serves, that process's memory, and what memory is free.
package local

import (
	"context"

	"github.com/shirou/gopsutil/v4/mem"

	"exobench"
	"exobench/driver"
	"exobench/resource"
)

// Server is what can be seen of a server that exobench did not start.
type Server struct {
	// Notices say which processes are counted as the engine where that is not
	// just the one that listens, or why its memory is not measured.
	Notices []string

	engine *resource.Listening
	// seen is set where the process could be seen.
	seen bool
}

// Find looks for the process that listens at the address, a host and port.
func Find(ctx context.Context, address string) Server {
	engine := resource.Listen(ctx, address)
	_, err := engine.PID()
	return Server{Notices: engine.Notices(), engine: engine, seen: err == nil}
}

// PID returns the process that serves, another one than before where the server
// was started again and found anew; 0 where it cannot be seen.
func (s Server) PID() int {
	if s.engine == nil {
		return 0
	}
	pid, _ := s.engine.PID()
	return pid
}

// Sensors returns the sensor of the server's memory, or none where its process
// could not be seen.
func (s Server) Sensors() []driver.Sensor {
	if !s.seen {
		return nil
	}
	return []driver.Sensor{s.engine.Sensor()}
}

// FreeMemory returns how much memory of this host is free for an engine, within
// what control groups leave this process; 0 where that cannot be told.
func FreeMemory(ctx context.Context) exobench.Bytes {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return 0
	}
	free := exobench.Bytes(m.Available)
	if room, limited := groupRoom("/"); limited {
		free = min(free, max(room, 1)) // 0 would be unknown
	}
	return free
}
