package exo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"exobench"
)

// tagged is a value of one of exo's unions: an object whose one key is the
// name of its class. What has another shape has no tag.
type tagged struct {
	tag  string
	body json.RawMessage
}

func (v *tagged) UnmarshalJSON(data []byte) error {
	*v = tagged{}
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil || len(object) != 1 {
		return nil
	}
	for tag, body := range object {
		*v = tagged{tag, body}
	}
	return nil
}

// size is exo's Memory: {"inBytes":n}, or {"in_bytes":n} where exo does not
// serialise by alias.
type size exobench.Bytes

func (s *size) UnmarshalJSON(data []byte) error {
	var memory struct {
		Camel *float64 `json:"inBytes"`
		Snake *float64 `json:"in_bytes"`
	}
	if err := json.Unmarshal(data, &memory); err != nil {
		return err
	}
	switch {
	case memory.Camel != nil:
		*s = size(*memory.Camel)
	case memory.Snake != nil:
		*s = size(*memory.Snake)
	default:
		*s = 0
	}
	return nil
}

// instance is a model's placement, asked for or running.
type instance struct {
	raw      json.RawMessage // as exo wrote it
	id       string
	model    string
	meta     string // MlxRing, MlxJaccl
	sharding string // Pipeline, Tensor
	nodes    []string
	runners  []string
	layers   map[string]int // by runner
	// shards are the nodes' parts of the model, as exo wrote them.
	shards map[string]json.RawMessage
}

// placement says how the model is spread, such as "Pipeline/MlxRing/1 node".
func (i instance) placement() string {
	return fmt.Sprintf("%s/%s/%s", i.sharding, i.meta, nodesText(len(i.nodes)))
}

func nodesText(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}

// parseInstance reads a tagged instance. What it is comes from its tags alone:
// a preview's own label says what was asked, and that can be something else.
func parseInstance(raw json.RawMessage) (instance, error) {
	var outer tagged
	var inner struct {
		ID          string `json:"instanceId"`
		Assignments struct {
			Model   string                     `json:"modelId"`
			Shards  map[string]json.RawMessage `json:"runnerToShard"`
			Runners map[string]string          `json:"nodeToRunner"`
		} `json:"shardAssignments"`
	}
	if err := json.Unmarshal(raw, &outer); err != nil {
		return instance{}, err
	}
	if outer.tag == "" {
		return instance{}, fmt.Errorf("an instance without a tag")
	}
	if err := json.Unmarshal(outer.body, &inner); err != nil {
		return instance{}, fmt.Errorf("read %s: %w", outer.tag, err)
	}
	parsed := instance{
		raw:     bytes.Clone(raw),
		id:      inner.ID,
		model:   inner.Assignments.Model,
		meta:    strings.TrimSuffix(outer.tag, "Instance"),
		nodes:   slices.Sorted(maps.Keys(inner.Assignments.Runners)),
		runners: slices.Sorted(maps.Keys(inner.Assignments.Shards)),
		layers:  make(map[string]int),
		shards:  make(map[string]json.RawMessage),
	}
	for node, runner := range inner.Assignments.Runners {
		parsed.shards[node] = inner.Assignments.Shards[runner]
	}
	for runner, raw := range inner.Assignments.Shards {
		var shard tagged
		var span struct {
			Start int `json:"startLayer"`
			End   int `json:"endLayer"`
		}
		if err := json.Unmarshal(raw, &shard); err != nil {
			return instance{}, err
		}
		if err := json.Unmarshal(shard.body, &span); err != nil {
			return instance{}, fmt.Errorf("read %s: %w", shard.tag, err)
		}
		parsed.sharding = strings.TrimSuffix(shard.tag, "ShardMetadata")
		parsed.layers[runner] = span.End - span.Start
	}
	if parsed.id == "" || len(parsed.runners) == 0 || len(parsed.nodes) == 0 {
		return instance{}, fmt.Errorf("%s without an id, a runner or a node", outer.tag)
	}
	return parsed, nil
}
