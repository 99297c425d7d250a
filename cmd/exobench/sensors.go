package main

import (
	"context"

	"exobench/driver"
	"exobench/gpu"
)

// processed is a sensor that knows the processes of an engine on this host.
type processed interface {
	Members(ctx context.Context) ([]int, error)
}

// besideSensors are those of what this host has besides main memory, for an engine
// whose processes run on it: its GPUs.
func besideSensors(e driver.Engine, gpus *gpu.Source) []driver.Sensor {
	if len(gpus.Devices()) == 0 {
		return nil
	}
	for _, own := range e.Sensors() {
		if p, ok := own.(processed); ok {
			return []driver.Sensor{gpus.Sensor(p.Members)}
		}
	}
	return nil
}
