package embedded

import (
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"exobench/embedded/decoder"
)

// The path of a benchmark: find the model, preview, create, wait, ask, delete.
func TestLifeCycle(t *testing.T) {
	c := serve(t, tinyConfig())
	node := c.get("/node_id").(string)
	if len(node) != 32 {
		t.Errorf("node id %q", node)
	}
	if id := at(t, c.get("/models"), "data", 0, "id"); id != llamaID {
		t.Fatalf("first model %v", id)
	}
	if status, body := c.do("POST", "/bench/chat/completions", ask(llamaID, "hi", "")); status != 404 {
		t.Errorf("completion with no instance: %d %s", status, body)
	}
	instance := at(t, c.get("/instance/previews?model_id="+llamaID), "previews", 0, "instance")
	posted, _ := json.Marshal(map[string]any{"instance": instance})
	status, body := c.do("POST", "/instance", string(posted))
	if status != 200 || at(t, parse(t, body), "message") != "Command received." || at(t, parse(t, body), "model_card", "modelId") != llamaID {
		t.Fatalf("POST /instance: %d %s", status, body)
	}
	id := at(t, instance, "MlxRingInstance", "instanceId").(string)
	if got := c.get("/instance/" + id); encodeString(got) != encodeString(instance) {
		t.Errorf("instance is\n%s\nposted was\n%s", encodeString(got), encodeString(instance))
	}
	runner := at(t, instance, "MlxRingInstance", "shardAssignments", "nodeToRunner", node).(string)
	c.waitReady()
	if got := encodeString(c.get("/state/runners/" + runner)); got != `{"RunnerReady":{"prefillServerPort":null}}` {
		t.Errorf("runner %s", got)
	}
	if text := c.complete("/bench/chat/completions", ask(llamaID, "hi", `,"stream":true,"max_tokens":4`)); len(strings.Fields(text)) != 4 {
		t.Errorf("text %q, want 4 words", text)
	}
	status, body = c.do("DELETE", "/instance/"+id, "")
	if status != 200 || at(t, parse(t, body), "instance_id") != id || at(t, parse(t, body), "command_id") == "" {
		t.Fatalf("DELETE: %d %s", status, body)
	}
	c.eventually("the instance to go", func() bool { status, _ := c.do("GET", "/instance/"+id, ""); return status == 404 })
	c.eventually("the runner to go", func() bool { status, _ := c.do("GET", "/state/runners/"+runner, ""); return status == 404 })
	if status, _ := c.do("DELETE", "/instance/"+id, ""); status != 404 {
		t.Errorf("second DELETE: %d, want 404", status)
	}
}

func encodeString(v any) string { return string(encode(v)) }

// A runner passes through exo's states in order, and tells how many layers it has loaded.
func TestRunnerStatesComeInOrder(t *testing.T) {
	c := serve(t, tinyConfig())
	m, _ := c.server.model(llamaID)
	var seen []string
	c.server.watch = func(state tagged) { seen = append(seen, encodeString(state)) }
	p := c.server.newPlacement(m)
	c.server.start(p, m)
	if tags := c.runnerTags(); len(tags) != 1 {
		t.Errorf("runners %v right after the start, want one", tags)
	}
	c.waitReady()
	c.complete("/bench/chat/completions", ask(llamaID, "hi", `,"stream":true,"max_tokens":4`))
	c.waitReady()
	c.server.remove(p.InstanceID)
	c.waitRunners()
	want := []string{
		`{"RunnerLoading":{"layersLoaded":0,"totalLayers":2}}`,
		`{"RunnerLoading":{"layersLoaded":1,"totalLayers":2}}`,
		`{"RunnerLoading":{"layersLoaded":2,"totalLayers":2}}`,
		`{"RunnerLoaded":{}}`,
		`{"RunnerWarmingUp":{}}`,
		`{"RunnerReady":{"prefillServerPort":null}}`,
		`{"RunnerRunning":{}}`,
		`{"RunnerReady":{"prefillServerPort":null}}`,
		`{"RunnerShuttingDown":{}}`,
	}
	if !slices.Equal(seen, want) {
		t.Errorf("states\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
	}
}

func TestRequestWaitsForAnInstanceThatIsNotReady(t *testing.T) {
	config := tinyConfig()
	config.Models[0].Shape = decoder.Shape{Layers: 12, Hidden: 256, Heads: 4, KVHeads: 2, FFN: 512, Vocab: 1000}
	config.Preload = []string{llamaID}
	c := serve(t, config)
	if tags := c.runnerTags(); slices.Contains(tags, "RunnerReady") {
		t.Skip("the runner was ready at once")
	}
	if text := c.complete("/bench/chat/completions", ask(llamaID, "hi", `,"stream":true,"max_tokens":3`)); len(strings.Fields(text)) != 3 {
		t.Errorf("text %q, want 3 words", text)
	}
}

func TestPlaceInstanceAndAwait(t *testing.T) {
	c := serve(t, tinyConfig())
	status, body := c.do("GET", "/instance/await?timeout_seconds=0.05&model_id="+llamaID, "")
	if want := ": keep-alive\n\ndata: {\"type\":\"timeout\",\"message\":\"No instance found for model " + llamaID + "\"}\n\n"; status != 200 || body != want {
		t.Errorf("await with no instance: %d %q, want %q", status, body, want)
	}
	if status, body := c.do("POST", "/place_instance", `{"model_id":"`+llamaID+`"}`); status != 200 || at(t, parse(t, body), "command_id") == "" {
		t.Fatalf("place: %d %s", status, body)
	}
	_, body = c.do("GET", "/instance/await?model_id="+llamaID, "")
	data := strings.TrimPrefix(body, ": keep-alive\n\ndata: ")
	ring := at(t, parse(t, data), "instance", "MlxRingInstance")
	if at(t, ring, "shard_assignments", "model_id") != llamaID || at(t, ring, "instance_id") != c.onlyInstance() {
		t.Errorf("await: %s", body)
	}
	// A placement that cannot be made is accepted all the same, and nothing comes of it.
	if status, _ := c.do("POST", "/place_instance", `{"model_id":"`+llamaID+`","min_nodes":2}`); status != 200 {
		t.Errorf("placement on two nodes: %d", status)
	}
	c.onlyInstance()
}

func TestPostedInstanceMayBeSnakeCaseAndUntagged(t *testing.T) {
	c := serve(t, tinyConfig())
	inner := at(t, c.get("/instance/placement?model_id="+llamaID), "MlxRingInstance")
	posted := encodeString(map[string]any{"instance": rekey(inner, snake)})
	if !strings.Contains(posted, "shard_assignments") {
		t.Fatalf("posted %s", posted)
	}
	for range 2 { // the second is a repeat and does nothing
		if status, body := c.do("POST", "/instance", posted); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if got := encodeString(at(t, c.get("/instance/"+c.onlyInstance()), "MlxRingInstance")); got != encodeString(inner) {
		t.Errorf("instance %s, want %s", got, encodeString(inner))
	}
	inner.(map[string]any)["surprise"] = 1
	if status, body := c.do("POST", "/instance", encodeString(map[string]any{"instance": inner})); status != 422 {
		t.Errorf("unknown key: %d %s", status, body)
	}
}

func TestInstanceThatCannotRunFails(t *testing.T) {
	c := serve(t, tinyConfig())
	ring := at(t, c.get("/instance/placement?model_id="+llamaID), "MlxRingInstance").(map[string]any)
	jaccl := map[string]any{"instanceId": ring["instanceId"], "shardAssignments": ring["shardAssignments"],
		"jacclDevices": []any{[]any{nil}}, "jacclCoordinators": map[string]any{}}
	if status, body := c.do("POST", "/instance", encodeString(map[string]any{"instance": map[string]any{"MlxJacclInstance": jaccl}})); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	c.waitRunners("RunnerFailed")
	if status, _ := c.do("DELETE", "/instance/"+c.onlyInstance(), ""); status != 200 {
		t.Error("a failed instance cannot be deleted")
	}
	c.waitRunners()
}

func TestMemoryIsReturnedAfterDelete(t *testing.T) {
	if raceDetector || runtime.GOOS != "linux" {
		t.Skip("needs the resident set without the race detector's shadow")
	}
	config := tinyConfig()
	config.Models[0].Shape = decoder.Shape{Layers: 4, Hidden: 768, Heads: 8, KVHeads: 2, FFN: 2688, Vocab: 4509}
	c := serve(t, config)
	weights := config.Models[0].Shape.WeightBytes()
	debug.FreeOSMemory() // of the tests before
	before := residentBytes(t)
	for round := range 3 {
		c.do("POST", "/place_instance", `{"model_id":"`+llamaID+`"}`)
		c.waitReady()
		c.complete("/bench/chat/completions", ask(llamaID, "hi", `,"stream":true,"max_tokens":8`))
		loaded := residentBytes(t)
		if grown := loaded - before; grown < weights*19/20 || grown > weights*5/4 {
			t.Errorf("round %d: loading took %d MB, the weights have %d MB", round, grown>>20, weights>>20)
		}
		c.do("DELETE", "/instance/"+c.onlyInstance(), "")
		c.waitRunners()
		if left := residentBytes(t) - before; left > 16<<20 {
			t.Errorf("round %d: %d MB stayed after the delete", round, left>>20)
		}
	}
}

func residentBytes(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	config := tinyConfig()
	config.Preload = []string{llamaID, mistralID}
	config.Workers = 2
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
	if len(s.runners) != 0 || len(s.instances) != 0 {
		t.Errorf("%d runners and %d instances are left", len(s.runners), len(s.instances))
	}
}

func TestConfigNamesEachFault(t *testing.T) {
	config := tinyConfig()
	config.Models[0].ContextLength = 0
	config.Addable = append(config.Addable, config.Models[0], Model{ID: "x", ContextLength: 1, Shape: decoder.Shape{}})
	config.Preload = []string{"nobody"}
	config.Workers, config.MaxConcurrent = -1, -1
	_, err := New(config)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"context length is 0", "given twice", `"x"`, `preload of "nobody"`, "workers is -1", "max concurrent is -1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}
