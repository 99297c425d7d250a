package embedded

import (
	"fmt"
	"net/http"
	"slices"

	"exobench/internal/panics"
)

// instance is a placement that the node has accepted, and the runner that
// serves it.
type instance struct {
	placement placement
	runner    *runner
}

// start accepts a placement. An id that exists already is left alone.
func (s *Server) start(p placement, m Model) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.instances[p.InstanceID] != nil || s.closed {
		return
	}
	in := &instance{p, newRunner(s, p.ShardAssignments.NodeToRunner[s.nodeID], m)}
	s.background.Go(panics.Caught(in.runner.run))
	s.instances[p.InstanceID] = in
	s.order = append(s.order, p.InstanceID)
}

// remove takes an instance out of the state, tells its runner to end, and
// reports whether there was one.
func (s *Server) remove(id string) bool {
	s.mu.Lock()
	in := s.instances[id]
	if in != nil {
		delete(s.instances, id)
		s.order = slices.DeleteFunc(s.order, func(other string) bool { return other == id })
	}
	s.mu.Unlock()
	if in == nil {
		return false
	}
	in.runner.stop()
	return true
}

// leastLoaded returns the runner of a model with the fewest tasks, the oldest
// of equals, or nil. One that is not ready yet makes its tasks wait.
func (s *Server) leastLoaded(modelID string) *runner {
	s.mu.Lock()
	defer s.mu.Unlock()
	var best *runner
	for _, id := range s.order {
		r := s.instances[id].runner
		if r.model.ID == modelID && (best == nil || r.inFlight() < best.inFlight()) {
			best = r
		}
	}
	return best
}

// accepted is exo's answer to a command.
type accepted struct {
	Message    string `json:"message"`
	CommandID  string `json:"command_id"`
	InstanceID string `json:"instance_id,omitempty"`
}

func (s *Server) createInstance(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Instance placement `json:"instance"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	id := body.Instance.ShardAssignments.ModelID
	m, ok := s.model(id)
	if !ok {
		writeError(w, http.StatusBadRequest, fmt.Sprintf("the node has no card for model %q", id))
		return
	}
	if err := s.ours(body.Instance, m); err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := fits(m); err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	s.start(body.Instance, m)
	writeJSON(w, http.StatusOK, accepted{Message: "Command received.", CommandID: newID()})
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
	if !s.remove(id) {
		writeError(w, http.StatusNotFound, "Instance not found")
		return
	}
	writeJSON(w, http.StatusOK, accepted{"Command received.", newID(), id})
}
