package exobench

// Phase says what a request is for.
type Phase string

// The phases.
const (
	// Warmup requests are journaled and enter no statistic.
	Warmup Phase = "warmup"
	// Measured requests are the ones that count.
	Measured Phase = "measured"
)

// Model is one model as one engine knows it.
type Model struct {
	// Name is the short name that reports show, such as "llama-3.2-1b".
	Name string `json:"name"`
	// ID is the engine's own id, the string sent on the wire.
	ID string `json:"id"`
	// Placement, where not empty, is the one of the engine's placements that is
	// wanted; see Deployment.Placement.
	Placement string `json:"placement,omitempty"`
}

// Deployment is a model that an engine has ready to answer.
type Deployment struct {
	Model Model
	// Placement says how the engine spread the model, such as
	// "Pipeline/MlxRing/1 node"; empty where the engine has no such notion.
	Placement string
	// Instance is the engine's id for it; empty where it has none.
	Instance string
	// Created reports whether this run made it, and so must take it away where
	// the engine can.
	Created bool
}

// Request is one prompt to send, decided before it is sent.
type Request struct {
	// Seq numbers the requests of a run from 1, warm-ups included.
	Seq    int
	Phase  Phase
	Repeat int
	Load   Load
	// Scheduled is when an open loop wants it sent, a moment in the future when
	// it is handed over; zero means at once.
	Scheduled Instant
	Prompt    Prompt
	MaxTokens Tokens
	Seed      uint64
	// IgnoreEOS asks for exactly MaxTokens tokens where the engine can do that.
	IgnoreEOS bool
	// WarmCache lets the engine use what it remembers of earlier prompts.
	WarmCache bool
}
