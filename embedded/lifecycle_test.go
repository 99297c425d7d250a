package embedded

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"exobench/embedded/decoder"
	"exobench/shape"
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
	instance := c.create(llamaID)
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
	status, body := c.do("DELETE", "/instance/"+id, "")
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

// A runner passes through exo's states in order, and tells how many layers it
// has loaded.
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
	c := serve(t, tinyConfig())
	c.server.compute.Lock() // nothing loads meanwhile
	c.create(llamaID)
	c.waitRunners("RunnerLoading")
	var asking sync.WaitGroup
	asking.Go(func() {
		text := c.complete("/bench/chat/completions", ask(llamaID, "hi", `,"stream":true,"max_tokens":3`))
		if len(strings.Fields(text)) != 3 {
			t.Errorf("text %q, want 3 words", text)
		}
	})
	c.eventually("the request to wait", func() bool { return c.commands() == 1 })
	if tags := c.runnerTags(); tags[0] != "RunnerLoading" {
		t.Errorf("the runner is %s although nothing can load", tags[0])
	}
	c.server.compute.Unlock()
	asking.Wait()
}

func TestAnInstancePostedTwiceIsMadeOnce(t *testing.T) {
	c := serve(t, tinyConfig())
	instance := c.create(llamaID)
	if status, body := c.do("POST", "/instance", encodeString(map[string]any{"instance": instance})); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if got := encodeString(c.get("/instance/" + c.onlyInstance())); got != encodeString(instance) {
		t.Errorf("instance %s, want %s", got, encodeString(instance))
	}
}

func TestAModelThatDoesNotFitIsRefused(t *testing.T) {
	huge := Model{ID: "org/huge", Shape: tiny}
	huge.Shape.Layers, huge.Shape.Hidden, huge.Shape.FFN = 1000, 1<<18, 1<<20 // some petabytes
	config := tinyConfig()
	config.Models = append(config.Models, huge)
	c := serve(t, config)
	preview := at(t, c.get("/instance/previews?model_id=org/huge"), "previews", 0)
	if why, _ := at(t, preview, "error").(string); !strings.Contains(why, "too little memory") || at(t, preview, "instance") != nil {
		t.Errorf("preview %v", preview)
	}
	posted := encodeString(map[string]any{"instance": c.server.newPlacement(huge)})
	if status, body := c.do("POST", "/instance", posted); status != 400 || !strings.Contains(body, "too little memory") {
		t.Errorf("%d %s", status, body)
	}
}

func TestMemoryIsReturnedAfterDelete(t *testing.T) {
	if raceDetector || runtime.GOOS != "linux" {
		t.Skip("needs the resident set without the race detector's shadow")
	}
	config := tinyConfig()
	config.Models[0].Shape = shape.Shape{Layers: 4, Hidden: 768, Heads: 8, KVHeads: 2, FFN: 2688, Vocab: 4509, Context: 4000, RopeBase: 10000}
	c := serve(t, config)
	weights := decoder.WeightBytes(config.Models[0].Shape)
	debug.FreeOSMemory() // of the tests before
	before := residentBytes(t)
	for round := range 3 {
		c.create(llamaID)
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
	(&client{t: t}).eventually("the goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
	if len(s.runners) != 0 || len(s.instances) != 0 {
		t.Errorf("%d runners and %d instances are left", len(s.runners), len(s.instances))
	}
}

func TestConfigNamesEachFault(t *testing.T) {
	config := tinyConfig()
	config.Models[0].Shape.Context = 0
	config.Addable = append(config.Addable, config.Models[0], Model{ID: "x"})
	config.Preload = []string{"nobody"}
	config.Workers, config.MaxConcurrent = -1, -1
	_, err := New(config)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"context is 0", "given twice", `"x"`, `preload of "nobody"`, "workers is -1", "max concurrent is -1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}
