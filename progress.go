package exobench

// Progress is what a run tells whoever watches it, each time something changes.
type Progress struct {
	At Instant
	// Engine and Model are at work: number Step of Steps, from 1. A step is one
	// model on one engine in one placement.
	Engine string
	Model  Model
	Step   int
	Steps  int
	// Load is the latest step in the model's life.
	Load LoadEvent
	// Phase and either Concurrency or Rate are set while requests are sent.
	Phase       Phase
	Concurrency int
	Rate        float64
	// Done of Total requests of the whole run have ended, warm-ups included;
	// those of models that could not be loaded count as done. Each step has
	// StepTotal of them.
	Done, Total, StepTotal int
	// Failed of Done requests were not OK.
	Failed int
	// Last is the request that ended just now, if that is the news.
	Last *Record
	// Note is a line that the watcher must be shown, if that is the news.
	Note string
}
