package wire

import (
	"encoding/json"
	"time"

	"exobench"
)

// ollamaTerminator names the end of a whole stream. Ollama cuts a model off
// that writes one token more than 30 times in a row, and then ends the stream
// as if nothing had happened.
const ollamaTerminator = `a line with "done" (Ollama ends it so when a model writes one token over 30 times in a row)`

// ollamaChunk is a line of Ollama's /api/chat stream, as far as it is measured.
// The figures stand in the last line, durations in nanoseconds; a figure of 0
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

// ollamaLine takes one line of an Ollama stream.
func (s *stream) ollamaLine(line []byte, at exobench.Instant, whole bool) {
	if len(line) == 0 || s.done {
		return
	}
	if !s.full && s.quick.ollama(line) {
		s.stream = true
		s.begin(line, at)
		s.take(&s.quick, at)
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
	s.begin(line, at)
	if chunk.Model != "" {
		s.record.ServerModel = chunk.Model
	}
	// The last line may carry output too: text that was held back.
	s.output(at, len(chunk.Message.Content), len(chunk.Message.Thinking)+lengths(chunk.Message.ToolCalls))
	if chunk.Done {
		s.done = true
		s.record.Done, s.record.FinishReason = at, chunk.DoneReason
		s.record.Server = chunk.stats()
	}
}

// stats returns the statistics of the last line. Ollama gives counts and
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
