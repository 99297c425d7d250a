package exobench

import "time"

// SchemaVersion is the version of the journal's entries; a reader refuses a
// journal with a higher one.
const SchemaVersion = 1

// Entry is one line of a journal: *Header, *LoadEvent, *Record, *Reading,
// *Note or *End.
type Entry interface{ entry() }

func (*Header) entry()    {}
func (*LoadEvent) entry() {}
func (*Record) entry()    {}
func (*Reading) entry()   {}
func (*Note) entry()      {}
func (*End) entry()       {}

// Header is the first entry: how the run was made, and on what.
type Header struct {
	Schema int    `json:"schema"`
	RunID  string `json:"run_id"`
	// Epoch is the wall time of the run's epoch, in UTC.
	Epoch  time.Time `json:"epoch"`
	Tool   Tool      `json:"tool"`
	Host   Host      `json:"host"`
	Plan   Plan      `json:"plan"`
	Engine Engine    `json:"engine"`
	// Models are the plan's models as the engine knows them.
	Models []Model `json:"models"`
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
	// Label is what every report must say of these results; set where the
	// engine's speed says nothing of a real engine.
	Label string `json:"label,omitempty"`
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

// Note is something that the reader of a report must know.
type Note struct {
	At    Instant `json:"at_ns"`
	Model string  `json:"model,omitempty"`
	Text  string  `json:"text"`
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
