package embedded

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// gathered is a completion collected to its end.
type gathered struct {
	text   string
	ending *ending
	first  time.Time // of the first token
}

// gather collects a task's tokens. It gives false when the task fails, is canceled, or the context ends first.
func gather(ctx context.Context, t *task) (gathered, bool) {
	var g gathered
	var text strings.Builder
	for {
		select {
		case e := <-t.events:
			if e.failure != "" {
				return g, false
			}
			if e.progress != nil {
				continue
			}
			if g.first.IsZero() {
				g.first = time.Now()
			}
			text.WriteString(e.text)
			if e.ending != nil {
				g.text, g.ending = text.String(), e.ending
				return g, true
			}
		case <-t.gone:
			return g, false
		case <-ctx.Done():
			t.cancel()
			return g, false
		}
	}
}

// collect answers a plain request that does not stream. exo has sent the headers before the work begins, so that whatever goes
// wrong the client gets 200 with an empty body.
func (s *Server) collect(w http.ResponseWriter, r *http.Request, t *task) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	g, ok := gather(r.Context(), t)
	if !ok {
		return
	}
	type choice struct {
		Index        int    `json:"index"`
		Message      delta  `json:"message"`
		FinishReason string `json:"finish_reason"`
	}
	_, _ = w.Write(encode(struct {
		ID      string   `json:"id"`
		Object  string   `json:"object"`
		Created int64    `json:"created"`
		Model   string   `json:"model"`
		Choices []choice `json:"choices"`
		Usage   usage    `json:"usage"`
	}{t.command, "chat.completion", time.Now().Unix(), t.chat.model, []choice{{0, delta{"assistant", g.text}, g.ending.reason}}, g.ending.usage}))
}

// benchMessage has the nulls that exo writes out in this form.
type benchMessage struct {
	Role             string  `json:"role"`
	Content          string  `json:"content"`
	ReasoningContent *string `json:"reasoning_content"`
	Name             *string `json:"name"`
	ToolCalls        []any   `json:"tool_calls"`
	ToolCallID       *string `json:"tool_call_id"`
	FunctionCall     any     `json:"function_call"`
}

type benchChoice struct {
	Index        int          `json:"index"`
	Message      benchMessage `json:"message"`
	Logprobs     any          `json:"logprobs"`
	FinishReason string       `json:"finish_reason"`
}

type benchBody struct {
	ID              string        `json:"id"`
	Object          string        `json:"object"`
	Created         int64         `json:"created"`
	Model           string        `json:"model"`
	Choices         []benchChoice `json:"choices"`
	Usage           *usage        `json:"usage"`
	ServiceTier     *string       `json:"service_tier"`
	GenerationStats stats         `json:"generation_stats"`
	PowerUsage      power         `json:"power_usage"`
}

// collectBench answers a benchmark request that does not stream. As in exo, it does not notice that the client has gone, and
// the cause of a failure is lost.
func (s *Server) collectBench(w http.ResponseWriter, t *task) {
	from := time.Now()
	g, ok := gather(context.Background(), t)
	if !ok {
		writeCrash(w)
		return
	}
	writeJSON(w, http.StatusOK, benchBody{
		ID:              t.command,
		Object:          "chat.completion",
		Created:         time.Now().Unix(),
		Model:           t.chat.model,
		Choices:         []benchChoice{{Message: benchMessage{Role: "assistant", Content: g.text}, FinishReason: g.ending.reason}},
		GenerationStats: g.ending.stats,
		PowerUsage:      unmeasured(g.first.Sub(from), time.Since(from)),
	})
}
