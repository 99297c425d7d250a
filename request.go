package exobench

// Model is one model as one engine knows it.
type Model struct {
	// Name is the short name that reports show, such as "llama-3.2-1b".
	Name string `json:"name"`
	// ID is the engine's own id, the string sent on the wire.
	ID string `json:"id"`
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
	// Held is what was in memory before that Prepare knows of. Where an engine
	// whose loads are driven has not Created it, it is the model.
	Held Held
	// PID is the process that answers, where it runs on this host and could be
	// found; else 0.
	PID int
}

// Request is one prompt to send, decided before it is sent.
type Request struct {
	// Seq numbers the requests of a run from 1, warm-ups included.
	Seq int
	// Block is the id of the block that it belongs to.
	Block  int
	Repeat int
	// Scheduled is when an open loop wants it sent, a moment in the future when
	// it is handed over; zero means at once.
	Scheduled Instant
	Prompt    Prompt
	MaxTokens Tokens
	Seed      uint64
	// Temperature is that of the sampling; 0 takes the likeliest token each time.
	Temperature float64
	// IgnoreEOS asks for exactly MaxTokens tokens where the engine can do that.
	IgnoreEOS bool
	// WarmCache lets the engine use what it remembers of earlier prompts.
	WarmCache bool
}
