package power

import (
	"context"
	"time"

	"exobench"
)

// SensorName is the name of the sensor, and of the sensor that the readings of a
// Log are of.
const SensorName = "power"

// meter is one thing that can be read.
type meter interface {
	// describe says what is read.
	describe() exobench.Meter
	// every is the time between two readings.
	every() time.Duration
	// read returns the samples since it was read before, of which only the values,
	// the span and, where it is not now, the instant are set. None is no reading:
	// the source has nothing to tell now.
	read(ctx context.Context, clock func() exobench.Instant) ([]exobench.Sample, error)
	close() error
}

// Missing is a meter that is there and cannot be read, or that could be had.
type Missing struct {
	// ID names it, such as "rapl:package-0".
	ID string `json:"id"`
	// Why says why there is none, Enable what would give one; Enable is empty where
	// nothing would.
	Why    string `json:"why"`
	Enable string `json:"enable,omitempty"`
}

// Roots are where meters are looked for.
type Roots struct {
	// Powercap, Hwmon and Supply are folders of sysfs, CPUInfo the file of the
	// processors; an empty one is not looked at.
	Powercap, Hwmon, Supply, CPUInfo string
	// Macmon is the path of the program; Mac is set where there could be one.
	Macmon string
	Mac    bool
}

// watts is a sample of a power.
func watts(v float64) exobench.Sample {
	return exobench.Sample{Values: exobench.Values{{Quantity: exobench.PowerWatts, Value: v}}}
}
