package wire

import (
	"encoding/json"
	"time"

	"exobench"
)

// ollamaChunk is a line of Ollama's /api/chat stream, as far as it is measured.
// The durations stand in the last line, in nanoseconds.
type ollamaChunk struct {
	Message struct {
		Content   string            `json:"content"`
		Thinking  string            `json:"thinking"`
		ToolCalls []json.RawMessage `json:"tool_calls"`
	} `json:"message"`
	Done       bool            `json:"done"`
	DoneReason string          `json:"done_reason"`
	Error      json.RawMessage `json:"error"`

	LoadDuration       time.Duration    `json:"load_duration"`
	PromptEvalCount    *exobench.Tokens `json:"prompt_eval_count"`
	PromptEvalDuration time.Duration    `json:"prompt_eval_duration"`
	EvalCount          *exobench.Tokens `json:"eval_count"`
	EvalDuration       time.Duration    `json:"eval_duration"`
}

// ollamaLine takes one line of an Ollama stream.
func (s *stream) ollamaLine(line []byte, at exobench.Instant, whole bool) {
	if len(line) == 0 || s.done {
		return
	}
	var chunk ollamaChunk
	if err := json.Unmarshal(line, &chunk); err != nil {
		if s.malformed == "" && whole {
			s.malformed = "bad JSON in the stream (" + err.Error() + "): " + oneLine(line)
		}
		return
	}
	s.stream = true
	if failure := messageOf(chunk.Error); failure != "" {
		s.failure = failure
		return
	}
	if !s.record.FirstChunk.Reached() {
		s.record.FirstChunk = at
	}
	s.output(at, len(chunk.Message.Content), len(chunk.Message.Thinking)+lengths(chunk.Message.ToolCalls))
	if chunk.Done {
		s.done = true
		s.record.Done, s.record.FinishReason = at, chunk.DoneReason
		s.record.Server = chunk.stats()
	}
}

// stats returns the statistics of the last line. Ollama's rates are plain
// quotients: count / duration.
func (c *ollamaChunk) stats() *exobench.ServerStats {
	return &exobench.ServerStats{
		PrefillTPS: perSecond(c.PromptEvalCount, c.PromptEvalDuration), PromptTokens: c.PromptEvalCount,
		DecodeTPS: perSecond(c.EvalCount, c.EvalDuration), OutputTokens: c.EvalCount,
		LoadTime: c.LoadDuration,
	}
}

func perSecond(n *exobench.Tokens, d time.Duration) *float64 {
	if n == nil || d <= 0 {
		return nil
	}
	return new(float64(*n) / d.Seconds())
}
