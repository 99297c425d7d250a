package embedded

import (
	"net/http"
	"time"
)

// completion answers a chat request.
func (s *Server) completion(w http.ResponseWriter, r *http.Request, bench bool) {
	f := body(r)
	c := parseChat(f, bench)
	if f.rejected(w) {
		return
	}
	in := s.leastLoaded(c.model)
	if in == nil {
		writeError(w, http.StatusNotFound, "No instance found for model "+c.model)
		return
	}
	t := newTask(c, in)
	s.mu.Lock()
	s.commands[t.command] = t
	s.changed()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.commands, t.command)
		s.changed()
		s.mu.Unlock()
	}()
	in.submit(t)
	switch {
	case c.stream:
		s.stream(w, r, t)
	case bench:
		s.collectBench(w, t)
	default:
		s.collect(w, r, t)
	}
}

// leastLoaded gives the runner of a model with the fewest tasks. One that is not ready yet makes its tasks wait, and one that
// has failed keeps them waiting, as in exo.
func (s *Server) leastLoaded(modelID string) *runner {
	var best *runner
	for _, in := range s.instancesOf(modelID) {
		if in.runner != nil && (best == nil || in.runner.inFlight() < best.inFlight()) {
			best = in.runner
		}
	}
	return best
}

func (s *Server) cancelCommand(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	t := s.commands[id]
	s.mu.Unlock()
	if t == nil {
		writeError(w, http.StatusNotFound, "Command not found or already completed")
		return
	}
	t.cancel()
	writeJSON(w, http.StatusOK, struct {
		Message   string `json:"message"`
		CommandID string `json:"command_id"`
	}{"Command cancelled.", id})
}

// streamError is exo's error inside a stream: its usual form without param.
type streamError struct {
	Error problemText `json:"error"`
}

type problemText struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    int    `json:"code"`
}

// chunk is one event of a stream. Fields that exo would write as null are left out.
type chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []chunkChoice `json:"choices"`
	Usage   *usage        `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index        int    `json:"index"`
	Delta        delta  `json:"delta"`
	FinishReason string `json:"finish_reason,omitempty"`
}

type delta struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// stream writes a task's events as they come. It ends without [DONE] when the task is canceled or its instance deleted.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, t *task) {
	out := newEvents(w)
	out.keepAlive()
	silence := time.NewTimer(keepAliveEvery)
	defer silence.Stop()
	for {
		select {
		case e := <-t.events:
			if writeEvent(out, t, e) {
				return
			}
		case <-silence.C:
			out.keepAlive()
		case <-t.gone:
			return
		case <-r.Context().Done():
			t.cancel()
			return
		}
		silence.Reset(keepAliveEvery)
	}
}

// writeEvent writes one event and says whether it was the last.
func writeEvent(out *events, t *task, e event) bool {
	switch {
	case e.progress != nil:
		out.comment("prefill_progress", tagged{"PrefillProgressChunk", e.progress})
		return false
	case e.failure != "":
		out.data(streamError{problemText{e.failure, "InternalServerError", http.StatusInternalServerError}})
		out.done()
		return true
	}
	c := chunk{ID: t.command, Object: "chat.completion", Created: time.Now().Unix(), Model: t.chat.model,
		Choices: []chunkChoice{{Delta: delta{"assistant", e.text}}}}
	if e.ending == nil {
		out.data(c)
		return false
	}
	c.Choices[0].FinishReason = e.ending.reason
	c.Usage = &e.ending.usage
	out.data(c)
	out.comment("generation_stats", snakeStats(e.ending.stats))
	out.done()
	return true
}

// snakeStats is the form of the statistics in a stream's comment.
func snakeStats(st stats) any {
	type size struct {
		InBytes int64 `json:"in_bytes"`
	}
	return struct {
		PromptTPS        float64 `json:"prompt_tps"`
		GenerationTPS    float64 `json:"generation_tps"`
		PromptTokens     int     `json:"prompt_tokens"`
		GenerationTokens int     `json:"generation_tokens"`
		PeakMemoryUsage  size    `json:"peak_memory_usage"`
		PrefixCacheHit   string  `json:"prefix_cache_hit"`
	}{st.PromptTPS, st.GenerationTPS, st.PromptTokens, st.GenerationTokens, size{st.PeakMemoryUsage.InBytes}, st.PrefixCacheHit}
}
