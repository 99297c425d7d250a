package embedded

import (
	"sync"
	"time"

	"exobench/embedded/decoder"
)

// eventRoom is how many events a stream may be behind before it is dropped, beyond the thousands that its socket holds. A larger
// one would show in the memory that a benchmark measures: each request makes one.
const eventRoom = 512

// task is one completion on its way through a runner. The runner sends its events and closes nothing; whoever waits for it also
// waits for gone.
type task struct {
	id      string
	command string // what a client knows it by
	chat    *chat
	runner  *runner

	events chan event
	gone   chan struct{} // closed when the stream is to end without a final event
	end    sync.Once

	running bool // under the server's lock

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

// event is what a runner tells a stream: progress of the prompt, a token, or a failure. The last one of a stream has an ending
// or a failure.
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

func newTask(c *chat, r *runner) *task {
	temperature, seed := defaultTemperature, defaultSeed
	if c.temperature != nil {
		temperature = *c.temperature
	}
	if c.seed != nil {
		seed = *c.seed
	}
	return &task{
		id:      newID(),
		command: newID(),
		chat:    c,
		runner:  r,
		events:  make(chan event, eventRoom),
		gone:    make(chan struct{}),
		sampler: decoder.NewSampler(temperature, uint64(seed)),
		stopper: newStopper(c.stop),
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

// send never waits: a stream whose client does not keep up is dropped rather than the others stalled.
func (t *task) send(e event) {
	select {
	case t.events <- e:
	default:
		t.cancel()
	}
}

// taskState is a running completion in the state tree.
type taskState struct {
	TaskID       string     `json:"taskId"`
	TaskStatus   string     `json:"taskStatus"`
	InstanceID   string     `json:"instanceId"`
	CommandID    string     `json:"commandId"`
	TaskParams   taskParams `json:"taskParams"`
	ErrorType    *string    `json:"errorType"`
	ErrorMessage *string    `json:"errorMessage"`
}

type taskParams struct {
	Model           string         `json:"model"`
	Input           []inputMessage `json:"input"`
	Instructions    *string        `json:"instructions"`
	MaxOutputTokens *int           `json:"max_output_tokens"`
	Temperature     *float64       `json:"temperature"`
	Stream          bool           `json:"stream"`
	Bench           bool           `json:"bench"`
	UsePrefixCache  bool           `json:"use_prefix_cache"`
	Stop            []string       `json:"stop"`
	Seed            *int           `json:"seed"`
}

type inputMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// state describes the task; the server's lock is held.
func (t *task) state() taskState {
	c := t.chat
	p := taskParams{Model: c.model, Input: []inputMessage{}, MaxOutputTokens: c.maxTokens, Temperature: c.temperature,
		Stream: c.stream && !c.bench, Bench: c.bench, UsePrefixCache: c.prefixCache, Stop: c.stop, Seed: c.seed}
	for _, m := range c.messages {
		switch m.role {
		case "system":
			text := m.content
			if p.Instructions != nil {
				text = *p.Instructions + "\n" + text
			}
			p.Instructions = &text
		case "user", "assistant", "developer":
			p.Input = append(p.Input, inputMessage{m.role, m.content})
		}
	}
	status := "Pending"
	if t.running {
		status = "Running"
	}
	return taskState{TaskID: t.id, TaskStatus: status, InstanceID: t.runner.instanceID, CommandID: t.command, TaskParams: p}
}
