package embedded

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sections are the top-level keys of the state. nodeSystem is empty, as on an exo node without macmon.
var sections = []string{"instances", "runners", "downloads", "tasks", "lastSeen", "topology", "lastEventAppliedIdx", "nodeIdentities",
	"nodeMemory", "nodeDisk", "nodeSystem", "nodeNetwork", "nodeThunderbolt", "nodeThunderboltBridge", "nodeRdmaCtl", "nodeBackends",
	"thunderboltBridgeCycles", "instanceLinks", "prefillServerPorts", "customModelCards"}

// section gives one key's value. A value is built when it is asked for: a client that polls a runner should not make the server
// read the machine's memory.
func (s *Server) section(name string) (any, error) {
	switch name {
	case "nodeMemory":
		m, err := readMemory()
		return map[string]memoryUsage{s.nodeID: m}, err
	case "nodeIdentities":
		return map[string]nodeIdentity{s.nodeID: s.identity()}, nil
	case "nodeBackends":
		return map[string][]string{s.nodeID: {"MlxCpu"}}, nil
	case "topology":
		return map[string]any{"nodes": []string{s.nodeID}, "connections": empty{}}, nil
	case "lastSeen":
		return map[string]string{s.nodeID: time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")}, nil
	case "thunderboltBridgeCycles":
		return []any{}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case "instances":
		all := map[string]placement{}
		for id, in := range s.instances {
			all[id] = in.placement
		}
		return tree(all), nil
	case "runners":
		return tree(s.runners), nil
	case "downloads":
		return map[string]any{s.nodeID: tree(s.downloads())}, nil
	case "tasks":
		return tree(s.tasks()), nil
	case "lastEventAppliedIdx":
		return s.events, nil
	case "customModelCards":
		all := map[string]modelCard{}
		for _, m := range s.custom {
			all[m.ID] = card(m, true)
		}
		return all, nil
	}
	return empty{}, nil
}

// tasks gives the running completions by task id; s.mu is held.
func (s *Server) tasks() map[string]tagged {
	all := map[string]tagged{}
	for _, t := range s.commands {
		all[t.id] = tagged{"TextGeneration", t.state()}
	}
	return all
}

// state answers with the whole state, or with what a path leads to. A path goes through keys and list indexes; as in exo, what
// is left of it at a plain value is ignored.
func (s *Server) state(w http.ResponseWriter, r *http.Request) {
	path := r.PathValue("path")
	steps := slices.DeleteFunc(strings.Split(path, "/"), func(p string) bool { return p == "" })
	if len(steps) == 0 {
		s.wholeState(w)
		return
	}
	var v any
	found := slices.Contains(sections, steps[0])
	if found {
		section, err := s.section(steps[0])
		if err != nil {
			writeCrash(w)
			return
		}
		v, found = walk(tree(section), steps[1:])
	}
	if !found {
		writeError(w, http.StatusNotFound, "unable to find path '"+strings.ReplaceAll(path, "/", ".")+"' in state json")
		return
	}
	writeJSON(w, http.StatusOK, v)
}

func (s *Server) wholeState(w http.ResponseWriter) {
	all := map[string]any{}
	for _, name := range sections {
		v, err := s.section(name)
		if err != nil {
			writeCrash(w)
			return
		}
		all[name] = v
	}
	writeJSON(w, http.StatusOK, all)
}

func walk(v any, steps []string) (any, bool) {
	for _, step := range steps {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if i < 0 {
				i += len(at)
			}
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		}
	}
	return v, true
}
