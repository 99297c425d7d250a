package exobench

import "time"

// SchemaVersion is the version of the journal's entries; a reader refuses a
// journal with a higher one.
const SchemaVersion = 1

// Entry is one line of a journal: *Header, *LoadEvent, *Record, *Reading,
// *NodeReading, *Disturbance, *Calibration, *Note or *End.
type Entry interface{ entry() }

func (*Header) entry()      {}
func (*LoadEvent) entry()   {}
func (*Record) entry()      {}
func (*Reading) entry()     {}
func (*NodeReading) entry() {}
func (*Disturbance) entry() {}
func (*Calibration) entry() {}
func (*Note) entry()        {}
func (*End) entry()         {}

// Header is the first entry: how the run was made, and on what.
type Header struct {
	Schema int    `json:"schema"`
	RunID  string `json:"run_id"`
	// Epoch is the wall time of the run's epoch, in UTC.
	Epoch time.Time `json:"epoch"`
	Tool  Tool      `json:"tool"`
	Host  Host      `json:"host"`
	Plan  Plan      `json:"plan"`
	// Engines are measured one after the other, in this order. Their names
	// differ.
	Engines []Engine `json:"engines"`
}

// Engine returns the engine of that name.
func (h *Header) Engine(name string) (Engine, bool) {
	for _, e := range h.Engines {
		if e.Name == name {
			return e, true
		}
	}
	return Engine{}, false
}

// Tool is the exobench that made a run.
type Tool struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Host is the machine that exobench ran on.
type Host struct {
	Name   string `json:"name"`
	System string `json:"system,omitempty"`
	CPU    string `json:"cpu,omitempty"`
	Cores  int    `json:"cores"`
	Memory Bytes  `json:"memory_bytes,omitempty"`
}

// Engine is what answered, and how it was reached.
type Engine struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	URL     string `json:"url"`
	// Label is what every report must say of these results, in a few words; set
	// where they are not of a real engine with a model's real weights.
	Label string `json:"label,omitempty"`
	// Caveat is a sentence on what the label means for the figures.
	Caveat string `json:"caveat,omitempty"`
	// LifeCycle reports whether loads and unloads were driven and timed.
	LifeCycle bool `json:"life_cycle"`
	// CacheSwitch reports whether the engine itself keeps prompts out of its
	// cache; without it, cold prompts carry a unique prefix.
	CacheSwitch bool `json:"cache_switch"`
	// IgnoresEOS reports whether the engine can be told to write exactly as
	// many tokens as asked.
	IgnoresEOS bool `json:"ignores_eos"`
	// PID is the process that listens at URL, where it runs on this host and
	// could be found.
	PID int `json:"pid,omitempty"`
	// Models are the plan's models as this engine knows them.
	Models []Model `json:"models"`
}

// Stage is a step in the life of a model on an engine.
type Stage string

// The stages, in order. StageFailed may follow any of them.
const (
	StageResolve  Stage = "resolve"  // its card is looked up or added
	StagePlace    Stage = "place"    // a placement is chosen and asked for
	StageDownload Stage = "download" // its files are fetched
	StageLoad     Stage = "load"     // its weights are read
	StageWarm     Stage = "warm"     // the engine warms up by itself
	StageReady    Stage = "ready"    // it answers
	StageRelease  Stage = "release"  // it is being taken away
	StageReleased Stage = "released" // it is gone
	StageFailed   Stage = "failed"   // it cannot be measured; Error says why
)

// LoadEvent is one step in the life of a model on an engine.
type LoadEvent struct {
	At        Instant `json:"at_ns"`
	Engine    string  `json:"engine"`
	Model     string  `json:"model"`
	ModelID   string  `json:"model_id,omitempty"`
	Placement string  `json:"placement,omitempty"`
	Instance  string  `json:"instance,omitempty"`
	Stage     Stage   `json:"stage"`
	// Downloaded of DownloadTotal bytes are here, at DownloadRate bytes/s.
	Downloaded    Bytes `json:"downloaded_bytes,omitempty"`
	DownloadTotal Bytes `json:"download_total_bytes,omitempty"`
	DownloadRate  Bytes `json:"download_bytes_per_second,omitempty"`
	// Layers of LayersTotal are in memory, over all nodes.
	Layers      int    `json:"layers,omitempty"`
	LayersTotal int    `json:"layers_total,omitempty"`
	Detail      string `json:"detail,omitempty"`
	Error       string `json:"error,omitempty"`
}

// Moment says at which point of a model's life a Reading was taken.
type Moment string

// The moments.
const (
	MomentBefore Moment = "before" // before the model is loaded
	MomentLoaded Moment = "loaded" // loaded, and no request has been sent
	MomentDuring Moment = "during" // while requests are under way
)

// MemorySource says what a Reading's Memory counts.
type MemorySource string

// The sources.
const (
	// FromPSS is the proportional set size summed over the engine's processes.
	FromPSS MemorySource = "pss"
	// FromRSS is the resident set size summed over the engine's processes;
	// pages shared between them are counted more than once.
	FromRSS MemorySource = "rss"
	// FromNode is all memory in use on the engine's nodes, whoever uses it.
	FromNode MemorySource = "node"
)

// Reading is the engine's memory at one instant.
type Reading struct {
	At     Instant      `json:"at_ns"`
	Engine string       `json:"engine"`
	Model  string       `json:"model"`
	Moment Moment       `json:"moment"`
	Source MemorySource `json:"source"`
	Memory Bytes        `json:"memory_bytes"`
	// Anonymous and File split Memory where the system tells them apart;
	// file-backed pages (mapped weights) can be dropped and read again.
	Anonymous *Bytes `json:"anonymous_bytes,omitempty"`
	File      *Bytes `json:"file_bytes,omitempty"`
	// Resident is the resident set size at the same time, where Memory is the
	// proportional one. Where proportional sizes cost too much to read often,
	// readings during requests are resident ones, and what they grew by is
	// added to the proportional size after the load.
	Resident *Bytes `json:"resident_bytes,omitempty"`
	// Processes is how many processes were summed.
	Processes int `json:"processes,omitempty"`
}

// Clone returns a copy that shares nothing with r.
func (r *Reading) Clone() *Reading {
	c := *r
	c.Anonymous, c.File, c.Resident = clone(r.Anonymous), clone(r.File), clone(r.Resident)
	return &c
}

// Note is something that the reader of a report must know.
type Note struct {
	At     Instant `json:"at_ns"`
	Engine string  `json:"engine,omitempty"`
	Model  string  `json:"model,omitempty"`
	Text   string  `json:"text"`
}

// NodeReading is what an engine tells of one of the machines that it runs on.
type NodeReading struct {
	At     Instant `json:"at_ns"`
	Engine string  `json:"engine"`
	Model  string  `json:"model"`
	Moment Moment  `json:"moment"`
	// Node is its name for people.
	Node string `json:"node"`
	// MemoryUsed is all memory in use on the node, whoever uses it.
	MemoryUsed  *Bytes `json:"memory_used_bytes,omitempty"`
	MemoryTotal *Bytes `json:"memory_total_bytes,omitempty"`
	// Power is that of the whole node in watts; GPU is 0 to 1; Temperature is
	// in °C. Each is absent where the node has no sensor for it.
	Power       *float64 `json:"power_watts,omitempty"`
	GPU         *float64 `json:"gpu_fraction,omitempty"`
	Temperature *float64 `json:"temperature_celsius,omitempty"`
}

// Disturbance is what else the machine did while the requests of one cell were
// under way. Shares are of all cores over the whole time, 0 to 1; each figure
// is absent where the system does not tell.
type Disturbance struct {
	At          Instant       `json:"at_ns"` // the end of the time
	Engine      string        `json:"engine"`
	Model       string        `json:"model"`
	Placement   string        `json:"placement,omitempty"`
	Concurrency int           `json:"concurrency,omitempty"`
	Rate        float64       `json:"rate_rps,omitempty"`
	Wall        time.Duration `json:"wall_ns"`
	// Steal is time that the host of a virtual machine took away; Foreign is
	// the time of all processes but the engine's and our own.
	Steal      *float64 `json:"steal_share,omitempty"`
	Foreign    *float64 `json:"foreign_share,omitempty"`
	EngineCPU  *float64 `json:"engine_share,omitempty"`
	HarnessCPU *float64 `json:"harness_share,omitempty"`
	// Hiccups are gaps in the progress of a thread of ours that wants to run
	// every millisecond, or up to every 10 ms where waking up is costly.
	HiccupP99 time.Duration `json:"hiccup_p99_ns"`
	HiccupMax time.Duration `json:"hiccup_max_ns"`
	// GCPauseMax and SchedulerP99 are of our own Go runtime.
	GCPauseMax   time.Duration `json:"gc_pause_max_ns"`
	SchedulerP99 time.Duration `json:"scheduler_p99_ns"`
}

// Calibration is the harness's own error, measured against the timing
// reference at one load. Errors are what the harness measured less the truth.
type Calibration struct {
	At Instant `json:"at_ns"`
	// Streams ran side by side, each with Rate tokens per second and one token
	// an event.
	Streams int     `json:"streams"`
	Rate    float64 `json:"rate_tokens_per_second"`
	Events  int     `json:"events"`
	// Lag is from when the reference handed an event to its socket until the
	// instant that the harness gives the event.
	LagP50 time.Duration `json:"lag_p50_ns"`
	LagP99 time.Duration `json:"lag_p99_ns"`
	LagMax time.Duration `json:"lag_max_ns"`
	// TTFT, InterChunk and Latency are the errors in these, at the median and
	// at the 99th percentile of their sizes.
	TTFTP50       time.Duration `json:"ttft_error_p50_ns"`
	TTFTP99       time.Duration `json:"ttft_error_p99_ns"`
	InterChunkP50 time.Duration `json:"inter_chunk_error_p50_ns"`
	InterChunkP99 time.Duration `json:"inter_chunk_error_p99_ns"`
	LatencyP50    time.Duration `json:"latency_error_p50_ns"`
	LatencyP99    time.Duration `json:"latency_error_p99_ns"`
	// Slip is how much later than planned the requests were sent.
	SlipP50 time.Duration `json:"send_slip_p50_ns"`
	SlipP99 time.Duration `json:"send_slip_p99_ns"`
	// TokenRate is the median relative error in tokens per second.
	TokenRate float64 `json:"tokens_per_second_error"`
	// CPUPer1000 is the harness's CPU time for a thousand events, and
	// StreamMemory its memory for one open stream.
	CPUPer1000   time.Duration `json:"cpu_per_1000_events_ns"`
	StreamMemory Bytes         `json:"memory_per_stream_bytes"`
	// Behind is how far the reference itself was behind its schedule at the
	// 99th percentile: the machine's share of all these errors.
	Behind time.Duration `json:"reference_behind_p99_ns"`
	// Kernel reports whether the harness used kernel receive stamps.
	Kernel bool `json:"kernel_stamps"`
}

// EndReason says why a run ended.
type EndReason string

// The reasons.
const (
	EndFinished    EndReason = "finished"
	EndInterrupted EndReason = "interrupted"
	EndFailed      EndReason = "failed"
)

// End is the last entry. A journal without one is of a run that was cut off.
type End struct {
	At     Instant   `json:"at_ns"`
	Reason EndReason `json:"reason"`
	Error  string    `json:"error,omitempty"`
}
