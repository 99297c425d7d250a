package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// ringTag names the only kind of instance that there is here.
const ringTag = "MlxRingInstance"

// shard is the part of a model that one runner holds.
type shard struct {
	ModelCard  modelCard `json:"modelCard"`
	DeviceRank int       `json:"deviceRank"`
	WorldSize  int       `json:"worldSize"`
	StartLayer int       `json:"startLayer"`
	EndLayer   int       `json:"endLayer"`
	NLayers    int       `json:"nLayers"`
}

// taggedShard is a shard with the tag of its kind, here always a pipeline's.
type taggedShard struct {
	Shard shard `json:"PipelineShardMetadata"`
}

// wholeModel returns the one shard of a model that is not split.
func wholeModel(m Model) taggedShard {
	return taggedShard{shard{ModelCard: card(m), WorldSize: 1, EndLayer: m.Shape.Layers, NLayers: m.Shape.Layers}}
}

type host struct {
	IP   string `json:"ip"`
	Port int    `json:"port"`
}

type assignments struct {
	ModelID       string                 `json:"modelId"`
	RunnerToShard map[string]taggedShard `json:"runnerToShard"`
	NodeToRunner  map[string]string      `json:"nodeToRunner"`
}

// placement is what exo calls an instance: a model, the runners that hold its
// shards, and how they reach each other.
type placement struct {
	InstanceID       string            `json:"instanceId"`
	ShardAssignments assignments       `json:"shardAssignments"`
	HostsByNode      map[string][]host `json:"hostsByNode"`
	EphemeralPort    int               `json:"ephemeralPort"`
}

func (p placement) MarshalJSON() ([]byte, error) {
	type plain placement
	return json.Marshal(tagged{ringTag, plain(p)})
}

func (p *placement) UnmarshalJSON(data []byte) error {
	type plain placement
	var tags map[string]*plain
	if err := json.Unmarshal(data, &tags); err != nil {
		return err
	}
	if len(tags) != 1 || tags[ringTag] == nil {
		return errors.New("an instance is an object with one key, " + ringTag)
	}
	*p = placement(*tags[ringTag])
	return nil
}

// newPlacement puts a whole model on this node, as exo does on any single node:
// one pipeline shard in a ring of one. Its ids and its port are new at each
// call.
func (s *Server) newPlacement(m Model) placement {
	runner := newID()
	port := 49152 + rand.IntN(65536-49152) // the ephemeral range
	return placement{
		InstanceID: newID(),
		ShardAssignments: assignments{
			ModelID:       m.ID,
			RunnerToShard: map[string]taggedShard{runner: wholeModel(m)},
			NodeToRunner:  map[string]string{s.nodeID: runner},
		},
		HostsByNode:   map[string][]host{s.nodeID: {{"0.0.0.0", port}}},
		EphemeralPort: port,
	}
}

// ours returns an error unless newPlacement might have made a posted placement.
func (s *Server) ours(p placement, m Model) error {
	shares := p.ShardAssignments
	held, here := shares.RunnerToShard[shares.NodeToRunner[s.nodeID]]
	alone := len(shares.NodeToRunner) == 1 && len(shares.RunnerToShard) == 1
	if p.InstanceID != "" && here && alone && held == wholeModel(m) {
		return nil
	}
	return errors.New("the embedded engine takes whole models on its own node only: " +
		"post an instance as /instance/previews shows it")
}

// fits returns an error when the machine has too little memory for a model.
func fits(m Model) error {
	usage, err := readMemory()
	if err != nil {
		return err
	}
	if need, free := m.storageBytes(), usage.RAMAvailable.InBytes; need > free {
		const gib = 1 << 30
		return fmt.Errorf("too little memory: the weights take %.1f GiB, and %.1f GiB are available",
			float64(need)/gib, float64(free)/gib)
	}
	return nil
}

// preview is one way to place a model, or why it cannot be placed so.
type preview struct {
	ModelID           string           `json:"model_id"`
	Sharding          string           `json:"sharding"`
	InstanceMeta      string           `json:"instance_meta"`
	Instance          *placement       `json:"instance"`
	MemoryDeltaByNode map[string]int64 `json:"memory_delta_by_node"`
	Error             *string          `json:"error"`
}

// previews answers with the one way there is to place a model.
func (s *Server) previews(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("model_id")
	m, ok := s.model(id)
	if !ok {
		writeError(w, http.StatusBadRequest, fmt.Sprintf("the node has no card for model %q", id))
		return
	}
	only := preview{ModelID: id, Sharding: "Pipeline", InstanceMeta: "MlxRing"}
	if err := fits(m); err != nil {
		only.Error = new(err.Error())
	} else {
		only.Instance = new(s.newPlacement(m))
		only.MemoryDeltaByNode = map[string]int64{s.nodeID: m.storageBytes()}
	}
	writeJSON(w, http.StatusOK, map[string][]preview{"previews": {only}})
}
