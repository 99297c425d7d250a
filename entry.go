package exobench

import "time"

// SchemaVersion is the version of the journal's entries. A reader refuses a
// journal with a higher one, and one of schema 1, which did not tell the steps,
// cells and blocks of a run.
const SchemaVersion = 2

// Entry is one line of a journal: *Header, *Session, *Step, *Cell, *Block,
// *StageEvent, *Record, *Sample, *Meter, *BlockEnd, *StepEnd, *Calibration,
// *Ceiling, *Note or *End. Package journal has the table of their names.
type Entry interface{ entry() }

func (*Header) entry()      {}
func (*Session) entry()     {}
func (*Step) entry()        {}
func (*Cell) entry()        {}
func (*Block) entry()       {}
func (*StageEvent) entry()  {}
func (*Record) entry()      {}
func (*Sample) entry()      {}
func (*Meter) entry()       {}
func (*BlockEnd) entry()    {}
func (*StepEnd) entry()     {}
func (*Calibration) entry() {}
func (*Ceiling) entry()     {}
func (*Note) entry()        {}
func (*End) entry()         {}

// Header is the first entry: what was to be run, and with what.
type Header struct {
	Schema int    `json:"schema"`
	RunID  string `json:"run_id"`
	Tool   Tool   `json:"tool"`
	Plan   Plan   `json:"plan"`
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

// Session is one process that wrote to the journal: a run that is resumed has
// several.
type Session struct {
	// ID numbers the sessions of a run from 1.
	ID int `json:"id"`
	// Epoch is the wall time, in UTC, of the epoch of the session's Instants.
	Epoch time.Time `json:"epoch"`
	Host  Host      `json:"host"`
	// PID is exobench's own process.
	PID int `json:"pid"`
	// PromptSeed is the seed of what cold prompts began with: the plan's, or the
	// one drawn for this session where the plan has 0.
	PromptSeed uint64 `json:"prompt_seed,omitempty"`
}

// Tool is the exobench that made a run.
type Tool struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// GPU is a GPU of a host. What is not known is empty.
type GPU struct {
	// ID is what samples call it by: the UUID of an NVIDIA one, the PCI address of
	// another.
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Driver string `json:"driver,omitempty"`
	// Memory is the GPU's own.
	Memory Bytes `json:"memory_bytes,omitempty"`
	// Unified reports whether it works in the host's memory.
	Unified bool `json:"unified,omitempty"`
	// MIG are the parts that it was divided into, as the driver names them.
	MIG []string `json:"mig,omitempty"`
}

// Engine is what answered, and how it was reached.
type Engine struct {
	// Name is the label of its spec, which entries and reports call it by.
	Name string `json:"name"`
	// Driver is what drives it: "exo", "llamacpp", ...
	Driver  string `json:"driver"`
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
	// Models are the plan's models as this engine knows them.
	Models []Model `json:"models"`
	// Files are where the weights of models are read from, as far as that is on
	// this host and known.
	Files []ModelFile `json:"files,omitempty"`
	// KVCaches are what tokens of its models take, as far as their shapes are known.
	KVCaches []KVCache `json:"kv_caches,omitempty"`
}

// KVCache is what the keys and values of one token of a model take in memory, over
// all layers.
type KVCache struct {
	// Model is the model's name.
	Model    string `json:"model"`
	PerToken Bytes  `json:"bytes_per_token"`
	// AtLoad is set where the engine sets aside all that its context can take when it
	// loads the model.
	AtLoad bool `json:"set_aside_at_load,omitempty"`
}

// ModelFile is a file of weights as it was when the engine was opened.
type ModelFile struct {
	Path     string    `json:"path"`
	Size     Bytes     `json:"size_bytes"`
	Modified time.Time `json:"modified"`
}

// Stage is a point in a model's way onto the engine and off it.
type Stage string

// The stages, in order.
const (
	StageResolve  Stage = "resolve"  // its card is looked up or added
	StagePlace    Stage = "place"    // a placement is chosen and asked for
	StageDownload Stage = "download" // its files are fetched
	StageLoad     Stage = "load"     // its weights are read
	StageWarm     Stage = "warm"     // the engine warms up by itself
	StageReady    Stage = "ready"    // it answers
	StageRelease  Stage = "release"  // it is being taken away
	StageReleased Stage = "released" // it is gone
)

// StageEvent is news of a model's way onto the engine, or off it.
type StageEvent struct {
	At   Instant `json:"at_ns"`
	Step int     `json:"step"`
	// Stage is the one that the model is in.
	Stage Stage `json:"stage"`
	// Placement and Instance are the engine's, as far as they are known; see
	// Deployment.
	Placement string `json:"placement,omitempty"`
	Instance  string `json:"instance,omitempty"`
	// Downloaded of DownloadTotal bytes are here, at DownloadRate bytes/s.
	Downloaded    Bytes `json:"downloaded_bytes,omitempty"`
	DownloadTotal Bytes `json:"download_total_bytes,omitempty"`
	DownloadRate  Bytes `json:"download_bytes_per_second,omitempty"`
	// Layers of LayersTotal are in memory, over all nodes.
	Layers      int    `json:"layers,omitempty"`
	LayersTotal int    `json:"layers_total,omitempty"`
	Detail      string `json:"detail,omitempty"`
}

// StepEndReason says how a step ended.
type StepEndReason string

// The reasons.
const (
	StepReleased    StepEndReason = "released"    // the model was taken away
	StepKept        StepEndReason = "kept"        // it was left where it is, as wanted or since it was not ours
	StepFailed      StepEndReason = "failed"      // it could not be measured, or no further
	StepInterrupted StepEndReason = "interrupted" // somebody ended the run
)

// StepEnd is the end of a step.
type StepEnd struct {
	At     Instant       `json:"at_ns"`
	Step   int           `json:"step"`
	Reason StepEndReason `json:"reason"`
	// Error says why it failed.
	Error string `json:"error,omitempty"`
}

// BlockEndReason says why the requests of a block ended.
type BlockEndReason string

// The reasons.
const (
	BlockDone        BlockEndReason = "done"           // all requests were sent
	BlockTime        BlockEndReason = "duration"       // its time was over
	BlockPrecise     BlockEndReason = "precise"        // the medians are known as well as the plan wants
	BlockNoAnswer    BlockEndReason = "no_answer"      // the engine stopped answering
	BlockInterrupted BlockEndReason = "interrupted"    // somebody ended the run
	BlockFailed      BlockEndReason = "harness_failed" // exobench could not go on
)

// BlockEnd is the end of a block: all its requests have ended.
type BlockEnd struct {
	At     Instant        `json:"at_ns"`
	Block  int            `json:"block"`
	Reason BlockEndReason `json:"reason"`
	// Repeats is how often each prompt was sent, where the plan's Stop.Until
	// decided that; else 0. BlockDone is then after the most repeats, and BlockTime
	// after the longest time.
	Repeats int `json:"repeats,omitempty"`
}

// Note is something that the reader of a report must know.
type Note struct {
	At      Instant `json:"at_ns"`
	Session int     `json:"session"`
	// Engine and Step say what it is about; empty and 0 where it is the run.
	Engine string `json:"engine,omitempty"`
	Step   int    `json:"step,omitempty"`
	Text   string `json:"text"`
	// Held is set where it is about what was in memory before the step's load.
	Held Held `json:"held,omitempty"`
}

// Held says what was in an engine's memory before a model was loaded, as far as it
// makes the memory of the load mean something else.
type Held string

// What may have been there.
const (
	// HeldModel: the model itself.
	HeldModel Held = "model"
	// HeldOthers: another model, which the load may have put out.
	HeldOthers Held = "others"
)

// Calibration is the harness's own error, measured against the timing
// reference at one load. Errors are what the harness measured less the truth.
type Calibration struct {
	At      Instant `json:"at_ns"`
	Session int     `json:"session"`
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
	// Observed is what exobench was found to cost an engine on this machine; nil
	// where that was not measured.
	Observed *Observation `json:"observed,omitempty"`
}

// Observation is what being measured costs an engine on the same machine: its
// speed under exobench as a share of that under a bare HTTP client that looks at
// nothing, of rounds of both in turn.
type Observation struct {
	When time.Time `json:"when"`
	// Engine is the driver's name, Model what it ran.
	Engine string `json:"engine"`
	Model  string `json:"model"`
	// Cores are the machine's.
	Cores int `json:"cores"`
	// Each round had so many requests of so many tokens, Streams at a time.
	Streams  int    `json:"streams"`
	Requests int    `json:"requests"`
	Tokens   Tokens `json:"max_tokens"`
	// Ratios has one for each pair of rounds, Ratio is their median, and Low to
	// High the interval that holds it with 95 % confidence, 0 where there are too
	// few pairs.
	Ratios []float64 `json:"ratios"`
	Ratio  float64   `json:"ratio"`
	Low    float64   `json:"ratio_low,omitempty"`
	High   float64   `json:"ratio_high,omitempty"`
	// Told reports whether the speeds are those that the engine told, else they
	// are tokens over the time from the first request to the last answer's end.
	Told bool `json:"told_by_engine"`
	// BareRate and Rate are the median speeds, in tokens per second.
	BareRate float64 `json:"bare_tokens_per_second"`
	Rate     float64 `json:"tokens_per_second"`
	// BareCPU and CPU are the clients' median CPU time for a thousand events.
	BareCPU time.Duration `json:"bare_cpu_per_1000_events_ns"`
	CPU     time.Duration `json:"cpu_per_1000_events_ns"`
}

// EndReason says why a run ended.
type EndReason string

// The reasons.
const (
	EndFinished    EndReason = "finished"
	EndInterrupted EndReason = "interrupted"
	EndFailed      EndReason = "failed"
)

// End is the last entry of a session. A run whose last session has none was
// cut off.
type End struct {
	At      Instant   `json:"at_ns"`
	Session int       `json:"session"`
	Reason  EndReason `json:"reason"`
	Error   string    `json:"error,omitempty"`
}
