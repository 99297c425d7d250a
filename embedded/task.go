package embedded

import (
	"cmp"
	"sync"
	"time"

	"exobench/embedded/decoder"
)

// eventRoom is how many events a stream may be behind before it is dropped,
// beyond the thousands that its socket holds. A larger one would show in the
// memory that a benchmark measures: each request makes one.
const eventRoom = 512

// task is one completion on its way through a runner. The runner sends its
// events and closes nothing; whoever waits for them also waits for gone.
type task struct {
	command string // what a client knows it by
	chat    *chat

	events chan event
	gone   chan struct{} // closed when the stream is to end without a final event
	end    sync.Once

	// The rest belongs to the runner's goroutine.
	prompt    []int
	maxTokens int
	sampler   *decoder.Sampler
	stopper   *stopper
	seq       *decoder.Sequence
	logits    []float32
	fed       int // prompt tokens in the cache
	next      [1]int
	generated int

	prefillFrom, prefillTo time.Time
	firstToken, lastToken  time.Time
}

// event is what a runner tells a stream: progress of the prompt, a token, or a
// failure. The last one of a stream has an ending or a failure.
type event struct {
	progress *progress
	text     string
	ending   *ending
	failure  string
}

type progress struct {
	Model     string `json:"model"`
	Processed int    `json:"processed_tokens"`
	Total     int    `json:"total_tokens"`
}

type ending struct {
	reason string // "stop" or "length"
	stats  stats
	usage  usage
}

func newTask(c *chat) *task {
	temperature := *cmp.Or(c.Temperature, new(defaultTemperature))
	seed := *cmp.Or(c.Seed, new(int64(defaultSeed)))
	return &task{
		command: newID(),
		chat:    c,
		events:  make(chan event, eventRoom),
		gone:    make(chan struct{}),
		sampler: decoder.NewSampler(temperature, uint64(seed)),
		stopper: newStopper(c.Stop),
	}
}

// cancel ends the stream at once; the runner notices before its next pass.
func (t *task) cancel() { t.end.Do(func() { close(t.gone) }) }

func (t *task) canceled() bool {
	select {
	case <-t.gone:
		return true
	default:
		return false
	}
}

// send never waits: a stream whose client does not keep up is dropped rather
// than the others stalled.
func (t *task) send(e event) {
	select {
	case t.events <- e:
	default:
		t.cancel()
	}
}
