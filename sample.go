package exobench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Moment says at which point of a step a sample was taken.
type Moment string

// The moments.
const (
	// Before: before the model is loaded. Of several samples the last counts:
	// the ones before it were taken while the memory still changed.
	Before Moment = "before"
	// Loaded: loaded, and no request has been sent. The last one counts.
	Loaded Moment = "loaded"
	// During: while requests are under way. What is dear to read is left out.
	During Moment = "during"
	// After: the requests of a block have ended.
	After Moment = "after"
	// Released: the model was taken away again. The last one counts.
	Released Moment = "released"
	// Idle: before the first model is loaded, with nothing asked of any engine. Such
	// a sample belongs to no step.
	Idle Moment = "idle"
	// Moving: while the model is on its way onto the engine, or off it.
	Moving Moment = "moving"
)

// Sample is one reading of one sensor at one instant.
type Sample struct {
	At     Instant `json:"at_ns"`
	Step   int     `json:"step"`
	Moment Moment  `json:"moment"`
	// Block is the block that was under way; 0 where none was.
	Block int `json:"block,omitempty"`
	// Sensor is the name of the sensor.
	Sensor string `json:"sensor"`
	// Of is what it is of, where the sensor reads several things, such as the
	// name of a node.
	Of string `json:"of,omitempty"`
	// Span is the time before At that the values are of; 0 means that they are
	// those of the instant.
	Span   time.Duration `json:"span_ns,omitzero"`
	Values Values        `json:"values"`
}

// Clone returns a copy that shares nothing with s.
func (s *Sample) Clone() *Sample {
	c := *s
	c.Values = slices.Clone(s.Values)
	return &c
}

// Quantity names what a value is of, with its unit.
type Quantity string

// The quantities.
const (
	// PSS is the proportional set size summed over the engine's processes.
	PSS Quantity = "pss_bytes"
	// RSS is the resident set size summed over the engine's processes; pages
	// shared between them are counted more than once.
	RSS Quantity = "rss_bytes"
	// Footprint is the physical footprint of macOS summed over the engine's
	// processes: dirty and compressed pages, swapped ones included, and what the
	// GPU holds for them in unified memory. FootprintPeak is the sum of the most
	// that each process ever had, which need not have been at one time.
	Footprint     Quantity = "footprint_bytes"
	FootprintPeak Quantity = "footprint_peak_bytes"
	// Anonymous and File split the PSS, or the RSS where there is no PSS;
	// file-backed pages (mapped weights) can be dropped and read again.
	Anonymous Quantity = "anonymous_bytes"
	File      Quantity = "file_bytes"
	// Processes is how many processes were summed. A reading that has it as 0 and
	// no sizes found no process where there had been one.
	Processes Quantity = "processes"
	// Process is the process that was read, or of several the one that answers;
	// ProcessStarted, when it started, in a unit of the system's, tells it from a
	// later one with the same number.
	Process        Quantity = "process_id"
	ProcessStarted Quantity = "process_started"
	// Beside is the resident set size of processes that may be the engine's, and
	// are in none of the sizes above.
	Beside Quantity = "beside_bytes"
	// RSSPeak is the greatest resident set size that the kernel has seen of each
	// of the engine's processes since its start, summed (Linux: VmHWM). It is no
	// less than the greatest RSS, whenever that was.
	RSSPeak Quantity = "rss_peak_bytes"
	// Swap is what the engine's processes have swapped out, beside all sizes
	// above: proportional (SwapPss) where PSS is there too, else what each has
	// (VmSwap), in which shared memory is missing.
	Swap Quantity = "swap_bytes"
	// CgroupPeak is the most memory that the kernel has charged to the control
	// group of the engine, where nothing but the engine is in it. It holds what the
	// kernel keeps for it, such as files in its cache that nobody maps.
	CgroupPeak Quantity = "cgroup_peak_bytes"

	// NodeUsed is all memory in use on a node of the engine, whoever uses it;
	// NodeTotal is the node's memory.
	NodeUsed  Quantity = "node_used_bytes"
	NodeTotal Quantity = "node_total_bytes"
	// NodePower is that of the whole node.
	NodePower Quantity = "node_power_watts"
	// NodeGPU is how busy the node's GPU is, 0 to 1.
	NodeGPU         Quantity = "node_gpu_share"
	NodeTemperature Quantity = "node_temperature_celsius"

	// GPUUsed is all memory in use on a GPU of this host, whoever uses it, GPUTotal
	// the GPU's memory, and GPUEngine that of the engine's processes on it; it is
	// absent where the system does not show it. GPUUnified is 1 where the GPU has no
	// memory of its own: what it uses is the host's.
	GPUUsed    Quantity = "gpu_used_bytes"
	GPUTotal   Quantity = "gpu_total_bytes"
	GPUEngine  Quantity = "gpu_engine_bytes"
	GPUUnified Quantity = "gpu_unified"
	// GPUBusy is the share of the time in which the GPU did something, 0 to 1, over
	// a time that the driver chooses, up to a second.
	GPUBusy Quantity = "gpu_busy_share"
	// GPUPower is the GPU's power at the instant, GPUPowerAverage that over a time
	// that the driver chooses, such as a second.
	GPUPower        Quantity = "gpu_power_watts"
	GPUPowerAverage Quantity = "gpu_power_average_watts"
	GPUTemperature  Quantity = "gpu_temperature_celsius"
	GPUClock        Quantity = "gpu_clock_hz"
	GPUMemoryClock  Quantity = "gpu_memory_clock_hz"
	// GPUThrottled is 1 where the GPU is slower than it could be for its power or its
	// heat, else 0; GPUThrottleReasons are all reasons for its clocks, as the bits
	// that NVML defines (nvmlClocksEventReasons).
	GPUThrottled       Quantity = "gpu_throttled"
	GPUThrottleReasons Quantity = "gpu_throttle_reasons"

	// OthersRequests is how many requests of other clients the measured instance
	// worked on, and OthersAtWork how many of the engine's other instances were
	// loaded, answered or were taken away since the reading before.
	OthersRequests Quantity = "others_requests"
	OthersAtWork   Quantity = "others_at_work"
	// PowerWatts is the power that a meter tells: that of the instant, or the mean
	// over the sample's span where it has one. EnergyJoules is what a counter grew by
	// over the span. What a meter is of, its Meter says.
	PowerWatts   Quantity = "power_watts"
	EnergyJoules Quantity = "energy_joules"

	// Steal is time that the host of a virtual machine took away; Foreign is
	// the time of all processes but the engine's and our own. All four are
	// shares of all cores over the sample's span, 0 to 1.
	Steal      Quantity = "steal_share"
	Foreign    Quantity = "foreign_share"
	EngineCPU  Quantity = "engine_share"
	HarnessCPU Quantity = "harness_share"
	// RunDelayShare is the share of the time in which our own threads could have
	// run that they waited for a core, 0 to 1. RunDelayMax is what one of them had
	// to wait at least at one time: the longest mean wait of any thread over a
	// second. The kernel counts both; they hold nothing of what the host of a
	// virtual machine takes away.
	RunDelayShare Quantity = "run_delay_share"
	RunDelayMax   Quantity = "run_delay_max_ns"
	// HiccupP99 and HiccupMax stand in for them where the kernel does not count:
	// they are of gaps in the progress of a thread of ours that wants to run
	// every 10 ms.
	HiccupP99 Quantity = "hiccup_p99_ns"
	HiccupMax Quantity = "hiccup_max_ns"
	// GCPauseMax and SchedulerP99 are of our own Go runtime.
	GCPauseMax   Quantity = "gc_pause_max_ns"
	SchedulerP99 Quantity = "scheduler_p99_ns"
)

// Value is one quantity of a sample.
type Value struct {
	Quantity Quantity
	Value    float64
}

// Values are the quantities of a sample; what is unknown is left out. In JSON
// they are one object, in their order.
type Values []Value

// Get returns the value of a quantity.
func (v Values) Get(q Quantity) (float64, bool) {
	for _, value := range v {
		if value.Quantity == q {
			return value.Value, true
		}
	}
	return 0, false
}

// MarshalJSON writes the object.
func (v Values) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, value := range v {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(value.Quantity)
		if err != nil {
			return nil, err
		}
		out = append(append(out, name...), ':')
		if value.Value-value.Value != 0 {
			return nil, fmt.Errorf("%s is %v, which is no number", value.Quantity, value.Value)
		}
		out = strconv.AppendFloat(out, value.Value, 'f', -1, 64)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads the object.
func (v *Values) UnmarshalJSON(data []byte) error {
	*v = (*v)[:0]
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil {
		return err
	} else if open != json.Delim('{') {
		return fmt.Errorf("values of a sample: %v stands where an object is due", open)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value float64
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("value of %v: %w", name, err)
		}
		*v = append(*v, Value{Quantity(name.(string)), value})
	}
	return nil
}
