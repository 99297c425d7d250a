package exobench

// Progress is what a run tells whoever watches it, each time something changes.
type Progress struct {
	At Instant
	// Model is the model at work, number ModelIndex of Models, from 1.
	Model      Model
	ModelIndex int
	Models     int
	// Load is the latest step in the model's life.
	Load LoadEvent
	// Phase and Concurrency are set while requests are sent.
	Phase       Phase
	Concurrency int
	// Done of Total requests of the whole run have ended, warm-ups included;
	// those of models that could not be loaded count as done.
	Done, Total int
	// Failed of Done requests were not OK.
	Failed int
	// Last is the request that ended just now, if that is the news.
	Last *Record
	// Note is a line that the watcher must be shown, if that is the news.
	Note string
}
