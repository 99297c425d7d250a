package embedded

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// tagged is a member of one of exo's unions: {"<Tag>": {…}}. The value is not
// changed once it is made.
type tagged struct {
	tag   string
	value any
}

func (t tagged) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{t.tag: t.value})
}

// empty is the value of a tag that has no fields.
type empty struct{}

// sections returns the top-level keys of the state. A section is read when it
// is asked for: a client that polls a runner should not make the server read
// the machine's memory.
func (s *Server) sections() map[string]func() (map[string]any, error) {
	plain := func(read func() map[string]any) func() (map[string]any, error) {
		return func() (map[string]any, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return read(), nil
		}
	}
	return map[string]func() (map[string]any, error){
		"instances": plain(func() map[string]any {
			all := map[string]any{}
			for id, in := range s.instances {
				all[id] = in.placement
			}
			return all
		}),
		"runners": plain(func() map[string]any {
			all := map[string]any{}
			for id, state := range s.runners {
				all[id] = state
			}
			return all
		}),
		"downloads": plain(func() map[string]any { return map[string]any{s.nodeID: s.downloads()} }),
		"topology": plain(func() map[string]any {
			return map[string]any{"nodes": []string{s.nodeID}, "connections": empty{}}
		}),
		"nodeIdentities": plain(func() map[string]any { return map[string]any{s.nodeID: s.identity()} }),
		"nodeMemory": func() (map[string]any, error) {
			usage, err := readMemory()
			return map[string]any{s.nodeID: usage}, err
		},
		// Empty, as on a node of exo without sensors.
		"nodeSystem": plain(func() map[string]any { return map[string]any{} }),
	}
}

func (s *Server) wholeState(w http.ResponseWriter, r *http.Request) {
	all := map[string]any{}
	for name, read := range s.sections() {
		section, err := read()
		if err != nil {
			writeError(w, http.StatusInternalServerError, err.Error())
			return
		}
		all[name] = section
	}
	writeJSON(w, http.StatusOK, all)
}

func (s *Server) stateSection(w http.ResponseWriter, r *http.Request) {
	if section, ok := s.readSection(w, r); ok {
		writeJSON(w, http.StatusOK, section)
	}
}

func (s *Server) stateEntry(w http.ResponseWriter, r *http.Request) {
	section, ok := s.readSection(w, r)
	if !ok {
		return
	}
	entry, ok := section[r.PathValue("key")]
	if !ok {
		writeError(w, http.StatusNotFound, fmt.Sprintf("the state has no %s of %q", r.PathValue("section"), r.PathValue("key")))
		return
	}
	writeJSON(w, http.StatusOK, entry)
}

// readSection reads the section that a request names, or answers it.
func (s *Server) readSection(w http.ResponseWriter, r *http.Request) (map[string]any, bool) {
	name := r.PathValue("section")
	read := s.sections()[name]
	if read == nil {
		writeError(w, http.StatusNotFound, fmt.Sprintf("the state has no %q", name))
		return nil, false
	}
	section, err := read()
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return nil, false
	}
	return section, true
}

// download is an entry of the node's download list.
type download struct {
	NodeID         string      `json:"nodeId"`
	ShardMetadata  taggedShard `json:"shardMetadata"`
	ModelDirectory string      `json:"modelDirectory"`
	Total          memory      `json:"total"`
}

// downloads lists the models that are there: those of which an instance was
// made. s.mu is held.
func (s *Server) downloads() []tagged {
	list := []tagged{}
	for _, models := range [][]Model{s.config.Models, s.added} {
		for _, m := range models {
			if !s.complete[m.ID] {
				continue
			}
			list = append(list, tagged{"DownloadCompleted", download{
				NodeID:         s.nodeID,
				ShardMetadata:  wholeModel(m),
				ModelDirectory: "/models/" + strings.ReplaceAll(m.ID, "/", "--"),
				Total:          memory{m.storageBytes()},
			}})
		}
	}
	return list
}
