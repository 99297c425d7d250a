package main

import (
	"context"

	"exobench"
	"exobench/driver"
	"exobench/gpu"
	"exobench/power"
	"exobench/run"
)

// hostSensors are those that a run reads of this host besides main memory. They must
// be closed.
type hostSensors struct {
	gpus   *gpu.Source
	meters *power.Sensor
}

func openHostSensors(ctx context.Context, env environment, clock exobench.Clock) hostSensors {
	meters, _ := power.Open(powerRoots(env.Getenv), clock)
	return hostSensors{gpu.Open(ctx, gpu.Config{Clock: clock}), meters}
}

func (h hostSensors) Close() {
	_ = h.meters.Close() // they were only read
	h.gpus.Close()
}

// addTo has a run read them.
func (h hostSensors) addTo(c *run.Config) {
	c.Beside = func(e driver.Engine) []driver.Sensor { return besideSensors(e, h.gpus) }
	if c.Meters = h.meters.Meters(); len(c.Meters) > 0 {
		c.Sensors = append(c.Sensors, h.meters)
	}
}

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
