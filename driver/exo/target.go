package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"exobench"
)

// Why Dial found no exo to drive; each of its errors wraps one of them, or is
// about an exo that is not ready.
var (
	// ErrUnreachable: nothing answers at the address.
	ErrUnreachable = errors.New("unreachable")
	// ErrNotExo: what answers there is something else.
	ErrNotExo = errors.New("not an exo")
	// ErrLegacy: an exo of the 0.0.x line answers.
	ErrLegacy = errors.New("legacy exo")
)

// Target is one exo cluster, reached through one of its nodes. Its methods may
// be called concurrently, but Prepare and Release only one after the other.
type Target struct {
	config         Config
	sharding, meta string
	nodes          []Node

	mu       sync.Mutex
	deployed bool
	// counted are the nodes whose memory a reading sums.
	counted []string
}

// Node is one machine of the cluster.
type Node struct {
	ID string
	// Name is what its owner calls it, Machine and Chip what it is; each is
	// empty where exo does not know.
	Name, Machine, Chip string
	// Memory and Available are its RAM as exo saw it when the target was dialled.
	Memory, Available exobench.Bytes
}

// Dial finds out whether an exo answers at config.URL and waits until it knows
// its nodes, as it does some seconds after its start. It takes no longer than
// about 13 s.
func Dial(ctx context.Context, config Config) (*Target, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	t := &Target{config: config.withDefaults()}
	t.sharding, _ = canonicalSharding(config.Sharding)
	t.meta, _ = canonicalMeta(config.InstanceMeta)
	if err := t.identify(ctx); err != nil {
		return nil, err
	}
	if err := t.awaitNodes(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// identify tells an exo from anything else by /node_id, which is a JSON string
// there and nowhere else.
func (t *Target) identify(ctx context.Context) error {
	probe := t.config.pace.probe
	ctx, cancel := context.WithTimeout(ctx, probe)
	defer cancel()
	got, err := t.send(ctx, probe, http.MethodGet, "/node_id", nil)
	if err != nil {
		return t.unreachable(err)
	}
	var id string
	if got.status == http.StatusOK && json.Unmarshal(got.body, &id) == nil && id != "" {
		return nil
	}
	var health struct {
		Status string `json:"status"`
	}
	legacy, err := t.send(ctx, probe, http.MethodGet, "/healthcheck", nil)
	if err == nil && legacy.status == http.StatusOK && json.Unmarshal(legacy.body, &health) == nil && health.Status == "ok" {
		return fmt.Errorf("%w 0.0.x at %s (it answers /healthcheck): name it with --engine exo-legacy", ErrLegacy, t.config.URL)
	}
	return fmt.Errorf("%s answers, but is %w: %s", t.config.URL, ErrNotExo, t.describe(ctx, got))
}

func (t *Target) unreachable(err error) error {
	var call *CallError
	errors.As(err, &call)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("exo at %s is %w: no answer within %v", t.config.URL, ErrUnreachable, t.config.pace.probe)
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("look for exo at %s: %w", t.config.URL, context.Canceled)
	}
	return fmt.Errorf("exo at %s is %w: %s", t.config.URL, ErrUnreachable, transportText(call.Err))
}

// describe says what was seen in the place of an exo.
func (t *Target) describe(ctx context.Context, got answer) string {
	server := got.header.Get("Server")
	seen := fmt.Sprintf("GET /node_id gives HTTP %d", got.status)
	if strings.Contains(strings.ToLower(server), "llama.cpp") {
		return "a llama-server (" + seen + ")"
	}
	root, err := t.send(ctx, t.config.pace.probe, http.MethodGet, "/", nil)
	if err == nil && strings.Contains(string(root.body), "Ollama is running") {
		return "an Ollama (" + seen + ")"
	}
	if server != "" {
		seen += " from the server " + server
	}
	if isHTML(got.body) {
		return seen + ", an HTML page"
	}
	if text := []rune(oneLine(string(got.body))); len(text) > 0 {
		return fmt.Sprintf("%s, %q", seen, string(text[:min(len(text), 80)]))
	}
	return seen
}

// awaitNodes waits until exo knows at least one node and its memory; without
// them it places nothing.
func (t *Target) awaitNodes(ctx context.Context) error {
	deadline := time.Now().Add(t.config.pace.ready)
	for {
		nodes, err := t.readNodes(ctx)
		if err == nil && len(nodes) > 0 {
			t.nodes = nodes
			return nil
		}
		if time.Now().After(deadline) {
			if err != nil {
				return fmt.Errorf("ask exo for its nodes: %w", err)
			}
			return fmt.Errorf("exo at %s answers, but knows no node with memory after %v: is its worker running?",
				t.config.URL, t.config.pace.ready)
		}
		if err := pause(ctx, t.config.PollInterval); err != nil {
			return fmt.Errorf("wait for exo's nodes: %w", err)
		}
	}
}

// readNodes returns the nodes that report their memory. Identities alone name
// no live nodes: exo keeps those of nodes that left.
func (t *Target) readNodes(ctx context.Context) ([]Node, error) {
	var identities map[string]struct {
		Machine string `json:"modelId"`
		Chip    string `json:"chipId"`
		Name    string `json:"friendlyName"`
	}
	if err := t.get(ctx, "/state/nodeIdentities", &identities); err != nil {
		return nil, err
	}
	memory, err := t.nodeMemory(ctx)
	if err != nil || len(identities) == 0 {
		return nil, err
	}
	var nodes []Node
	for _, id := range slices.Sorted(maps.Keys(memory)) {
		known := identities[id]
		nodes = append(nodes, Node{
			ID:   id,
			Name: knownText(known.Name), Machine: knownText(known.Machine), Chip: knownText(known.Chip),
			Memory: exobench.Bytes(memory[id].Total), Available: exobench.Bytes(memory[id].Available),
		})
	}
	return nodes, nil
}

// knownText drops exo's words for what it does not know.
func knownText(text string) string {
	if strings.HasPrefix(text, "Unknown") {
		return ""
	}
	return text
}

// Nodes returns the nodes that the cluster had when the target was dialled.
func (t *Target) Nodes() []Node { return slices.Clone(t.nodes) }

// nodeName returns what people call a node.
func (t *Target) nodeName(id string) string {
	for _, node := range t.nodes {
		if node.ID == id && node.Name != "" {
			return node.Name
		}
	}
	return id
}
