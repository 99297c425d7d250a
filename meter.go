package exobench

import "time"

// Scope says what a power or an energy is of.
type Scope string

// The scopes, the widest first.
const (
	// WallScope is all that is drawn from the socket, by a meter outside.
	WallScope Scope = "wall"
	// NodeScope is the whole machine, as it tells itself: without what its power
	// supply loses, where that stands outside.
	NodeScope Scope = "node"
	// PartsScope is the sum of several parts of the machine that are metered apart.
	PartsScope Scope = "parts"
	// PackageScope is the processors; of a system on a chip its GPU too.
	PackageScope Scope = "package"
	// GPUScope is the graphics devices.
	GPUScope Scope = "gpu"
	// MemoryScope is the memory modules.
	MemoryScope Scope = "memory"
)

// Scopes lists the scopes, the widest first.
var Scopes = []Scope{WallScope, NodeScope, PartsScope, PackageScope, GPUScope, MemoryScope}

// Meter says what the power is of that a sensor's samples tell. There is none of
// exo's nodes, which are measured and of the node, nor of the devices of the sensor
// "gpu", whose samples tell all that there is to say.
type Meter struct {
	At      Instant `json:"at_ns"`
	Session int     `json:"session"`
	// Sensor and Of are those of its samples.
	Sensor string `json:"sensor"`
	Of     string `json:"of"`
	// Source names the meters that are added up: all of one source are needed.
	Source string `json:"source"`
	Scope  Scope  `json:"scope"`
	// Inside is set where another scope's meters on this machine count the same
	// power, as those of the package count a GPU on it.
	Inside Scope `json:"inside,omitempty"`
	// Estimated is set where it is reckoned from a model of the hardware, or from
	// what stands in for the power, and not measured.
	Estimated bool `json:"estimated,omitempty"`
	// Step is the time between two readings, or between two renewals by the source
	// where that is longer: what is shorter cannot be told from what is beside it.
	Step time.Duration `json:"step_ns"`
	// Text says what is read, in a few words.
	Text string `json:"text,omitempty"`
}
