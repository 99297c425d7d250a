package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"exobench"
	"exobench/calibrate"
	"exobench/gpu"
	"exobench/resource"
)

// memorySensor tells which sizes of processes the system gives.
func memorySensor(ctx context.Context) exobench.SensorState {
	s := exobench.SensorState{Name: "process memory"}
	values, err := resource.Tree{PID: os.Getpid()}.Read(ctx)
	known := func(q exobench.Quantity) bool { _, ok := values.Get(q); return ok }
	switch {
	case err != nil:
		s.Why = err.Error()
	case known(exobench.Footprint):
		s.Found, s.Why = true, "physical footprint and its peak, resident set size beside"
	case known(exobench.PSS):
		s.Found, s.Why = true, "proportional set size, anonymous and file-backed apart"
	default:
		s.Found, s.Why = true, "resident set size"
	}
	return s
}

// gpuSensors tells of the GPUs that can be read, and of what would be needed for
// others.
func gpuSensors(ctx context.Context) ([]exobench.GPU, []exobench.SensorState) {
	devices, missing := gpu.Devices(ctx)
	var rows []exobench.SensorState
	for _, d := range devices {
		rows = append(rows, exobench.SensorState{Name: "GPU", Found: true, Why: gpuText(d)})
	}
	for _, m := range missing {
		rows = append(rows, exobench.SensorState{Name: m.What, Why: m.Why, Enable: m.Enable})
	}
	if len(rows) == 0 {
		rows = append(rows, exobench.SensorState{Name: "GPU", Why: "none seen"})
	}
	return devices, rows
}

// gpuText says what a GPU is.
func gpuText(g exobench.GPU) string {
	text := cmp.Or(g.Name, g.ID)
	switch {
	case g.Memory > 0:
		text += ", " + g.Memory.String()
	case g.Unified:
		text += ", in the host's memory"
	}
	for _, part := range g.MIG {
		text += ", " + part
	}
	return text
}

// calibrationSensor tells the harness's own error, where it was measured.
func calibrationSensor() exobench.SensorState {
	s := exobench.SensorState{Name: "calibration"}
	c, ok := keptCalibration()
	if !ok {
		s.Why, s.Enable = "not measured yet", "exobench calibrate"
		return s
	}
	last := c.Calibrations[len(c.Calibrations)-1]
	s.Found, s.Why = true, fmt.Sprintf("of %s: lag p50 %v, p99 %v at %d streams of %g tokens/s", c.When.Format("2006-01-02"),
		last.LagP50.Round(100), last.LagP99.Round(100), last.Streams, last.Rate)
	if streams, rate, bound := calibrate.ClientBound(c.Calibrations); bound {
		s.Why += fmt.Sprintf("; client-bound from %d streams of %g tokens/s", streams, rate)
	}
	return s
}
