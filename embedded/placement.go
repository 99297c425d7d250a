package embedded

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

const (
	ringTag     = "MlxRingInstance"
	jacclTag    = "MlxJacclInstance"
	pipelineTag = "PipelineShardMetadata"
)

// shard is the part of a model that one runner holds.
type shard struct {
	ModelCard          modelCard `json:"modelCard"`
	DeviceRank         int       `json:"deviceRank"`
	WorldSize          int       `json:"worldSize"`
	ImmediateException bool      `json:"immediateException"`
	ShouldTimeout      *float64  `json:"shouldTimeout"`
	StartLayer         int       `json:"startLayer"`
	EndLayer           int       `json:"endLayer"`
	NLayers            int       `json:"nLayers"`
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

// placement is what exo calls an instance: a model, the runners that hold its shards, and how they reach each other.
type placement struct {
	tag               string
	InstanceID        string            `json:"instanceId"`
	ShardAssignments  assignments       `json:"shardAssignments"`
	HostsByNode       map[string][]host `json:"hostsByNode,omitempty"`
	EphemeralPort     int               `json:"ephemeralPort,omitempty"`
	JacclDevices      [][]*string       `json:"jacclDevices,omitempty"`
	JacclCoordinators map[string]string `json:"jacclCoordinators,omitempty"`
}

func (p placement) MarshalJSON() ([]byte, error) {
	type plain placement
	return json.Marshal(tagged{p.tag, plain(p)})
}

// taggedShard is a shard of any of exo's kinds.
type taggedShard struct {
	tag string
	shard
}

func (t taggedShard) MarshalJSON() ([]byte, error) { return json.Marshal(tagged{t.tag, t.shard}) }

// UnmarshalJSON takes a shard with or without its tag; without one it is a pipeline shard.
func (t *taggedShard) UnmarshalJSON(data []byte) error {
	var wrapped map[string]json.RawMessage
	if err := json.Unmarshal(data, &wrapped); err != nil {
		return err
	}
	t.tag = pipelineTag
	for tag, inner := range wrapped {
		if len(wrapped) == 1 && strings.HasSuffix(tag, "ShardMetadata") {
			t.tag, data = tag, inner
		}
	}
	return strict(data, &t.shard)
}

// strict decodes and refuses keys that the value does not have.
func strict(data []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// newPlacement puts a whole model on this node, as exo does on any single node: one pipeline shard in a ring of one. Its ids and
// its port are new at each call.
func (s *Server) newPlacement(m Model) placement {
	c, runner := s.cardOf(m), newID()
	port := 49152 + rand.IntN(65536-49152) // the ephemeral range
	return placement{
		tag:        ringTag,
		InstanceID: newID(),
		ShardAssignments: assignments{
			ModelID:       m.ID,
			RunnerToShard: map[string]taggedShard{runner: {pipelineTag, shard{ModelCard: c, WorldSize: 1, EndLayer: c.NLayers, NLayers: c.NLayers}}},
			NodeToRunner:  map[string]string{s.nodeID: runner},
		},
		HostsByNode:   map[string][]host{s.nodeID: {{"0.0.0.0", port}}},
		EphemeralPort: port,
	}
}

// required lists the keys that a posted instance must have.
var required = map[string][]string{
	ringTag:  {"instanceId", "shardAssignments", "hostsByNode", "ephemeralPort"},
	jacclTag: {"instanceId", "shardAssignments", "jacclDevices", "jacclCoordinators"},
}

// parsePlacement reads a posted instance: with or without its tag, in camelCase or snake_case, unknown keys refused.
func parsePlacement(v any) (placement, error) {
	object, ok := rekey(v, camel).(map[string]any)
	if !ok {
		return placement{}, fmt.Errorf("instance is not an object")
	}
	p := placement{tag: ringTag}
	if _, ok := object["jacclDevices"]; ok {
		p.tag = jacclTag
	}
	for _, tag := range []string{ringTag, jacclTag} {
		if inner, ok := object[tag].(map[string]any); ok && len(object) == 1 {
			p.tag, object = tag, inner
		}
	}
	for _, key := range required[p.tag] {
		if _, ok := object[key]; !ok {
			return placement{}, fmt.Errorf("%s has no %s", p.tag, key)
		}
	}
	type plain placement
	inner := plain(p)
	if err := strict(encode(object), &inner); err != nil {
		return placement{}, fmt.Errorf("%s: %w", p.tag, err)
	}
	p = placement(inner)
	for node, runner := range p.ShardAssignments.NodeToRunner {
		if _, ok := p.ShardAssignments.RunnerToShard[runner]; !ok {
			return placement{}, fmt.Errorf("runner %s of node %s has no shard", runner, node)
		}
	}
	return p, nil
}
