package exo

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench"
	"exobench/driver/drivertest"
)

const gib = 1 << 30

// double plays exo's HTTP API over a real socket: what it answers is state
// that a test sets, and what a loading instance goes through is walk, of which
// each look at an instance takes one step. It knows no time of its own.
type double struct {
	t      *testing.T
	server *httptest.Server

	mu        sync.Mutex
	cards     []string                   // entries of /models
	nodes     map[string]string          // name by id; all of them have 8 of 16 GiB free
	sensors   map[string]string          // nodeSystem entry by node id
	instances map[string]json.RawMessage // by id
	runners   map[string]string          // state by runner id
	tasks     map[string]string          // by id
	downloads map[string]string          // list by node id
	previews  []string                   // answers to /instance/previews; the last one stays
	walk      []func()
	// fetch and looks are walks too, of which each look at what a node has
	// downloaded, and at all runners, takes one step.
	fetch, looks []func()
	// fetches makes it take the command to download; fetched is the last one.
	fetches bool
	fetched []byte
	sizes   map[string]string // nodeMemory entry by node id, where not the usual
	gzip    bool              // it compresses what is long, where it may
	log     []string          // the calls that change something
	posted  []byte            // the last body of POST /instance
	// answers override what a call ("POST /instance") gives: status and body.
	answers map[string]func(w http.ResponseWriter)
	// undeletable instances take the command and stay.
	undeletable bool
	// onCreate runs when an instance was created; nil puts it in place.
	onCreate func(id string, raw json.RawMessage)
}

func newDouble(t *testing.T) *double {
	d := &double{
		t:         t,
		cards:     []string{card("mlx-community/Tiny-1B-4bit")},
		nodes:     map[string]string{"n1": "studio-1"},
		instances: map[string]json.RawMessage{},
		runners:   map[string]string{},
		downloads: map[string]string{},
		answers:   map[string]func(http.ResponseWriter){},
		previews:  []string{previews(preview1("i-1", "mlx-community/Tiny-1B-4bit"))},
	}
	d.server = httptest.NewServer(d)
	t.Cleanup(d.server.Close)
	return d
}

// quick is a configuration whose waits suit a double.
func (d *double) quick() config {
	return config{
		label: "exo", url: d.server.URL, env: drivertest.Env(d.t), minNodes: 1, maxNodes: 1,
		children: func(context.Context, int) ([]int, error) { return nil, nil },
		started:  func(_ context.Context, pid int) (uint64, bool) { return 1, true },
		pace: pace{
			settle: 10 * time.Second, download: 10 * time.Second, load: 10 * time.Second, release: 10 * time.Second,
			poll: time.Millisecond, probe: 2 * time.Second, ready: 2 * time.Second, call: 5 * time.Second,
			cancel: 5 * time.Second, slowCall: 5 * time.Second, backoff: time.Millisecond, slowPoll: time.Nanosecond,
			appear: 5 * time.Second, late: 500 * time.Millisecond, silence: 5 * time.Second,
			linger: 300 * time.Millisecond, staleFail: 10 * time.Second,
			exit: 5 * time.Second, memory: 300 * time.Millisecond, away: 5 * time.Second, gone: 5 * time.Second,
		},
	}
}

func (d *double) dial(config config) *Engine {
	d.t.Helper()
	engine, err := dial(context.Background(), config)
	if err != nil {
		d.t.Fatalf("dial: %v", err)
	}
	d.t.Cleanup(func() { engine.Close() })
	return engine
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		plain, zipped := w, gzip.NewWriter(w)
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `"4711"`)
		defer zipped.Close()
		w = zipping{plain, zipped}
	}
	call := r.Method + " " + r.URL.Path
	if r.Method != http.MethodGet {
		d.log = append(d.log, call)
	}
	if r.URL.RawQuery == "status=downloaded" {
		call += "?" + r.URL.RawQuery
	}
	if answer, ok := d.answers[call]; ok {
		answer(w)
		return
	}
	switch {
	case call == "GET /node_id":
		fmt.Fprint(w, `"n1"`)
	case call == "GET /models":
		fmt.Fprintf(w, `{"object":"list","data":[%s]}`, strings.Join(d.cards, ","))
	case call == "POST /models/add":
		d.add(w, r)
	case call == "GET /instance/previews":
		fmt.Fprint(w, d.previews[0])
		d.previews = d.previews[min(1, len(d.previews)-1):]
	case call == "POST /instance":
		d.create(w, r)
	case call == "POST /download/start" && d.fetches:
		d.fetched, _ = io.ReadAll(r.Body)
		fmt.Fprint(w, `{"commandId":"c-3"}`)
	case strings.HasPrefix(call, "POST /v1/cancel/"):
		fail(w, 404, "Command not found or already completed")
	case strings.HasPrefix(r.URL.Path, "/instance/"):
		d.instance(w, r, strings.TrimPrefix(r.URL.Path, "/instance/"))
	case strings.HasPrefix(call, "GET /state/"):
		d.state(w, strings.Split(strings.TrimPrefix(r.URL.Path, "/state/"), "/"))
	default:
		w.WriteHeader(404)
		fmt.Fprint(w, `{"detail":"Not Found"}`)
	}
}

// zipping is an answer that is compressed.
type zipping struct {
	http.ResponseWriter
	zipped io.Writer
}

func (z zipping) Write(p []byte) (int, error) { return z.zipped.Write(p) }

func (d *double) add(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ID string `json:"model_id"`
	}
	json.NewDecoder(r.Body).Decode(&body)
	d.cards = append(d.cards, card(body.ID))
	fmt.Fprint(w, card(body.ID))
}

func (d *double) create(w http.ResponseWriter, r *http.Request) {
	d.posted, _ = io.ReadAll(r.Body)
	var body struct{ Instance json.RawMessage }
	if err := json.Unmarshal(d.posted, &body); err != nil {
		fail(w, 422, err.Error())
		return
	}
	parsed, err := parseInstance(body.Instance)
	if err != nil {
		fail(w, 422, err.Error())
		return
	}
	if d.onCreate != nil {
		d.onCreate(parsed.id, body.Instance)
	} else {
		d.instances[parsed.id] = body.Instance
	}
	fmt.Fprint(w, `{"message":"Command received.","command_id":"c-1","model_card":{"modelId":"x"}}`)
}

func (d *double) instance(w http.ResponseWriter, r *http.Request, id string) {
	step(&d.walk)
	raw, known := d.instances[id]
	switch {
	case !known:
		fail(w, 404, "Instance not found")
	case r.Method == http.MethodGet:
		w.Write(raw)
	case r.Method == http.MethodDelete:
		if !d.undeletable {
			parsed, _ := parseInstance(raw)
			delete(d.instances, id)
			for _, runner := range parsed.runners {
				delete(d.runners, runner)
			}
		}
		fmt.Fprintf(w, `{"message":"Command received.","command_id":"c-2","instance_id":%q}`, id)
	}
}

// step takes one step of a walk.
func step(walk *[]func()) {
	if steps := *walk; len(steps) > 0 {
		*walk = steps[1:]
		steps[0]()
	}
}

func (d *double) state(w http.ResponseWriter, path []string) {
	var value any
	switch path[0] {
	case "nodeIdentities":
		value = mapped(d.nodes, func(name string) any {
			return map[string]string{"modelId": "Unknown Model", "chipId": "Apple M3 Ultra", "friendlyName": name}
		})
	case "nodeMemory":
		memory := mapped(d.nodes, func(string) any {
			return map[string]any{"ramTotal": map[string]int{"inBytes": 16 * gib}, "ramAvailable": map[string]int{"in_bytes": 8 * gib}}
		})
		for id, entry := range d.sizes {
			memory[id] = json.RawMessage(entry)
		}
		value = memory
	case "tasks":
		value = mapped(d.tasks, func(task string) any { return json.RawMessage(task) })
	case "nodeSystem":
		// On Linux exo's map has no node at all.
		value = mapped(d.sensors, func(system string) any { return json.RawMessage(system) })
	case "topology":
		nodes := []string{}
		for id := range d.nodes {
			nodes = append(nodes, id)
		}
		value = map[string]any{"nodes": nodes, "connections": nil}
	case "instances":
		value = d.instances
	case "runners":
		if len(path) == 1 {
			step(&d.looks)
			value = mapped(d.runners, func(state string) any { return json.RawMessage(state) })
			break
		}
		value = lookUp(d.runners, path)
	case "downloads":
		step(&d.fetch)
		value = lookUp(d.downloads, path)
	}
	if value == nil {
		fail(w, 404, "unable to find path '"+strings.Join(path, ".")+"' in state json")
		return
	}
	json.NewEncoder(w).Encode(value)
}

func lookUp(values map[string]string, path []string) any {
	if value, ok := values[path[1]]; ok {
		return json.RawMessage(value)
	}
	return nil
}

func mapped(values map[string]string, f func(string) any) map[string]any {
	result := map[string]any{}
	for key, value := range values {
		result[key] = f(value)
	}
	return result
}

// fail answers in exo's shape of an error.
func fail(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"message": message, "type": http.StatusText(status), "param": nil, "code": status,
	}})
}

// failing answers every such call with the error.
func failing(status int, message string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { fail(w, status, message) }
}

// changes returns the calls so far that change something.
func (d *double) changes() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.log)
}

func (d *double) running() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := []string{}
	for id := range d.instances {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (d *double) runner(id, state string) func() {
	return func() { d.runners[id] = state }
}

func (d *double) download(node, state string) func() {
	return func() {
		d.downloads[node] = "[" + pending("other/model") + "," + state + "]"
	}
}

// ready is the walk of a one-node model whose files are there.
func (d *double) ready(id string) []func() {
	return []func(){
		d.runner(id+"-r0", `{"RunnerIdle":{}}`),
		d.download("n1", completed("mlx-community/Tiny-1B-4bit", 1000)),
		d.runner(id+"-r0", `{"RunnerLoading":{"layersLoaded":0,"totalLayers":16}}`),
		d.runner(id+"-r0", `{"RunnerLoading":{"layersLoaded":9,"totalLayers":16}}`),
		d.runner(id+"-r0", `{"RunnerLoaded":{}}`),
		d.runner(id+"-r0", `{"RunnerWarmingUp":{}}`),
		d.runner(id+"-r0", `{"RunnerReady":{"prefillServerPort":null}}`),
	}
}

func card(id string) string {
	return fmt.Sprintf(`{"id":%q,"object":"model","created":1,"owned_by":"exo","hugging_face_id":%q,"name":%q,
		"storage_size_megabytes":696,"supports_tensor":true,"tasks":["TextGeneration"],"is_custom":false,"tags":[]}`,
		id, id, shortName(id))
}

func previews(entries ...string) string {
	return `{"previews":[` + strings.Join(entries, ",") + `]}`
}

// preview1 is a good one-node preview.
func preview1(id, model string) string {
	return labelled("Pipeline", "MlxRing", placed("MlxRingInstance", "PipelineShardMetadata", id, model, "n1"))
}

func labelled(sharding, meta, instance string) string {
	return fmt.Sprintf(`{"model_id":"x","sharding":%q,"instance_meta":%q,"instance":%s,"memory_delta_by_node":{},"error":null}`,
		sharding, meta, instance)
}

func refusal(sharding, meta, reason string) string {
	return fmt.Sprintf(`{"model_id":"x","sharding":%q,"instance_meta":%q,"instance":null,"error":%q}`, sharding, meta, reason)
}

// placed is an instance of 16 layers on the nodes, with spaces and a field that
// no version of exo has.
func placed(tag, shardTag, id, model string, nodes ...string) string {
	var shards, runners []string
	for i, node := range nodes {
		runner := fmt.Sprintf("%s-r%d", id, i)
		shards = append(shards, fmt.Sprintf(`%q:{%q:{"modelCard":{"modelId":%q},"deviceRank":%d,"startLayer":%d,"endLayer":%d}}`,
			runner, shardTag, model, i, 16*i/len(nodes), 16*(i+1)/len(nodes)))
		runners = append(runners, fmt.Sprintf(`%q:%q`, node, runner))
	}
	return fmt.Sprintf(`{ %q: {"instanceId":%q, "newField":"<a&b>", "shardAssignments":{"modelId":%q,"runnerToShard":{%s},"nodeToRunner":{%s}}}}`,
		tag, id, model, strings.Join(shards, ","), strings.Join(runners, ","))
}

func shardOf(model string) string {
	return fmt.Sprintf(`"nodeId":"n1","shardMetadata":{"PipelineShardMetadata":{"modelCard":{"modelId":%q}}},"modelDirectory":"/m"`, model)
}

func pending(model string) string {
	return fmt.Sprintf(`{"DownloadPending":{%s,"downloaded":{"inBytes":0},"total":{"inBytes":0}}}`, shardOf(model))
}

func ongoing(model string, done, total int) string {
	return fmt.Sprintf(`{"DownloadOngoing":{%s,"downloadProgress":{"total":{"inBytes":%d},"downloaded":{"in_bytes":%d},"speed":52428800.5,"etaMs":1,"files":{}}}}`,
		shardOf(model), total, done)
}

func completed(model string, total int) string {
	return fmt.Sprintf(`{"DownloadCompleted":{%s,"total":{"inBytes":%d},"readOnly":false}}`, shardOf(model), total)
}

func failedDownload(model, message string) string {
	return fmt.Sprintf(`{"DownloadFailed":{%s,"errorMessage":%q}}`, shardOf(model), message)
}

// recorder keeps the events of a model as short lines.
type recorder struct {
	mu     sync.Mutex
	events []exobench.StageEvent
}

func (r *recorder) add(e exobench.StageEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// stages lists the stages in order, each once per run of equal ones.
func (r *recorder) stages() []exobench.Stage {
	var stages []exobench.Stage
	for _, e := range r.events {
		stages = append(stages, e.Stage)
	}
	return slices.Compact(stages)
}
