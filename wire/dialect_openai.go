package wire

import (
	"bytes"
	"encoding/json"

	"exobench"
)

// OpenAI is the dialect of OpenAI's chat completions: server-sent events of one
// JSON object each, "[DONE]" as terminator. Since any server that speaks it may
// be exo or llama.cpp, what those add is read too.
type OpenAI struct {
	// Event, where set, is called for each data event once the stream has ended,
	// with its payload, valid during the call, and its instant. Calibration
	// reads the truth from it.
	Event func(payload []byte, at exobench.Instant)
}

// Accept returns the media type of event streams.
func (OpenAI) Accept() string { return "text/event-stream" }

// Ends names the terminator.
func (OpenAI) Ends() string { return "[DONE]" }

func (OpenAI) lineEnds() int { return 2 }

func (d OpenAI) read(into *stream) reader { return &openAIReader{stream: into, event: d.Event} }

var doneMark = []byte("[DONE]")

// openAIReader reads an answer of OpenAI's dialect.
type openAIReader struct {
	stream *stream
	event  func(payload []byte, at exobench.Instant)
	quick  quick
	exo    exoStats
	llama  llamaTimings
}

func (r *openAIReader) line(line []byte, at exobench.Instant, whole bool) {
	switch name, value := fieldOf(line); name {
	case dataField:
		r.stream.framed = true
		r.data(value, at, whole)
	case commentField:
		r.stream.framed = true
		r.exo.comment(value)
	default:
		r.stream.stray(line)
	}
}

// data takes one event's payload.
func (r *openAIReader) data(payload []byte, at exobench.Instant, whole bool) {
	s := r.stream
	if bytes.Equal(payload, doneMark) {
		s.ended()
		return
	}
	if len(payload) == 0 || s.over {
		return
	}
	if !s.slow && r.quick.chat(payload) {
		r.begin(payload, at)
		r.quickly(&r.quick, at)
		return
	}
	var event chatEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		s.notJSON(payload, err, whole)
		return
	}
	r.begin(payload, at)
	if s.failed(event.Error) {
		return
	}
	r.fully(&event, at)
}

func (r *openAIReader) begin(payload []byte, at exobench.Instant) {
	if r.event != nil {
		r.event(payload, at)
	}
	r.stream.begin(at)
}

// quickly takes what was quickly read, as fully takes a chatEvent.
func (r *openAIReader) quickly(q *quick, at exobench.Instant) {
	s := r.stream
	s.named(q.id, q.model)
	s.used(q.usage)
	r.llama.take(q.timings)
	for i := range q.choices[:q.n] {
		c := &q.choices[i]
		s.output(at, c.answer(), c.other())
		if len(c.finish) > 0 {
			s.finished(string(c.finish), at)
		}
	}
}

func (r *openAIReader) fully(event *chatEvent, at exobench.Instant) {
	s := r.stream
	s.named([]byte(event.ID), []byte(event.Model))
	s.used(event.Usage)
	r.llama.take(event.Timings)
	for _, c := range event.Choices {
		d := c.Delta
		s.output(at, len(d.Content)+len(c.Text), len(d.ReasoningContent)+len(d.Reasoning)+lengths(d.ToolCalls))
		if c.FinishReason != "" {
			s.finished(c.FinishReason, at)
		}
	}
}

func (r *openAIReader) end() {
	r.exo.settle(r.stream.record)
	r.llama.settle(r.stream.record)
}

// chatEvent is a chunk of a streamed chat completion, as far as it is measured.
// quick must know each of its keys.
type chatEvent struct {
	ID      string          `json:"id"`
	Model   string          `json:"model"`
	Choices []chatChoice    `json:"choices"`
	Usage   usage           `json:"usage"`
	Error   json.RawMessage `json:"error"`
	Timings llamaTimings    `json:"timings"`
}

type chatChoice struct {
	Delta struct {
		Content          string            `json:"content"`
		ReasoningContent string            `json:"reasoning_content"`
		Reasoning        string            `json:"reasoning"`
		ToolCalls        []json.RawMessage `json:"tool_calls"`
	} `json:"delta"`
	Text         string `json:"text"`
	FinishReason string `json:"finish_reason"`
}

// lengths returns how long the texts are together.
func lengths(texts []json.RawMessage) int {
	n := 0
	for _, text := range texts {
		n += len(text)
	}
	return n
}
