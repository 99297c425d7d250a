package embedded

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// instance is a placement that the node has accepted, and the runner that serves it.
type instance struct {
	placement placement
	runner    *runner // nil when the placement names no runner on this node
}

// start accepts a placement. An id that exists already is left alone, as in exo.
func (s *Server) start(p placement, m Model) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.instances[p.InstanceID] != nil || s.closed {
		return
	}
	in := &instance{placement: p}
	if id, ok := p.ShardAssignments.NodeToRunner[s.nodeID]; ok {
		in.runner = newRunner(s, id, p, m)
		s.background.Go(in.runner.run)
	}
	s.instances[p.InstanceID] = in
	s.order = append(s.order, p.InstanceID)
	s.changed()
}

// remove takes an instance out of the state and tells its runner to end.
func (s *Server) remove(id string) {
	s.mu.Lock()
	in := s.instances[id]
	if in != nil {
		delete(s.instances, id)
		s.order = slices.DeleteFunc(s.order, func(other string) bool { return other == id })
		s.changed()
	}
	s.mu.Unlock()
	if in != nil && in.runner != nil {
		in.runner.stop()
	}
}

// instancesOf gives a model's instances, oldest first.
func (s *Server) instancesOf(modelID string) []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*instance
	for _, id := range s.order {
		if in := s.instances[id]; in.placement.ShardAssignments.ModelID == modelID {
			found = append(found, in)
		}
	}
	return found
}

type accepted struct {
	Message   string    `json:"message"`
	CommandID string    `json:"command_id"`
	ModelCard modelCard `json:"model_card"`
}

func (s *Server) createInstance(w http.ResponseWriter, r *http.Request) {
	f := body(r)
	var p placement
	if raw, ok := f.value("instance", true); ok {
		var err error
		if p, err = parsePlacement(raw); err != nil {
			f.note("value_error", f.at("instance"), "Value error, "+err.Error(), raw)
		}
	}
	if f.rejected(w) {
		return
	}
	m, ok := s.model(p.ShardAssignments.ModelID)
	if !ok {
		writeCrash(w)
		return
	}
	free, err := availableMemory()
	if err != nil {
		writeCrash(w)
		return
	}
	if need := m.storageBytes(); need > free {
		const gib = 1 << 30 // exo counts in these and calls them GB
		writeError(w, http.StatusBadRequest, fmt.Sprintf("Insufficient memory to create instance. Required: %.1fGB, Available: %.1fGB",
			float64(need)/gib, float64(free)/gib))
		return
	}
	s.start(p, m)
	writeJSON(w, http.StatusOK, accepted{"Command received.", newID(), s.cardOf(m)})
}

func (s *Server) placeInstance(w http.ResponseWriter, r *http.Request) {
	f := body(r)
	id := f.text("model_id", true)
	req := placementRequest(f)
	if f.rejected(w) {
		return
	}
	m, ok := s.model(id)
	if !ok {
		writeCrash(w)
		return
	}
	// exo's master only logs a placement that it cannot make; the client hears the same either way.
	if p, err := s.place(m, req); err == nil {
		s.start(p, m)
	}
	writeJSON(w, http.StatusOK, accepted{"Command received.", newID(), s.cardOf(m)})
}

func (s *Server) getInstance(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	in := s.instances[r.PathValue("id")]
	s.mu.Unlock()
	if in == nil {
		writeError(w, http.StatusNotFound, "Instance not found")
		return
	}
	writeJSON(w, http.StatusOK, in.placement)
}

func (s *Server) deleteInstance(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	known := s.instances[id] != nil
	s.mu.Unlock()
	if !known {
		writeError(w, http.StatusNotFound, "Instance not found")
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Message    string `json:"message"`
		CommandID  string `json:"command_id"`
		InstanceID string `json:"instance_id"`
	}{"Command received.", newID(), id})
	s.remove(id)
}

type awaited struct {
	Type     string `json:"type"`
	Instance any    `json:"instance,omitempty"`
	Message  string `json:"message,omitempty"`
}

// awaitInstance waits until an instance of a model is listed, which says nothing about its runner. Its event is written by hand
// in exo, hence the other case of the keys.
func (s *Server) awaitInstance(w http.ResponseWriter, r *http.Request) {
	id, ok := queryText(w, r, "model_id")
	if !ok {
		return
	}
	seconds, ok := querySeconds(w, r, "timeout_seconds")
	if !ok {
		return
	}
	var deadline <-chan time.Time
	if seconds > 0 {
		deadline = time.After(time.Duration(seconds * float64(time.Second)))
	}
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	out := newEvents(w)
	out.keepAlive()
	alive := time.NewTicker(keepAliveEvery)
	defer alive.Stop()
	for {
		if found := s.instancesOf(id); len(found) > 0 {
			out.data(awaited{Type: "ready", Instance: rekey(tree(found[0].placement), snake)})
			return
		}
		select {
		case <-poll.C:
		case <-alive.C:
			out.keepAlive()
		case <-deadline:
			out.data(awaited{Type: "timeout", Message: "No instance found for model " + id})
			return
		case <-r.Context().Done():
			return
		}
	}
}
