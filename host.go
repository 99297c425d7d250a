package exobench

// Host is the machine that exobench ran on, as it was when the session began.
// What could not be read is absent, not 0; Sensors says why, of what can be
// enabled.
type Host struct {
	Name   string `json:"name"`
	System string `json:"system,omitempty"`
	// Kernel and Build are the versions of the kernel and of the system's build.
	Kernel string `json:"kernel,omitempty"`
	Build  string `json:"os_build,omitempty"`

	CPU string `json:"cpu,omitempty"`
	// Cores are the logical cores that exobench may run on, CoresOnline those that
	// the machine has, and CoresPhysical its cores without their second threads.
	Cores         int `json:"cores"`
	CoresOnline   int `json:"cores_online,omitempty"`
	CoresPhysical int `json:"cores_physical,omitempty"`
	// CoreKinds are the kinds of cores, the fastest first, where there are several.
	CoreKinds []CoreKind `json:"core_kinds,omitempty"`
	// Turbo tells whether clocks may go beyond the nominal one.
	Turbo     *bool `json:"turbo,omitempty"`
	NUMANodes int   `json:"numa_nodes,omitempty"`

	Memory Bytes `json:"memory_bytes,omitempty"`
	// MemoryType is such as "DDR5"; MemorySpeed is in transfers per second.
	MemoryType  string  `json:"memory_type,omitempty"`
	MemorySpeed float64 `json:"memory_transfers_per_second,omitempty"`
	// Unified is set where GPU and CPU share the memory, so that what the GPU holds
	// is in the processes' own figures.
	Unified bool `json:"unified_memory,omitempty"`
	// MetalLimit is how much of unified memory the GPU may hold; MetalLimitFrom
	// says how that is known.
	MetalLimit     Bytes      `json:"metal_limit_bytes,omitempty"`
	MetalLimitFrom MetalLimit `json:"metal_limit_from,omitempty"`
	// GPUs are those that can be seen.
	GPUs []GPU `json:"gpus,omitempty"`

	Power PowerMode `json:"power,omitzero"`
	// Virtual names the hypervisor of a virtual machine ("kvm", "vmware"; "unknown"
	// where only that there is one is known), Container what contains exobench
	// ("docker", "kubernetes").
	Virtual   string `json:"virtual,omitempty"`
	Container string `json:"container,omitempty"`
	Limits    Limits `json:"limits,omitzero"`

	Conditions Conditions `json:"conditions,omitzero"`
	// Sensors are what can be measured on this machine, and what cannot and why.
	Sensors []SensorState `json:"sensors,omitempty"`
}

// Usable is how many cores' worth of CPU time exobench and what it starts can
// use: the cores that it may run on, or the quota of its control groups.
func (h Host) Usable() float64 {
	if h.Limits.CPUs > 0 {
		return min(float64(h.Cores), h.Limits.CPUs)
	}
	return float64(h.Cores)
}

// UsableMemory is how much memory exobench and what it starts can use; 0 where
// that is unknown.
func (h Host) UsableMemory() Bytes {
	if h.Limits.Memory > 0 && (h.Memory == 0 || h.Limits.Memory < h.Memory) {
		return h.Limits.Memory
	}
	return h.Memory
}

// CoreKind counts the cores of one kind.
type CoreKind struct {
	// Kind is "performance", "efficiency", or what the system calls it.
	Kind string `json:"kind"`
	// Cores are physical ones, Threads logical.
	Cores   int `json:"cores"`
	Threads int `json:"threads"`
}

// MetalLimit says how the limit of GPU memory on a Mac is known.
type MetalLimit string

// The ways.
const (
	// MetalSet: somebody set it (iogpu.wired_limit_mb).
	MetalSet MetalLimit = "set"
	// MetalDefault: the system's default share of the memory, which is an estimate:
	// newer versions of macOS allow more.
	MetalDefault MetalLimit = "default_share"
)

// PowerMode is how a machine is fed and told to save power.
type PowerMode struct {
	// Source is where the power comes from; empty where that is unknown.
	Source PowerSource `json:"source,omitempty"`
	// Charge is that of the battery, 0 to 1; Charging whether it is being charged.
	Charge   *float64 `json:"charge_share,omitempty"`
	Charging *bool    `json:"charging,omitempty"`
	// LowPower tells whether a mode is on that trades speed for power.
	LowPower *bool `json:"low_power,omitempty"`
	// Mode is what the system calls its mode, such as "high" or "balanced".
	Mode string `json:"mode,omitempty"`
	// Driver, Governor and Preference are Linux's cpufreq: which driver sets the
	// clocks, by which rule, and what the processor itself is told to prefer.
	Driver     string `json:"cpufreq_driver,omitempty"`
	Governor   string `json:"cpufreq_governor,omitempty"`
	Preference string `json:"energy_performance_preference,omitempty"`
}

// PowerSource is where power comes from.
type PowerSource string

// The sources.
const (
	Mains   PowerSource = "mains"
	Battery PowerSource = "battery"
)

// Limits are what control groups leave of the machine, the tightest of all levels
// of the hierarchy that can be seen; 0 is no limit.
type Limits struct {
	// CPUs is CPU time in cores, such as 1.5; From are the files that say so.
	CPUs       float64 `json:"cpus,omitempty"`
	CPUsFrom   string  `json:"cpus_from,omitempty"`
	Memory     Bytes   `json:"memory_bytes,omitempty"`
	MemoryFrom string  `json:"memory_from,omitempty"`
}

// Conditions are what can spoil figures and changes from run to run.
type Conditions struct {
	// MemoryAvailable is what programs can have without anything being swapped out,
	// and what the limits of control groups leave of it.
	MemoryAvailable *Bytes `json:"memory_available_bytes,omitempty"`
	SwapUsed        *Bytes `json:"swap_used_bytes,omitempty"`
	SwapTotal       *Bytes `json:"swap_total_bytes,omitempty"`
	// Compressed is the memory that holds compressed pages.
	Compressed *Bytes `json:"compressor_bytes,omitempty"`
	// Thermal says in the system's words that heat slows the machine; empty where it
	// does not. SpeedLimit is the share of its clock that is left to the processor.
	Thermal    string   `json:"thermal_pressure,omitempty"`
	SpeedLimit *float64 `json:"cpu_speed_limit,omitempty"`
	// GPUBusy is how busy the busiest GPU is with the work of others, 0 to 1.
	GPUBusy *float64 `json:"gpu_busy_share,omitempty"`
}

// SensorState says whether something can be measured on a machine.
type SensorState struct {
	Name  string `json:"name"`
	Found bool   `json:"found"`
	// Why says what is read, or why nothing is.
	Why string `json:"why"`
	// Enable says what would make a missing one be found; empty where nothing would.
	Enable string `json:"enable,omitempty"`
}
