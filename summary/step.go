package summary

import (
	"time"

	"exobench"
)

// Step is one bring-up of a model on an engine, and what the machines did in
// it. Instants are since the epoch of its session.
type Step struct {
	ID      int `json:"id"`
	Session int `json:"session"`
	Subject
	ModelID string `json:"model_id"`
	// Wanted is the placement that was asked for; empty left it to the engine.
	// Placement is where the model came to be, as far as that was told, and else
	// Wanted.
	Wanted    string `json:"wanted_placement"`
	Placement string `json:"placement"`
	// Instance is the engine's id of the model.
	Instance string `json:"instance"`
	State    State  `json:"state"`
	// Stage is the last that was told; empty where it came to none. Of a failed
	// step it is the last before the model was taken away again.
	Stage exobench.Stage `json:"stage"`
	// Began is when its first stage was told of, Ended when it ended.
	Began exobench.Instant `json:"began_ns"`
	Ended exobench.Instant `json:"ended_ns"`
	// Error says why it failed.
	Error string `json:"error"`
	// Load is nil where the model never was ready, or exobench does not drive the
	// engine's loads.
	Load *ModelLoad `json:"load"`
	// Before and Loaded are the engine's memory at these moments: the last
	// reading of each. Source says what they count; it is empty where nothing was
	// read.
	Source MemorySource `json:"memory_source"`
	Before *Level       `json:"memory_before"`
	Loaded *Level       `json:"memory_loaded"`
	// Released is that once the model was taken away again; nil too where it is of
	// another process than Before.
	Released *Level `json:"memory_released"`
	// Weights says where the model's weights are; empty where that is not known.
	Weights Weights `json:"weights"`
	// Nodes are the machines of an engine that tells of them, by name.
	Nodes []Node `json:"nodes"`
	// GPUs are those of this host, where the engine's processes run on it.
	GPUs []StepGPU `json:"gpus"`
	// Cells are the ids of the cells that have a block in the step, or are to
	// have one, in order.
	Cells []int `json:"cells"`
}

// Left returns what the engine has more than before the load once the model is gone;
// it is absent where one of the two is unknown.
func (s *Step) Left() (exobench.Bytes, bool) {
	if s.Released == nil || s.Before == nil {
		return 0, false
	}
	return s.Released.Total - s.Before.Total, true
}

// ModelLoad is a load that ended with the model ready.
type ModelLoad struct {
	// Start is when the placement was asked for, else the first stage known.
	Start exobench.Instant `json:"start_ns"`
	// Loading is the time from Start until ready, less that of a download. It is
	// the sum of Placing (until its weights began to be read: the engine's choice
	// of a place, the start of what computes), Weights (until they were read) and
	// Warming (the engine's own warm-up), as far as the engine tells these apart.
	Loading time.Duration `json:"load_ns"`
	Placing time.Duration `json:"load_placing_ns"`
	Weights time.Duration `json:"load_weights_ns"`
	Warming time.Duration `json:"load_warming_ns"`
	// Downloading is the time in which files were fetched, before Start or after.
	Downloading time.Duration  `json:"download_ns"`
	Downloaded  exobench.Bytes `json:"downloaded_bytes"`
}

// Node is what one machine of an engine did in a step: figures of the whole
// machine, whoever uses it. Each is nil where unknown.
type Node struct {
	Name string `json:"node"`
	// Before, Loaded and Peak are memory in use: the last readings before and
	// after the load, and the greatest while measured requests were under way
	// (the last one before them included). Total is the node's memory.
	Before *exobench.Bytes `json:"memory_before_bytes"`
	Loaded *exobench.Bytes `json:"memory_loaded_bytes"`
	Peak   *exobench.Bytes `json:"memory_peak_bytes"`
	Total  *exobench.Bytes `json:"memory_total_bytes"`
	// Power in watts and GPU (0 to 1) are means, weighted by time, from the first
	// measured request sent to the last one done; MaxTemperature is in °C.
	Power          *float64 `json:"power_mean_watts"`
	GPU            *float64 `json:"gpu_mean_share"`
	MaxTemperature *float64 `json:"temperature_max_celsius"`
}

// MemorySource says what an amount of memory counts.
type MemorySource string

// The sources.
const (
	// FromPSS is the proportional set size summed over the engine's processes.
	FromPSS MemorySource = "pss"
	// FromFootprint is the physical footprint of macOS summed over the engine's
	// processes, which holds what the GPU has of unified memory.
	FromFootprint MemorySource = "footprint"
	// FromRSS is the resident set size summed over the engine's processes; pages
	// shared between them are counted more than once.
	FromRSS MemorySource = "rss"
	// FromNode is all memory in use on the engine's nodes, whoever uses it.
	FromNode MemorySource = "node"
)

// Level is an amount of memory; its parts are nil where the system does not
// tell them apart.
type Level struct {
	Total     exobench.Bytes  `json:"total_bytes"`
	Anonymous *exobench.Bytes `json:"anonymous_bytes"`
	File      *exobench.Bytes `json:"file_bytes"`
	// Swap is what is swapped out, beside Total; nil where the system does not tell.
	Swap *exobench.Bytes `json:"swap_bytes"`
}

// RequestMemory is the engine's memory around one request: the last readings
// before and after the load of its model, and the greatest during the request
// (the last one before it was sent included). Each is nil where unknown. Levels are
// of main memory; GPU is what is on GPUs, nil where none was read.
type RequestMemory struct {
	Source MemorySource `json:"source"`
	Before *Level       `json:"before"`
	Loaded *Level       `json:"loaded"`
	Peak   *Level       `json:"peak"`
	GPU    *GPUMemory   `json:"gpu"`
}

// Model returns the memory that the loaded model takes. As the two below, it is
// that of main memory and, where GPUs have memory of their own, of theirs.
func (m RequestMemory) Model() (exobench.Bytes, bool) {
	return m.difference(m.Loaded, m.Before, func(g *GPUMemory) (*exobench.Bytes, *exobench.Bytes) { return g.Loaded, g.Before })
}

// Inference returns the memory that answering takes on top.
func (m RequestMemory) Inference() (exobench.Bytes, bool) {
	return m.difference(m.Peak, m.Loaded, func(g *GPUMemory) (*exobench.Bytes, *exobench.Bytes) { return g.Peak, g.Loaded })
}

// Additional returns the sum of both.
func (m RequestMemory) Additional() (exobench.Bytes, bool) {
	return m.difference(m.Peak, m.Before, func(g *GPUMemory) (*exobench.Bytes, *exobench.Bytes) { return g.Peak, g.Before })
}

func (m RequestMemory) difference(a, b *Level, of func(*GPUMemory) (a, b *exobench.Bytes)) (exobench.Bytes, bool) {
	if a == nil || b == nil {
		return 0, false
	}
	if !m.GPU.apart() {
		return a.Total - b.Total, true
	}
	more, less := of(m.GPU)
	if more == nil || less == nil {
		return 0, false
	}
	return a.Total - b.Total + *more - *less, true
}
