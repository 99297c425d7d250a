package embedded

import (
	"net/http"
	"slices"
	"strings"
)

// download is an entry of the node's download list; exo has one for each card it knows.
type download struct {
	NodeID         string      `json:"nodeId"`
	ShardMetadata  taggedShard `json:"shardMetadata"`
	ModelDirectory string      `json:"modelDirectory"`
	Downloaded     *memory     `json:"downloaded,omitempty"`
	Total          memory      `json:"total"`
	ReadOnly       *bool       `json:"readOnly,omitempty"`
}

// downloads lists completed models and, as exo's scan does, all other cards as pending; s.mu is held.
func (s *Server) downloads() []tagged {
	list := []tagged{}
	for _, c := range s.cards() {
		d := download{
			NodeID:         s.nodeID,
			ShardMetadata:  taggedShard{pipelineTag, shard{ModelCard: c, WorldSize: 1, EndLayer: c.NLayers, NLayers: c.NLayers}},
			ModelDirectory: "/models/" + strings.ReplaceAll(c.ModelID, "/", "--"),
		}
		if slices.Contains(s.completed, c.ModelID) {
			readOnly := false
			d.Total, d.ReadOnly = c.StorageSize, &readOnly
			list = append(list, tagged{"DownloadCompleted", d})
			continue
		}
		d.Downloaded = &memory{}
		list = append(list, tagged{"DownloadPending", d})
	}
	return list
}

// complete notes that a model is there; s.mu is held.
func (s *Server) complete(modelID string) {
	if !slices.Contains(s.completed, modelID) {
		s.completed = append(s.completed, modelID)
		s.changed()
	}
}

func (s *Server) startDownload(w http.ResponseWriter, r *http.Request) {
	f := body(r)
	f.object, _ = rekey(f.object, camel).(map[string]any)
	node := f.text("targetNodeId", true)
	raw, ok := f.value("shardMetadata", true)
	var sh taggedShard
	if ok {
		if err := strict(encode(raw), &sh); err != nil {
			f.note("value_error", f.at("shardMetadata"), "Value error, "+err.Error(), raw)
		}
	}
	if f.rejected(w) {
		return
	}
	// exo takes the command for any node and any model; where nobody acts on it, nothing happens.
	if _, known := s.model(sh.ModelCard.ModelID); known && node == s.nodeID {
		s.mu.Lock()
		s.complete(sh.ModelCard.ModelID)
		s.mu.Unlock()
	}
	writeJSON(w, http.StatusOK, map[string]string{"commandId": newID()})
}
