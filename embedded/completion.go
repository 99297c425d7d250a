package embedded

import (
	"net/http"
	"strings"
	"time"
)

func (s *Server) chatCompletions(w http.ResponseWriter, r *http.Request)  { s.completion(w, r, false) }
func (s *Server) benchCompletions(w http.ResponseWriter, r *http.Request) { s.completion(w, r, true) }

// completion answers a chat request.
func (s *Server) completion(w http.ResponseWriter, r *http.Request, bench bool) {
	c := &chat{bench: bench}
	if !readJSON(w, r, c) {
		return
	}
	if err := c.validate(); err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	runner := s.leastLoaded(c.Model)
	if runner == nil {
		writeError(w, http.StatusNotFound, "No instance found for model "+c.Model)
		return
	}
	t := newTask(c)
	s.mu.Lock()
	s.commands[t.command] = t
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.commands, t.command)
		s.mu.Unlock()
	}()
	runner.submit(t)
	if c.Stream {
		stream(w, r, t)
	} else {
		collect(w, r, t)
	}
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
	writeJSON(w, http.StatusOK, accepted{Message: "Command cancelled.", CommandID: id})
}

// delta is the text that an answer has, or that one of its chunks adds.
type delta struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// body is an answer that does not stream.
type body struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []bodyChoice `json:"choices"`
	Usage   usage        `json:"usage"`
	Stats   *stats       `json:"generation_stats,omitempty"`
}

type bodyChoice struct {
	Index        int    `json:"index"`
	Message      delta  `json:"message"`
	FinishReason string `json:"finish_reason"`
}

// collect answers a request that does not stream, when the text is whole.
func collect(w http.ResponseWriter, r *http.Request, t *task) {
	var text strings.Builder
	for {
		select {
		case e := <-t.events:
			text.WriteString(e.text)
			switch {
			case e.failure != "":
				writeError(w, http.StatusInternalServerError, e.failure)
				return
			case e.ending != nil:
				writeJSON(w, http.StatusOK, t.body(text.String(), e.ending))
				return
			}
		case <-t.gone:
			writeError(w, http.StatusInternalServerError, "the request was canceled, or its instance deleted")
			return
		case <-r.Context().Done():
			t.cancel()
			return
		}
	}
}

func (t *task) body(text string, end *ending) body {
	b := body{
		ID: t.command, Object: "chat.completion", Created: time.Now().Unix(), Model: t.chat.Model,
		Choices: []bodyChoice{{Message: delta{"assistant", text}, FinishReason: end.reason}},
		Usage:   end.usage,
	}
	if t.chat.bench {
		b.Stats = &end.stats
	}
	return b
}
