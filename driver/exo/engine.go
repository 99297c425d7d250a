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
	"sync/atomic"
	"time"

	"exobench"
	"exobench/driver/api"
	"exobench/driver/marks"
	"exobench/resource"
)

// Why there is no exo to drive; each error of Open wraps one of them, is about an
// exo that is not ready, or is a UsageError.
var (
	// ErrUnreachable: nothing answers at the address.
	ErrUnreachable = errors.New("unreachable")
	// ErrNotExo: what answers there is something else.
	ErrNotExo = errors.New("not an exo")
	// ErrLegacy: an exo of the 0.0.x line answers.
	ErrLegacy = errors.New("legacy exo")
)

// Engine is one exo cluster, reached through one of its nodes.
type Engine struct {
	config  config
	api     *api.Client
	nodes   []clusterNode
	marks   *marks.Marks
	watched watched
	asked   asked
	// bare is set where exo knew of no sensors of its nodes when nothing was under
	// way.
	bare atomic.Bool

	// own follows the process that listens; nil where exobench started the engine
	// and knows it. seen is set where it runs on this host and could be found.
	own  *resource.Listening
	seen bool

	mu sync.Mutex // of what follows
	// listens is exo's own process as it was seen last; 0 where it was not.
	listens int
	// earlier are the processes that exo had started before it was asked for the
	// instance that was made last; nil where they are unknown.
	earlier map[int]bool
	// observed are the observations to be told, and told those that have been, of
	// the model at hand.
	observed []string
	told     map[string]bool
	// percents are the nodes that tell the use of their GPU in per cent.
	percents map[string]bool
}

// clusterNode is one machine of the cluster.
type clusterNode struct {
	id string
	// name is what its owner calls it, chip what it is; each is empty where exo
	// does not know.
	name, chip string
	// memory and available are its RAM as exo saw it when it was reached.
	memory, available exobench.Bytes
}

// dial finds out whether an exo answers and waits until it knows its nodes, as
// it does some seconds after its start. It takes no longer than about 13 s.
func dial(ctx context.Context, config config) (*Engine, error) {
	client, err := config.client()
	if err != nil {
		return nil, err
	}
	e := &Engine{config: config, api: client, marks: marks.New(config.marks, client.Address())}
	if err := e.identify(ctx); err != nil {
		return nil, err
	}
	if err := e.awaitNodes(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// identify tells an exo from anything else by /node_id, which is a JSON string
// there and nowhere else.
func (e *Engine) identify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.pace.probe)
	defer cancel()
	got, err := e.api.Send(ctx, http.MethodGet, "/node_id", nil)
	if err != nil {
		return e.unreachable(err)
	}
	var id string
	if got.Status == http.StatusOK && json.Unmarshal(got.Body, &id) == nil && id != "" {
		return nil
	}
	var health struct {
		Status string `json:"status"`
	}
	legacy, err := e.api.Send(ctx, http.MethodGet, "/healthcheck", nil)
	if err == nil && legacy.Status == http.StatusOK && json.Unmarshal(legacy.Body, &health) == nil && health.Status == "ok" {
		return fmt.Errorf("%w 0.0.x at %s (it answers /healthcheck): name it with --engine exo-legacy", ErrLegacy, e.api.Base())
	}
	return fmt.Errorf("%s answers, but is %w: %s", e.api.Base(), ErrNotExo, e.describe(ctx, got))
}

func (e *Engine) unreachable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("exo at %s is %w: no answer within %v", e.api.Base(), ErrUnreachable, e.config.pace.probe)
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("look for exo at %s: %w", e.api.Base(), context.Canceled)
	}
	return fmt.Errorf("exo at %s is %w: %s", e.api.Base(), ErrUnreachable, api.Reason(errors.Unwrap(err)))
}

// describe says what was seen in the place of an exo.
func (e *Engine) describe(ctx context.Context, got api.Answer) string {
	if err := e.api.Refusal(http.MethodGet, "/node_id", got); api.Elsewhere(err) {
		return err.Error()
	}
	server := got.Header.Get("Server")
	seen := fmt.Sprintf("GET /node_id gives HTTP %d", got.Status)
	if strings.Contains(strings.ToLower(server), "llama.cpp") {
		return "a llama-server (" + seen + ")"
	}
	root, err := e.api.Send(ctx, http.MethodGet, "/", nil)
	if err == nil && strings.Contains(string(root.Body), "Ollama is running") {
		return "an Ollama (" + seen + ")"
	}
	if server != "" {
		seen += " from the server " + server
	}
	return seen + ": " + api.Problem(got.Status, got.Body)
}

// awaitNodes waits until exo knows at least one node and its memory; without
// them it places nothing.
func (e *Engine) awaitNodes(ctx context.Context) error {
	deadline := time.Now().Add(e.config.pace.ready)
	for {
		nodes, err := e.readNodes(ctx)
		if err == nil && len(nodes) > 0 {
			e.nodes = nodes
			return nil
		}
		if time.Now().After(deadline) {
			if err != nil {
				return fmt.Errorf("ask exo for its nodes: %w", err)
			}
			return fmt.Errorf("exo at %s answers, but knows no node with memory after %v: is its worker running?",
				e.api.Base(), e.config.pace.ready)
		}
		if err := api.Pause(ctx, e.config.pace.poll); err != nil {
			return fmt.Errorf("wait for exo's nodes: %w", err)
		}
	}
}

// readNodes returns the nodes that report their memory. Identities alone name
// no live nodes: exo keeps those of nodes that left.
func (e *Engine) readNodes(ctx context.Context) ([]clusterNode, error) {
	var identities map[string]struct {
		Chip string `json:"chipId"`
		Name string `json:"friendlyName"`
	}
	if err := e.api.Get(ctx, "/state/nodeIdentities", &identities); err != nil {
		return nil, err
	}
	memory, err := e.nodeMemory(ctx)
	if err != nil || len(identities) == 0 {
		return nil, err
	}
	var nodes []clusterNode
	for _, id := range slices.Sorted(maps.Keys(memory)) {
		known := identities[id]
		nodes = append(nodes, clusterNode{
			id: id, name: knownText(known.Name), chip: knownText(known.Chip),
			memory: exobench.Bytes(memory[id].Total), available: exobench.Bytes(memory[id].Available),
		})
	}
	tellApart(nodes)
	return nodes, nil
}

// tellApart adds the end of the id to names that several nodes have, such as
// that of a kind of machine.
func tellApart(nodes []clusterNode) {
	count := map[string]int{}
	for _, n := range nodes {
		count[n.name]++
	}
	for i, n := range nodes {
		if n.name != "" && count[n.name] > 1 {
			nodes[i].name = fmt.Sprintf("%s (%s)", n.name, n.id[max(0, len(n.id)-6):])
		}
	}
}

// knownText drops exo's words for what it does not know.
func knownText(text string) string {
	if strings.HasPrefix(text, "Unknown") {
		return ""
	}
	return text
}

// nodeName returns what people call a node.
func (e *Engine) nodeName(id string) string {
	for _, node := range e.nodes {
		if node.id == id && node.name != "" {
			return node.name
		}
	}
	return id
}
