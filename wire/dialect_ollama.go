package wire

import (
	"encoding/json"
	"time"

	"exobench"
)

// Ollama is the dialect of Ollama's /api/chat: one JSON object a line, the
// figures in the last one.
type Ollama struct{}

// Accept returns the media type of JSON lines.
func (Ollama) Accept() string { return "application/x-ndjson" }

// Ends names the last line. Ollama cuts a model off that writes one token more
// than 30 times in a row, and then ends the stream as if nothing had happened.
func (Ollama) Ends() string {
	return `a line with "done" (Ollama ends it so when a model writes one token over 30 times in a row)`
}

func (Ollama) lineEnds() int { return 1 }

func (Ollama) read(into *stream) reader { return &ollamaReader{stream: into} }

// ollamaReader reads an answer of Ollama's dialect.
type ollamaReader struct {
	stream *stream
	quick  quick
	server *exobench.ServerStats // of the last line
}

func (r *ollamaReader) line(line []byte, at exobench.Instant, whole bool) {
	s := r.stream
	if len(line) == 0 || s.over {
		return
	}
	if !s.slow && r.quick.ollama(line) {
		s.framed = true
		s.begin(at)
		s.named(nil, r.quick.model)
		c := &r.quick.choices[0]
		s.output(at, c.answer(), c.other())
		return
	}
	var chunk ollamaChunk
	if err := json.Unmarshal(line, &chunk); err != nil {
		s.notJSON(line, err, whole)
		return
	}
	s.framed = true
	if s.failed(chunk.Error) {
		return
	}
	s.begin(at)
	s.named(nil, []byte(chunk.Model))
	// The last line may carry output too: text that was held back.
	s.output(at, len(chunk.Message.Content), len(chunk.Message.Thinking)+lengths(chunk.Message.ToolCalls))
	if chunk.Done {
		s.finished(chunk.DoneReason, at)
		s.ended()
		r.server = chunk.stats()
	}
}

func (r *ollamaReader) end() {
	if r.server != nil {
		r.stream.record.Server = r.server
	}
}

// ollamaChunk is a line of a stream, as far as it is measured. The figures stand in the last line, durations in nanoseconds; a figure of 0
// is left out.
type ollamaChunk struct {
	Model   string `json:"model"`
	Message struct {
		Content   string            `json:"content"`
		Thinking  string            `json:"thinking"`
		ToolCalls []json.RawMessage `json:"tool_calls"`
	} `json:"message"`
	Done bool `json:"done"`
	// DoneReason is "stop" or "length", absent where the runner was stopped;
	// "load" and "unload" answer requests without messages.
	DoneReason string          `json:"done_reason"`
	Error      json.RawMessage `json:"error"`

	LoadDuration time.Duration `json:"load_duration"`
	// PromptEvalCount is the whole prompt, with what came from the cache, since
	// Ollama 0.3.14; before, it left that out, and was missing where all of it
	// came from there. PromptEvalDuration never covers what came from the cache.
	PromptEvalCount    *exobench.Tokens `json:"prompt_eval_count"`
	PromptEvalDuration time.Duration    `json:"prompt_eval_duration"`
	// EvalCount has the end-of-sequence token, where that ended the answer.
	// EvalDuration begins when the first token is there.
	EvalCount    *exobench.Tokens `json:"eval_count"`
	EvalDuration time.Duration    `json:"eval_duration"`
}

// stats returns the statistics of the last line. Ollama has counts and
// durations; of its output rate, the first token is no part, since its duration
// is none.
func (c *ollamaChunk) stats() *exobench.ServerStats {
	stats := &exobench.ServerStats{
		PrefillTPS: perSecond(c.PromptEvalCount, c.PromptEvalDuration), PromptTokens: c.PromptEvalCount,
		OutputTokens: c.EvalCount,
		LoadTime:     c.LoadDuration,
	}
	if c.EvalCount != nil && *c.EvalCount > 1 {
		stats.DecodeTPS = perSecond(new(*c.EvalCount-1), c.EvalDuration)
	}
	return stats
}

func perSecond(n *exobench.Tokens, d time.Duration) *float64 {
	if n == nil || d <= 0 {
		return nil
	}
	return new(float64(*n) / d.Seconds())
}

// ollama reads a line of Ollama's before the last, with one choice, and reports
// whether it could.
func (q *quick) ollama(text []byte) bool {
	*q = quick{n: 1}
	q.Reset(text)
	for key := range q.Object {
		switch string(key) {
		case "model":
			q.name(&q.model)
		case "message":
			q.ollamaMessage(&q.choices[0])
		case "done":
			q.Literal("false")
		case "done_reason", "error", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration":
			q.Fail()
		default:
			q.Skip()
		}
	}
	return q.End()
}

func (q *quick) ollamaMessage(c *quickChoice) {
	for key := range q.Object {
		switch string(key) {
		case "content":
			q.length(&c.content)
		case "thinking":
			q.length(&c.reasoning)
		case "tool_calls":
			q.lengths(&c.toolCalls)
		default:
			q.Skip()
		}
	}
}
